import { z } from 'zod';
import { Failure } from '../../failure/errors.ts';
import type { ServiceAccount, ServiceAccounts } from '../directory.ts';
import { isId, isName, theOne } from '../names.ts';
import type { RealmApi } from './realm-api.ts';
import { askToken, type TokenWorld } from './token.ts';
import type { TokenShape } from './token-shape.ts';
import { account } from './users.ts';

/** Attributes of the clients that the gateway made: only they are listed and deleted. */
const [ours, jobOf] = ['mcp-gateway.account', 'mcp-gateway.job'];
/** Clients that are looked at in one round trip: Keycloak does not search by attribute. */
const pageSize = 200;

const realmClient = z.looseObject({
  id: z.string(),
  clientId: z.string(),
  description: z.string().nullish(),
  enabled: z.boolean().nullish(),
  attributes: z.record(z.string(), z.string().nullish()).nullish(),
});
type Client = z.output<typeof realmClient>;

const read = { role: 'view-clients' };
const write = { role: 'manage-clients' };

/** What accounts are made with. */
export interface AccountsWorld extends TokenWorld {
  readonly api: RealmApi;
  readonly shape: () => Promise<TokenShape>;
}

/**
 * Clients of a realm that the gateway made, by the attribute they carry; the client id is the name. A client has one
 * secret without an end, so none can live on beside a newer one: that is why secrets are not rotated here.
 */
export function keycloakServiceAccounts(world: AccountsWorld): ServiceAccounts {
  const { api } = world;
  return {
    async list({ search = '', limit }) {
      const begins = search.toLowerCase();
      const found = await clientsOf(api, limit, ({ clientId }) => clientId.toLowerCase().startsWith(begins));
      return { items: await Promise.all(found.map((one) => accountOf(api, one))), next: null, total: null };
    },
    async find(idOrName) {
      const found = await findClient(api, idOrName);
      return found && accountOf(api, found);
    },
    create: (wanted) => createClient(world, wanted),
    async made(marker) {
      const [found] = await clientsOf(api, 1, ({ attributes }) => attributes?.[jobOf] === marker);
      return found && accountOf(api, found);
    },
    async enable(one) {
      const { id: principalId, enabled } = await api.get(
        `${pathOf(one.id)}/service-account-user`,
        account,
        read,
      );
      return { ...one, principalId, enabled: one.enabled && enabled !== false };
    },
    async addSecret(id) {
      const { body } = await api.send('POST', `${pathOf(id)}/client-secret`, write);
      return {
        keyId: 'client-secret',
        secret: z.object({ value: z.string() }).parse(body).value,
        expiresAt: null,
      };
    },
    // What its tokens need to be accepted came with its mappers and scopes.
    permit: async () => true,
    async verify(clientId, clientSecret) {
      await askToken(world, { clientId, clientSecret });
    },
    async remove(id) {
      const found = isId(id) ? await api.find(pathOf(id), realmClient, read) : undefined;
      if (!found || !isOurs(found))
        throw new Failure('not_found', 'Keycloak has no such client that the gateway created.');
      await api.send('DELETE', pathOf(id), write);
    },
  };
}

async function createClient(
  { api, shape }: AccountsWorld,
  { name, description, marker }: { name: string; description: string; marker: string },
): Promise<ServiceAccount> {
  const { scopes, mappers } = await shape();
  const body = {
    ...{ clientId: name, name, description, protocol: 'openid-connect', publicClient: false, enabled: true },
    ...{ serviceAccountsEnabled: true, standardFlowEnabled: false, implicitFlowEnabled: false },
    ...{ directAccessGrantsEnabled: false, fullScopeAllowed: false, redirectUris: [], webOrigins: [] },
    ...{ defaultClientScopes: scopes, optionalClientScopes: [], protocolMappers: mappers },
    attributes: { [ours]: 'true', [jobOf]: marker },
  };
  try {
    await api.send('POST', '/clients', { ...write, body });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'conflict') throw error;
    // A step that is taken again finds the client that it made.
    const found = await clientNamed(api, name);
    if (found?.attributes?.[jobOf] !== marker)
      throw new Failure('conflict', `The realm has a client '${name}' already; choose another name.`);
  }
  const made = await clientNamed(api, name);
  if (!made) throw new Failure('directory_unavailable', 'The client that was created cannot be found.');
  return accountOf(api, made);
}

async function clientNamed(api: RealmApi, clientId: string): Promise<Client | undefined> {
  const [found] = await api.get('/clients', z.array(realmClient), { ...read, query: { clientId } });
  return found;
}

/** By the client's id, its name, or the id of its account. */
async function findClient(api: RealmApi, idOrName: string): Promise<Client | undefined> {
  if (!isName(idOrName)) return undefined;
  const found = await clientNamed(api, idOrName);
  if (found) return isOurs(found) ? found : undefined;
  if (!isId(idOrName)) {
    const same = (one: Client): boolean => one.clientId.toLowerCase() === idOrName.toLowerCase();
    return theOne(await clientsOf(api, 20, same), idOrName, ({ clientId }) => clientId);
  }
  const id = idOrName.toLowerCase();
  const client = await api.find(pathOf(id), realmClient, read);
  if (client) return isOurs(client) ? client : undefined;
  const owner = await api.find(`/users/${id}`, account, { role: 'view-users' });
  const [, clientId] = /^service-account-(.+)$/.exec(owner?.username ?? '') ?? [];
  const [of] = clientId ? await clientsOf(api, 1, (one) => one.clientId.toLowerCase() === clientId) : [];
  return of && (await accountOf(api, of)).principalId === id ? of : undefined;
}

async function clientsOf(api: RealmApi, limit: number, matches: (one: Client) => boolean): Promise<Client[]> {
  const found: Client[] = [];
  for (let from: string | null = '0'; from !== null && found.length < limit; ) {
    const page: { items: readonly Client[]; next: string | null } = await api.page('/clients', realmClient, {
      ...{ ...read, limit: pageSize, from },
    });
    found.push(...page.items.filter((one) => isOurs(one) && matches(one)));
    from = page.next;
  }
  return found.slice(0, limit);
}

function isOurs({ attributes }: Client): boolean {
  return attributes?.[ours] === 'true';
}

async function accountOf(api: RealmApi, one: Client): Promise<ServiceAccount> {
  const owner = await api.find(`${pathOf(one.id)}/service-account-user`, account, read);
  return {
    ...{ id: one.id, clientId: one.clientId, name: one.clientId },
    description: one.description || null,
    principalId: owner?.id ?? null,
    enabled: one.enabled !== false,
  };
}

function pathOf(id: string): string {
  return `/clients/${encodeURIComponent(id)}`;
}
