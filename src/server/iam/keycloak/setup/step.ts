import type { z } from 'zod';
import { Failure } from '../../../failure/errors.ts';
import type { SetupFiles } from '../../setup/files.ts';
import { settingsBlock } from '../../setup/settings-block.ts';
import type { Step as AnyStep } from '../../setup/step.ts';
import { clientScopes, type FullClient, findClient } from '../clients.ts';
import type { clientScope } from '../mappers.ts';
import type { RealmApi } from '../realm-api.ts';
import type { KeycloakWish } from './wish.ts';

/** What the steps work with. */
export interface SetupWorld {
  readonly wish: KeycloakWish;
  readonly api: RealmApi;
  readonly files: SetupFiles;
  /** Makes a SECRET_KEY. */
  readonly newKey: () => string;
}

/** A step of setting a realm up. */
export type Step = AnyStep<SetupWorld>;

/** What setup writes to `.env`. */
export const block = settingsBlock('keycloak');

/** The attribute of what setup made: only that is taken back. */
export const ours = 'mcp-gateway.setup';

/** Takes a client back that setup made; answers a line when it was there. */
export async function removeClient({ api }: SetupWorld, clientId: string): Promise<string[]> {
  const found = await findClient(api, clientId);
  if (found?.attributes?.[ours] !== 'true') return [];
  await api.send('DELETE', `/clients/${found.id}`, { role: 'manage-clients' });
  return [`the client '${clientId}'`];
}

/** The client of this client id, which is there by now. */
export async function needClient({ api }: SetupWorld, clientId: string): Promise<FullClient> {
  return present(await findClient(api, clientId), `client '${clientId}'`);
}

/** The client scope with the mappers, if it is there. */
export async function findScope({
  api,
  wish,
}: SetupWorld): Promise<z.output<typeof clientScope> | undefined> {
  return (await clientScopes(api)).find(({ name }) => name === wish.scopeName);
}

/** What has to be there because a step before made it; somebody else may have removed it. */
export function present<T>(found: T | undefined, what: string): T {
  if (found !== undefined) return found;
  throw new Failure('not_found', `The ${what} no longer exists; run setup again.`);
}
