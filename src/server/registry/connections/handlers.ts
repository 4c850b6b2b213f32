import type { z } from 'zod';
import type { Handlers } from '../../../contract/endpoint.ts';
import type { connection, connectionEndpoints } from '../../../contract/servers/connections.ts';
import { nameOfPath } from '../../../contract/servers/servers.ts';
import type { Access, Caller } from '../../access/caller.ts';
import type { Grants } from '../../access/grants.ts';
import type { Db } from '../../db/tables.ts';
import type { Connecting } from '../../egress/connecting.ts';
import { ownerAt, type Purpose } from '../../egress/credential.ts';
import { type EgressServer, endOf, statusOf } from '../../egress/renew.ts';
import type { Revocations } from '../../egress/revoke.ts';
import { beyondLimits, type EgressLimits } from '../../egress/settings.ts';
import {
  type Connection,
  findConnection,
  listConnections,
  removeConnection,
  removeDiscovery,
  storeConnection,
} from '../../egress/store.ts';
import type { ConnectionVault } from '../../egress/vault.ts';
import { Failure, invalidInput } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { assertEndsWithAccess, assertUnlimited } from '../limited.ts';
import { endpointsOf } from '../servers/endpoints.ts';
import type { ServerRow } from '../servers/store.ts';

/** What the endpoints of people's credentials work with. */
export interface ConnectionsWorld {
  readonly db: Db;
  readonly now: () => number;
  readonly grants: () => Grants;
  readonly vault: ConnectionVault;
  readonly limits: EgressLimits;
  readonly connecting: Connecting;
  readonly revocations: Pick<Revocations, 'now'>;
  /** Has a server looked at soon, by its name: somebody is connected for its lists now. */
  readonly listsConnected: (server: string) => void;
  /** Every server that is registered, from memory. */
  readonly rows: () => readonly ServerRow[];
  /** Whether an identity has anything on a server, by the server's name in scopes. */
  readonly reaches: (identity: Identity, server: string) => boolean;
  readonly isAdmin: (identity: Identity) => boolean;
}

/** A server with people's credentials, and how it is registered. */
interface Found {
  readonly row: ServerRow;
  readonly server: EgressServer;
}

const unitMs = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;

/** The functions behind the endpoints of people's credentials at servers. */
export function connectionHandlers(
  world: ConnectionsWorld,
): Handlers<typeof connectionEndpoints, Caller<Identity>> {
  const person = (identity: Identity): Identity => {
    assertUnlimited(identity, world.grants(), 'manage connections to servers');
    if (identity.kind !== 'person')
      throw new Failure(
        'connection_impossible',
        'Only people have credentials of their own at servers, and this is an agent. Sign in as a person.',
      );
    return identity;
  };
  return {
    async 'connections.list'(_, { identity }) {
      assertUnlimited(identity, world.grants(), 'see connections to servers');
      if (identity.kind !== 'person') return { connections: [] };
      const own = new Map(
        (await listConnections(world.db, identity))
          .filter(({ owner }) => owner.purpose === 'call')
          .map((one) => [one.owner.serverId, one]),
      );
      const found = world.rows().flatMap((row) => {
        const server = egressServerOf(row);
        if (!server || server.settings.egress_auth_mode === 'client_credentials') return [];
        if (!own.has(row.id) && !world.reaches(identity, server.name)) return [];
        return [shown(world, { row, server }, own.get(row.id))];
      });
      return { connections: found };
    },

    async 'connections.initiate'({ body }, { identity, access, note }) {
      const { server } = reachable(world, person(identity), body.server_path, 'oauth_user');
      assertMayList(server, access, body.purpose);
      // The browser comes back with its session and nothing else.
      if (identity.method !== 'session')
        throw new Failure(
          'not_allowed',
          'Connecting needs a browser session, because the browser comes back with it: open the page Connections.',
        );
      note({ server: server.name, purpose: body.purpose });
      return { authorize_url: await world.connecting.begin(server, identity, body.purpose) };
    },

    async 'connections.enter'({ body }, { identity, access, note }) {
      // Whoever enters a token of theirs has what the person does from then on done in their own account.
      assertEndsWithAccess(identity, 'enter credentials for servers');
      const found = reachable(world, person(identity), body.server_path, 'pat');
      const { server } = found;
      assertMayList(server, access, body.purpose);
      const beyond = beyondLimits(server.settings, world.limits);
      if (beyond) throw new Failure('connection_refused', `${beyond}; ask an administrator.`);
      const lasts = body.ttl_value * unitMs[body.ttl_unit];
      const { max_days } = server.settings;
      if (lasts > max_days * unitMs.days) {
        const message = `is too long; ${max_days} days are the most for this server`;
        throw invalidInput([{ at: 'body.ttl_value', message }]);
      }
      const now = world.now();
      const made = await storeConnection(
        world.db,
        world.vault,
        {
          ...{ access: body.token, accessExpiresAt: null, refresh: null, scopes: server.settings.scopes },
          ...{ owner: ownerAt(server, identity, body.purpose), username: identity.username, mode: 'pat' },
          ...{ issuer: null, account: null, audience: null, endsAt: now + lasts },
        },
        new Date(now).toISOString(),
      );
      if (body.purpose === 'discovery') {
        await removeDiscovery(world.db, server.id, made.id);
        world.listsConnected(server.name);
      }
      note({
        server: server.name,
        purpose: body.purpose,
        connection: made.id,
        ends_at: new Date(now + lasts).toISOString(),
      });
      return shown(world, found, made);
    },

    async 'connections.remove'({ params }, { identity, note }) {
      person(identity);
      const found = serverAt(world, params.path);
      const connection =
        found?.server.settings.egress_provider === params.provider &&
        found.server.settings.egress_auth_mode !== 'client_credentials'
          ? await findConnection(world.db, ownerAt(found.server, identity))
          : undefined;
      if (!found || !connection) throw new Failure('not_found', 'You are not connected to such a server.');
      await removeConnection(world.db, connection.id);
      // Deleted here whatever the service says.
      const { server } = found;
      const at_provider = await world.revocations.now({ server, connection });
      note({ server: server.name, connection: connection.id, at_provider });
      return undefined;
    },
  };
}

/** A server as credentials are looked up for it; undefined where the operator's goes, or nobody's. */
export function egressServerOf(row: ServerRow): EgressServer | undefined {
  const { mcp, sse } = endpointsOf(row.definition);
  const url = mcp ?? sse;
  return row.egress && url
    ? { id: row.id, name: nameOfPath(row.path), settings: row.egress, url }
    : undefined;
}

/** Refuses a connection for lists to everybody but administrators, and where the server is looked at in another way. */
function assertMayList({ name, settings }: EgressServer, { isAdmin }: Access, purpose: Purpose): void {
  if (purpose === 'call') return;
  if (!isAdmin)
    throw new Failure('not_allowed', `Only administrators let '${name}' be checked with their own account.`);
  if (settings.discovery !== 'person')
    throw new Failure(
      'bad_request',
      `'${name}' is not checked as a person. Set that first (mcp-gateway connection configure --discovery person).`,
    );
}

/** A server that somebody may connect to by OAuth, by its name in scopes. */
export function connectableServer(
  world: ConnectionsWorld,
  name: string,
  identity: Identity,
  purpose: Purpose,
): EgressServer | undefined {
  const row = world.rows().find((one) => nameOfPath(one.path) === name);
  const server = row && egressServerOf(row);
  if (!world.reaches(identity, name)) return undefined;
  if (purpose === 'discovery' && !(world.isAdmin(identity) && server?.settings.discovery === 'person'))
    return undefined;
  return server?.settings.egress_auth_mode === 'oauth_user' ? server : undefined;
}

function serverAt(world: ConnectionsWorld, path: string): Found | undefined {
  const row = world.rows().find((one) => one.path === path);
  const server = row && egressServerOf(row);
  return row && server && { row, server };
}

/** A server that the caller may use; one that is forbidden and one that does not exist look alike. */
function reachable(
  world: ConnectionsWorld,
  identity: Identity,
  path: string,
  mode: 'oauth_user' | 'pat',
): Found {
  const found = serverAt(world, path);
  if (!found || !world.reaches(identity, found.server.name))
    throw new Failure('not_found', `There is no server '${nameOfPath(path)}' that you could connect to.`);
  if (found.server.settings.egress_auth_mode !== mode)
    throw new Failure(
      'bad_request',
      mode === 'pat'
        ? `'${found.server.name}' does not accept a token that you enter. Open the page Connections to see how to connect.`
        : `'${found.server.name}' is not connected by signing in there. Open the page Connections to see how.`,
    );
  return found;
}

function shown(
  { now }: ConnectionsWorld,
  { row, server }: Found,
  own: Connection | undefined,
): z.input<typeof connection> {
  const { settings, url } = server;
  return {
    server_path: row.path,
    server_name: row.definition.server_name,
    host: url.host,
    egress_auth_mode: settings.egress_auth_mode,
    egress_provider: settings.egress_provider,
    status: statusOf(server, own, now()),
    id: own?.id ?? null,
    account: own?.account ?? null,
    scopes: [...(own?.scopes ?? settings.scopes)],
    connected_at: own?.updatedAt ?? null,
    ends_at: own ? textOf(endOf(own)) : null,
    last_used_at: own?.lastUsedAt ?? null,
    last_used_for: own?.lastUsedFor ?? null,
    max_days: settings.max_days,
  };
}

function textOf(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
