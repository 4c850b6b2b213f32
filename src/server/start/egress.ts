import { createConnecting } from '../egress/connecting.ts';
import { createCredentials } from '../egress/credential.ts';
import { discoveryHeader, gatewayItself } from '../egress/discovery.ts';
import { examineConnections } from '../egress/doctor.ts';
import { audienceOf, type EgressServer } from '../egress/renew.ts';
import { createSources } from '../egress/sources.ts';
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
  { db, feed, config, log, now }: Base,
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
  const renewal = {
    ...parts,
    async sourceOf(server: EgressServer, issuer: string | null) {
      const { client, source } = await sources.clientOf(server, issuer);
      return { client, issuer: source.issuer };
    },
    exchange: (server: EgressServer, identity: Identity) => exchanged(exchange, server, identity, now),
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
  const key = deriveKey(config.secretKey, 'connect-attempt');
  const examine = () => {
    const registered = servers.rows().flatMap((row) => egressServerOf(row) ?? []);
    return examineConnections({ ...parts, sources, servers: () => registered });
  };
  return { credentials, connecting: createConnecting({ ...parts, sources, key }), examine };
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
