import { randomUUID } from 'node:crypto';
import { createConnecting } from '../egress/connecting.ts';
import { createCredentials } from '../egress/credential.ts';
import { discoveryHeader, gatewayItself } from '../egress/discovery.ts';
import { examineConnections } from '../egress/doctor.ts';
import { audienceOf, type EgressServer } from '../egress/renew.ts';
import { type ConnectionsEnded, createRevocations, type RevocationsWorld } from '../egress/revoke.ts';
import { createSources } from '../egress/sources.ts';
import type { Connection } from '../egress/store.ts';
import { authorityLimits, requireAudience, type Tokens } from '../egress/tokens.ts';
import type { Exchanged } from '../identity/exchange.ts';
import type { Identity } from '../identity/identity.ts';
import { deriveKey } from '../identity/keys.ts';
import { outbound } from '../net/outbound.ts';
import { egressServerOf } from '../registry/connections/handlers.ts';
import type { Base } from './base.ts';
import type { Ending } from './ending.ts';
import type { IdentityParts } from './identity.ts';
import type { Inventory } from './inventory.ts';

/** Builds what looks up, renews and makes the credentials of people at servers. */
export function buildEgress(
  { db, feed, config, log, now, trail }: Base,
  { exchange }: Pick<IdentityParts, 'exchange'>,
  { servers, wayOut, told }: Pick<Inventory, 'servers' | 'wayOut' | 'told'>,
  ending: Ending,
) {
  // Servers name their authorization servers, so these are bound to the same addresses as the servers themselves.
  const fetch = outbound({ proxy: wayOut.proxy, policy: servers.policy, ...authorityLimits });
  ending.defer(() => fetch.close());
  const { vault } = servers.egress;
  const publicUrl = config.registryUrl;
  const parts = { db, vault, fetch, now, publicUrl, log, limits: config.egress };
  const sources = createSources(parts);
  const revocations = createRevocations({ ...parts, sources, done: recordOf(trail, now) });
  ending.defer(() => revocations.close());
  const renewal = {
    ...parts,
    async sourceOf(server: EgressServer, issuer: string | null) {
      const { client, source } = await sources.clientOf(server, issuer);
      return { client, issuer: source.issuer };
    },
    exchange: (server: EgressServer, identity: Identity) => exchanged(exchange, server, identity, now),
    lost: (server: EgressServer, connection: Connection) => revocations.later([{ server, connection }]),
  };
  const credentials = createCredentials({ ...renewal, feed });
  ending.defer(() => credentials.close());
  told.takesAccounts = (url) => sources.takesAccounts(url);
  told.headers = async (row) => {
    const server = egressServerOf(row);
    if (!server) return [];
    if (server.settings.egress_auth_mode !== 'client_credentials')
      return (await discoveryHeader(renewal, server)) ?? [];
    const { header, value } = await credentials.of(server, gatewayItself);
    return [header, value];
  };
  told.connectionsEndedAt = (row, { connections, clients }) => {
    const server = egressServerOf(row);
    if (server) revocations.later(connections.map((connection) => ({ server, connection, clients })));
  };
  const connectionsEnded: ConnectionsEnded = (gone) => {
    const rows = new Map(gone.length === 0 ? [] : servers.rows().map((row) => [row.id, row]));
    revocations.later(
      gone.flatMap((connection) => {
        const row = rows.get(connection.owner.serverId);
        const server = row && egressServerOf(row);
        return server ? [{ server, connection }] : [];
      }),
    );
  };
  const key = deriveKey(config.secretKey, 'connect-attempt');
  const examine = () => {
    const registered = servers.rows().flatMap((row) => egressServerOf(row) ?? []);
    return examineConnections({ ...parts, sources, servers: () => registered });
  };
  const connecting = createConnecting({ ...parts, sources, key });
  return { credentials, connecting, examine, revocations, connectionsEnded };
}

/** Records what became of credentials that were taken back at their services in the background. */
function recordOf(trail: Base['trail'], now: () => number): RevocationsWorld['done'] {
  return ({ server, connection }, became) =>
    trail.record({
      ...{ kind: 'token', action: 'connections.revoke', resource: server.name, who: null, clientIp: null },
      ...{ at: new Date(now()).toISOString(), correlationId: randomUUID(), status: 200, durationMs: 0 },
      decision: became === 'revoked' || became === 'unsupported' ? 'allow' : 'error',
      reason: became,
      detail: {
        ...{ connection: connection.id, of: connection.username, account: connection.account },
        at_provider: became,
      },
    });
}

async function exchanged(
  exchange: IdentityParts['exchange'],
  server: EgressServer,
  identity: Identity,
  now: () => number,
): Promise<Tokens> {
  const { scopes, target_audience } = server.settings;
  const given: Exchanged = await exchange(identity, {
    scopes,
    audience: audienceOf(server, target_audience),
  });
  if (target_audience !== null) requireAudience(given.access, target_audience);
  return {
    ...{ access: given.access, refresh: null, scopes: given.scopes, idClaims: {} },
    accessExpiresAt: given.expiresIn === undefined ? null : now() + given.expiresIn * 1000,
  };
}
