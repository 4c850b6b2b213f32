import { type Handlers, Reply } from '../../../contract/endpoint.ts';
import type { oauthEndpoints } from '../../../contract/oauth.ts';
import type { Caller } from '../../access/caller.ts';
import type { Db } from '../../db/tables.ts';
import { Failure, invalidInput } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { hashOf, newSecret } from '../../identity/keys.ts';
import { type ClientMetadata, grantTypes, isNameTaken, storeClient } from '../../oauth/clients/clients.ts';
import { faultOfRedirects } from '../../oauth/clients/redirects.ts';
import { endGrant, findGrant } from '../../oauth/grants.ts';
import { type AdministratorsWorld, notedPower } from '../administrators.ts';
import { assertUnlimited } from '../limited.ts';
import { changeClient, listClients, listGrants, removeClient, type ShownClient } from './store.ts';

/** What the endpoints of OAuth clients need. */
export interface OauthClientsWorld extends Pick<AdministratorsWorld, 'grants'> {
  readonly db: Db;
  readonly now: () => number;
}

/** The endpoints of connected clients and of the clients themselves; what they end is over within a second. */
export function oauthClientHandlers({
  db,
  now,
  grants,
}: OauthClientsWorld): Handlers<typeof oauthEndpoints, Caller<Identity>> {
  const at = (): string => new Date(now()).toISOString();
  const find = async (id: string): Promise<ShownClient> => {
    const [found] = (await listClients(db, { id }, at(), { limit: 1, skip: 0 })).items;
    if (!found) throw new Failure('not_found', 'There is no such client.');
    return found;
  };
  const assertFree = async (alias: string | null | undefined, id?: string): Promise<void> => {
    if (alias && (await isNameTaken(db, alias, id ?? '')))
      throw new Failure('conflict', `Scopes mean another program by '${alias}'; choose another alias.`);
  };

  return {
    async 'connectedClients.list'({ query }, { identity, access }) {
      const { client_id: clientId } = query;
      assertUnlimited(identity, grants(), 'see connected clients');
      if (clientId !== undefined && !access.isAdmin)
        throw new Failure('not_allowed', 'Administrator permissions are required to see who uses a client.');
      const of = clientId === undefined ? { owner: identity } : { clientId };
      return { connected_clients: await listGrants(db, of, at()) };
    },

    async 'connectedClients.end'({ params }, { identity, access, note }) {
      assertUnlimited(identity, grants(), 'end what other programs may do');
      const grant = await findGrant(db, params.id);
      const isOwn = grant?.provider === identity.provider && grant.subject === identity.subject;
      if (!grant || !(isOwn || access.isAdmin))
        throw new Failure('not_found', 'You have no such connected client.');
      const by = identity.username;
      await endGrant(db, params.id, { at: at(), by, because: `It was ended by ${by}.` });
      note({ client: grant.client_id, resource: grant.resource, owner: grant.username });
      return undefined;
    },

    async 'oauthClients.list'({ query }) {
      const { status, search, limit, skip } = query;
      return { ...(await listClients(db, { status, search }, at(), { limit, skip })), limit, skip };
    },

    async 'oauthClients.create'({ body }, { identity, note }) {
      const metadata = metadataOf(body);
      await assertFree(body.alias);
      const secret = body.token_endpoint_auth_method.startsWith('client_secret') ? newSecret() : null;
      const id = body.alias ?? `client_${newSecret().slice(0, 24)}`;
      await assertNew(db, id);
      await storeClient(db, {
        ...{ id, kind: 'administrator', metadata, status: 'approved', at: at() },
        alias: body.alias ?? null,
        secretHash: secret === null ? null : hashOf(secret),
        groups: body.groups,
        createdBy: identity.username,
      });
      const shown = await find(id);
      note({ before: null, after: shown, ...notedPower({ grants }, [], heldBy(shown)) });
      return new Reply({ ...shown, client_secret: secret }, { 'cache-control': 'no-store' });
    },

    async 'oauthClients.get'({ params }) {
      return find(params.client_id);
    },

    async 'oauthClients.change'({ params, body }, { identity, note }) {
      const before = await find(params.client_id);
      await assertFree(body.alias, before.client_id);
      if (body.groups && !before.grant_types.includes(grantTypes.clientCredentials))
        throw invalid('groups', 'Only clients that act for themselves (client credentials) have groups.');
      const by = identity.username;
      const because = 'An administrator blocked the program.';
      await changeClient(db, before.client_id, body, { at: at(), by, because });
      const after = await find(before.client_id);
      note({ before, after, ...notedPower({ grants }, heldBy(before), heldBy(after)) });
      return after;
    },

    async 'oauthClients.remove'({ params }, { identity, note }) {
      const before = await find(params.client_id);
      const how = { at: at(), by: identity.username, because: 'An administrator removed the program.' };
      await removeClient(db, before.client_id, how);
      note({ before, after: null });
      return undefined;
    },
  };
}

/** The groups of a client that acts for itself and may be used. */
function heldBy({ groups, status }: ShownClient): readonly string[] {
  return status === 'approved' || status === 'open' ? groups : [];
}

async function assertNew(db: Db, id: string): Promise<void> {
  const there = await db
    .selectFrom('oauth_clients')
    .select('client_id')
    .where('client_id', '=', id)
    .executeTakeFirst();
  if (there) throw new Failure('conflict', `There is a client '${id}' already; choose another alias.`);
}

interface Wanted {
  readonly client_name: string;
  readonly redirect_uris: readonly string[];
  readonly token_endpoint_auth_method: ClientMetadata['token_endpoint_auth_method'];
  readonly client_credentials: boolean;
  readonly token_exchange: boolean;
  readonly jwt_bearer: boolean;
  readonly jwks?: unknown;
  readonly jwks_uri?: string | undefined;
}

/** What an administrator set up, checked as a whole. */
function metadataOf(body: Wanted): ClientMetadata {
  const { redirect_uris, token_endpoint_auth_method: method, jwks, jwks_uri } = body;
  const forItself = body.client_credentials || body.token_exchange || body.jwt_bearer;
  const fault =
    redirect_uris.length > 0
      ? faultOfRedirects(redirect_uris)
      : forItself
        ? undefined
        : 'Name at least one redirect URI, or allow client credentials.';
  if (fault) throw invalid('redirect_uris', fault);
  if (forItself && method === 'none')
    throw invalid(
      'token_endpoint_auth_method',
      'A client that acts without a page for people needs a secret or a key.',
    );
  if ((method === 'private_key_jwt') !== (jwks !== undefined || jwks_uri !== undefined) || (jwks && jwks_uri))
    throw invalid('jwks', 'private_key_jwt needs either jwks or jwks_uri, and nothing else does.');
  return {
    client_name: body.client_name,
    redirect_uris,
    grant_types: [
      ...(redirect_uris.length > 0 ? [grantTypes.code, grantTypes.refresh] : []),
      ...(body.client_credentials ? [grantTypes.clientCredentials] : []),
      ...(body.token_exchange ? [grantTypes.exchange] : []),
      ...(body.jwt_bearer ? [grantTypes.jwtBearer] : []),
    ],
    token_endpoint_auth_method: method,
    ...(jwks === undefined ? {} : { jwks }),
    ...(jwks_uri === undefined ? {} : { jwks_uri }),
  };
}

function invalid(member: string, message: string): Failure {
  return invalidInput([{ at: `body.${member}`, message }], { said: message });
}
