import { knownProviders } from '../config/config-oidc.ts';
import { trust } from '../identity/bearer.ts';
import { findCutoff } from '../identity/cutoffs.ts';
import { createExchange } from '../identity/exchange.ts';
import { createFreshPeople } from '../identity/fresh-people.ts';
import { groupNames } from '../identity/groups/group-names.ts';
import { createCompleteGroups } from '../identity/groups/groups.ts';
import { createMemberships } from '../identity/groups/memberships.ts';
import { tokenIdentifier } from '../identity/identify.ts';
import type { Identity } from '../identity/identity.ts';
import { deriveKey } from '../identity/keys.ts';
import type { GroupsSeen } from '../identity/people.ts';
import { providersOf } from '../identity/providers/index.ts';
import { settleRealms } from '../identity/realms.ts';
import type { Owner } from '../identity/session-rows.ts';
import { createLogin } from '../identity/sessions/login.ts';
import { createSessions } from '../identity/sessions/sessions.ts';
import { outbound } from '../net/outbound.ts';
import { createKeys } from '../oauth/keys.ts';
import { identityOfIssuedToken } from '../oauth/verify.ts';
import type { NamedGroups } from '../provider/entra-graph.ts';
import { createOidcClients } from '../provider/oidc.ts';
import { refusingEmulators } from '../provider/provider.ts';
import type { FindRoute } from '../registry/servers/route.ts';
import type { Base } from './base.ts';
import type { Ending } from './ending.ts';

/** Who is calling: everything that knows it. */
export type IdentityParts = Awaited<ReturnType<typeof buildIdentity>>;

/** Builds the identity room: providers, tokens, sign-in, sessions, and the groups behind them. */
export async function buildIdentity({ db, feed, keys, config, log, now }: Base, ending: Ending) {
  // The operator names the provider's hosts, so they may be anywhere; servers are named by people with less trust.
  const wayToProvider = outbound({
    proxy: config.proxy,
    policy: { allowPrivate: true },
    headersMs: 10_000,
    totalMs: 20_000,
    maxBytes: 4 << 20,
  });
  ending.defer(() => wayToProvider.close());
  const toProvider = config.mode === 'production' ? refusingEmulators(wayToProvider) : wayToProvider;
  const names = groupNames(config.providers, knownProviders);
  const scopes: { groups: NamedGroups } = { groups: () => [] };
  const providers = providersOf(config, () => scopes.groups());
  for (const changed of await settleRealms(db, providers, new Date(now()).toISOString()))
    log.warn(
      changed,
      'a provider is another one than before: what was known of its people and applications is ended',
    );
  const trusted = providers.map((provider) => trust(provider, toProvider, now, names));
  const clients = createOidcClients(toProvider, now);
  const ages = { maxAge: config.groups.maxAgeSeconds * 1000, grace: config.groups.graceSeconds * 1000 };
  const memberships = createMemberships({ ...ages, clients, now, fetch: toProvider });
  const refreshKey = keys.of('refresh-token');
  // What groups grant is known only when there is a registry.
  const seen: { groups: GroupsSeen; token: (identity: Identity) => void } = {
    groups: () => undefined,
    token: () => undefined,
  };
  const groupsSeen: GroupsSeen = (person, before) => seen.groups(person, before);
  const freshPerson = createFreshPeople({
    ...{ ...ages, db, log, trusted, clients, memberships, now, groupsSeen },
    key: refreshKey,
    fetch: toProvider,
  });
  const personal = {
    ...{ db, now, freshPerson, settings: config.tokens },
    key: deriveKey(config.secretKey, 'personal-token'),
  };
  const completeGroups = createCompleteGroups({ db, memberships });
  const cutoffOf = (owner: Owner) => findCutoff(db, owner);
  const oauthKeys = createKeys({ db, now, key: keys.of('oauth-key') });
  const issuer = config.registryUrl;
  const servers: { find: FindRoute } = { find: () => undefined };
  const isReading = (server: string, tool: string): boolean => reads(servers.find, server, tool);
  const verify = { db, issuer, keys: oauthKeys, freshPerson, isReading, now };
  const issued = { issuer, identify: (token: string) => identityOfIssuedToken(verify, token) };
  const known = { trusted, personal, completeGroups, cutoffOf, issued };
  const tokens = tokenIdentifier({
    ...known,
    seen: (identity) => seen.token(identity),
    feed,
    memberships,
    now,
    graceMs: config.databaseGraceSeconds * 1000,
  });
  ending.defer(() => tokens.close());
  const login = createLogin({
    ...{ db, now, trusted, clients, memberships, fetch: toProvider },
    key: deriveKey(config.secretKey, 'login-attempt'),
  });
  const sessions = createSessions({ db, now, refreshKey, freshPerson, groupsSeen, limits: config.session });
  const handedIn = { servers, seen, scopes };
  const exchange = createExchange({ db, clients, providers, key: refreshKey });
  return {
    toProvider,
    exchange,
    trusted,
    personal,
    tokens,
    login,
    sessions,
    freshPerson,
    oauthKeys,
    verify,
    ...handedIn,
  };
}

/** Whether a tool only reads: the server says so. What stands for several servers decides each inner call by its own. */
function reads(find: FindRoute, server: string, tool: string): boolean {
  if (/^(virtual\/|airegistry-tools$)/.test(server)) return true;
  const described = find(server)?.tools.find(({ name }) => name === tool);
  return (described?.annotations as { readOnlyHint?: unknown } | undefined)?.readOnlyHint === true;
}
