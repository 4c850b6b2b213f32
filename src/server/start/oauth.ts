import type { IncomingMessage } from 'node:http';
import { decide } from '../access/decide.ts';
import type { Trail } from '../audit/event.ts';
import { clientIp, clientIpOf } from '../http/client-ip.ts';
import type { HttpIdentity } from '../http/env.ts';
import type { Identity } from '../identity/identity.ts';
import { deriveKey } from '../identity/keys.ts';
import { outbound } from '../net/outbound.ts';
import { findClient, type StoredClient } from '../oauth/clients.ts';
import type { ConsentWorld } from '../oauth/consent.ts';
import { createDocuments, isDocumentUrl } from '../oauth/documents.ts';
import { oauthEndpoints, rebuilding } from '../oauth/handle.ts';
import { createProvider } from '../oauth/provider.ts';
import { livingClaims } from '../oauth/verify.ts';
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

/** Builds the authorization server for MCP clients: what programs talk to, and the consent page. */
export function buildOauth({ base, identity, inventory, trail, http }: Parts, ending: Ending) {
  const { db, config, log, now } = base;
  const { oauth, registryUrl: issuer, secretKey, trustedProxyHops } = config;
  const { freshPerson, oauthKeys, trusted } = identity;
  const secure = issuer.startsWith('https:');
  // Clients name these addresses, and anybody may be one: public ones only, little and soon.
  const fetch = outbound({
    ...{ proxy: config.proxy, policy: { allowPrivate: false } },
    ...{ headersMs: 5_000, totalMs: 5_000, maxBytes: 10 << 10 },
  });
  ending.defer(() => fetch.close());
  const documents = createDocuments({ db, fetch, now, log, mode: oauth.documents });
  const anyClient = async (id: string): Promise<StoredClient | undefined> =>
    isDocumentUrl(id) ? documents(id) : findClient(db, id, new Date(now()).toISOString());
  const usable = async (id: string): Promise<StoredClient | undefined> => {
    const client = await anyClient(id);
    return client?.status === 'blocked' ? undefined : client;
  };
  const build = async () => {
    const { privateJwks } = await oauthKeys.current();
    return createProvider(
      {
        ...{ db, issuer, now, freshPerson, fetch, findClient: usable },
        key: deriveKey(secretKey, 'oauth-artifact'),
        cookieKey: deriveKey(secretKey, 'oauth-consent').toString('base64url'),
        living: (token: string) => livingClaims(identity.verify, token),
        lifetimes: { accessSeconds: oauth.accessMinutes * 60, grantSeconds: oauth.grantDays * 86_400 },
      },
      privateJwks,
    );
  };
  const provider = rebuilding(oauthKeys.current, build);
  const consent: ConsentWorld = {
    ...{ db, issuer, now, provider, secure, findClient: anyClient },
    identifySession: (cookie) => http.identify({ cookie }),
    csrfKey: deriveKey(secretKey, 'oauth-consent'),
    days: oauth.grantDays,
    providers: trusted.map(({ provider: { name, displayName } }) => ({ name, displayName })),
    titleOf: (who, at) => titleOf(who, at, inventory),
    record: (event, c) =>
      trail.record({
        ...event,
        correlationId: c.get('correlationId'),
        clientIp: clientIpOf(c, trustedProxyHops),
      }),
  };
  const endpoints = oauthEndpoints({
    ...{ db, issuer, now, log, provider, secure },
    mode: oauth.registration,
    registration: oauth.registration !== 'off',
    documents: oauth.documents !== 'off',
    allowedHosts: new Set(config.allowedHosts),
    clientIp: ({ socket, headers }: IncomingMessage) =>
      clientIp(socket.remoteAddress, headers['x-forwarded-for'], trustedProxyHops),
  });
  return { consent, endpoints };
}

/** The name of a server for whoever may use it. */
function titleOf(who: Identity, at: string, { routes, scopes }: Inventory): string | undefined {
  const server = at.slice(1);
  const may = decide(who, { server, method: 'initialize' }, scopes.grants()).allow;
  return may && routes.find(server) ? server : undefined;
}
