import { z } from 'zod';
import { clientScope, mapper } from './mappers.ts';
import type { RealmApi } from './realm-api.ts';

const flag = z.boolean().nullish();
const texts = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);

/** A client of a realm with everything that setup and the doctor look at. */
export const fullClient = z.looseObject({
  id: z.string(),
  clientId: z.string(),
  publicClient: flag,
  standardFlowEnabled: flag,
  implicitFlowEnabled: flag,
  directAccessGrantsEnabled: flag,
  serviceAccountsEnabled: flag,
  rootUrl: z.string().nullish(),
  redirectUris: texts,
  defaultClientScopes: texts,
  protocolMappers: z.array(mapper).nullish(),
  attributes: z.record(z.string(), z.string().nullish()).nullish(),
});

/** A client of a realm. */
export type FullClient = z.output<typeof fullClient>;

/** The client of this client id, if it is there. */
export async function findClient(api: RealmApi, clientId: string): Promise<FullClient | undefined> {
  const [found] = await api.get('/clients', z.array(fullClient), {
    ...{ role: 'view-clients', query: { clientId } },
  });
  return found;
}

/** Every client scope of the realm. */
export function clientScopes(api: RealmApi): Promise<z.output<typeof clientScope>[]> {
  return api.get('/client-scopes', z.array(clientScope), { role: 'view-clients' });
}
