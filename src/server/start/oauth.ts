import type { IncomingMessage } from 'node:http';
import { decide } from '../access/decide.ts';
import type { Trail } from '../audit/event.ts';
import type { HttpIdentity } from '../http/env.ts';
import { clientIp, clientIpOf } from '../http/request/client-ip.ts';
import { createRate } from '../http/sign-in.ts';
import type { Identity } from '../identity/identity.ts';
import { outbound } from '../net/outbound.ts';
import { type AuthorizationServer, createAuthorizationServer } from '../oauth/server.ts';
import { Issuer } from '../provider/issuer.ts';
import type { Base } from './base.ts';
import type { Ending } from './ending.ts';
import type { IdentityParts } from './identity.ts';
import type { Inventory } from './inventory.ts';

/** What the authorization server is built from. */
interface Parts {
  readonly base: Base;
  readonly identity: IdentityParts;
  readonly inventory: Inventory;
  readonly trail: Trail;
  readonly http: HttpIdentity;
}

/** Builds the authorization server for MCP clients: what programs talk to, and the pages for people. */
export function buildOauth(
  { base, identity, inventory, trail, http }: Parts,
  ending: Ending,
): AuthorizationServer {
  const { db, config, keys, log, now } = base;
  const { oauth, registryUrl: issuer, secretKey, trustedProxyHops } = config;
  const { freshPerson, trusted, verify, toProvider } = identity;
  // Clients name these addresses, and anybody may be one: public ones only, little and soon.
  const fetch = outbound({
    ...{ proxy: config.proxy, policy: { allowPrivate: false } },
    ...{ headersMs: 5_000, totalMs: 5_000, maxBytes: 10 << 10 },
  });
  ending.defer(() => fetch.close());
  return createAuthorizationServer({
    ...{
      db,
      issuer,
      secretKey,
      artifactKeys: keys.of('oauth-artifact'),
      now,
      log,
      settings: oauth,
      verify,
      freshPerson,
      fetch,
    },
    identify: identity.tokens.identify,
    // The operator names them, as the identity provider.
    issuers: oauth.assertionIssuers.map(({ name, provider }) => ({
      ...{ name, provider },
      issuer: new Issuer(`${name.replace(/\/$/, '')}/.well-known/openid-configuration`, toProvider, now, {
        ...{ name, algorithms: ['RS256', 'ES256'] },
      }),
    })),
    identifySession: (cookie) => http.identify({ cookie }),
    providers: trusted.map(({ provider: { name, displayName } }) => ({ name, displayName })),
    titleOf: (who, at) => titleOf(who, at, inventory),
    placesOf: (who) => placesOf(who, inventory),
    record: (event, c) =>
      trail.record({
        ...event,
        correlationId: c.get('correlationId'),
        clientIp: clientIpOf(c, trustedProxyHops),
      }),
    recordEvent: trail.record,
    allowedHosts: new Set(config.allowedHosts),
    mayStart: createRate('program', config.session.startsPerMinute, base.allow),
    clientIp: ({ socket, headers }: IncomingMessage) =>
      clientIp(socket.remoteAddress, headers['x-forwarded-for'], trustedProxyHops),
  });
}

/** The name of a server for whoever may use it. */
function titleOf(who: Identity, at: string, { routes, scopes }: Inventory): string | undefined {
  const server = at.slice(1);
  const may = decide(who, { server, method: 'initialize' }, scopes.grants()).allow;
  return may && routes.find(server) ? server : undefined;
}

/** More servers than anybody chooses from in a list. */
const mostPlaces = 500;

/** The servers that somebody may use. */
function placesOf(who: Identity, { routes, scopes }: Inventory): string[] {
  const grants = scopes.grants();
  return [...routes.all()]
    .filter(
      ({ enabled, name }) => enabled && decide(who, { server: name, method: 'initialize' }, grants).allow,
    )
    .map(({ name }) => `/${name}`)
    .sort()
    .slice(0, mostPlaces);
}
