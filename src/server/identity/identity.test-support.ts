import { submitSignIn } from '../../../test/sign-in.ts';
import { type Emulator, shippedTenant } from '../../entra-emulator/main.ts';
import { followed } from '../changes/feed.test-support.ts';
import type { Feed } from '../changes/feed.ts';
import type { EntraConfig } from '../config/config.ts';
import { knownProviders } from '../config/config-oidc.ts';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import type { NamedGroups } from '../provider/entra-graph.ts';
import { createOidcClients } from '../provider/oidc.ts';
import type { Provider } from '../provider/provider.ts';
import { type TrustedProvider, trust } from './bearer.ts';
import { findCutoff } from './cutoffs.ts';
import { createFreshPeople } from './fresh-people.ts';
import { groupNames } from './groups/group-names.ts';
import { type CompleteGroups, createCompleteGroups } from './groups/groups.ts';
import { createMemberships, type Memberships } from './groups/memberships.ts';
import { type TokenIdentifier, tokenIdentifier } from './identify.ts';
import type { Who } from './identity.ts';
import { deriveKey } from './keys.ts';
import type { GroupsSeen } from './people.ts';
import { mintToken, type PersonalTokens } from './personal-token.ts';
import { entra } from './providers/entra.ts';
import type { Owner } from './session-rows.ts';
import { createLogin, type Login, type SignedIn } from './sessions/login.ts';
import { type BrowserSessions, createSessions } from './sessions/sessions.ts';

/** How old groups may get in these tests, and how long they are believed beyond that, in milliseconds. */
export const ages = { maxAge: 600_000, grace: 3_600_000 };

/** The limits of sessions, in seconds. */
export const limits = { maxAgeSeconds: 28_800, idleSeconds: 7200 };

/** The identity room over some providers; every request that goes out is noted. */
export interface IdentityRoom {
  readonly database: OpenDatabase;
  readonly feed: Feed;
  readonly trusted: readonly TrustedProvider[];
  readonly memberships: Memberships;
  readonly completeGroups: CompleteGroups;
  readonly personal: PersonalTokens;
  readonly tokens: TokenIdentifier;
  readonly login: Login;
  /** `METHOD path` of what went to the provider. */
  readonly sent: string[];
  readonly logged: string[];
  /** What was told of groups: those of before, and now. */
  readonly seen: [before: readonly string[], now: readonly string[]][];
  readonly now: () => number;
  readonly sessions: BrowserSessions;
  /** Mints a personal token in a session. */
  mint(session: string): Promise<string>;
  /** Who a bearer token is. */
  ask(token: string): Promise<Who>;
}

/** Builds it, with the providers' ways out and clock. */
export async function identityRoom(
  providers: readonly Provider[],
  way: Fetch,
  now: () => number,
): Promise<IdentityRoom> {
  const sent: string[] = [];
  const logged: string[] = [];
  const seen: IdentityRoom['seen'] = [];
  const groupsSeen: GroupsSeen = (person, before) => void seen.push([before, person.groups]);
  const send: Fetch = (url, init) => {
    sent.push(`${init?.method ?? 'GET'} ${new URL(url).pathname}`);
    return way(url, init);
  };
  const database = await openMemory();
  const { db } = database;
  const names = groupNames(
    providers.map(({ name }) => name),
    knownProviders,
  );
  const trusted = providers.map((provider) => trust(provider, send, now, names));
  const clients = createOidcClients(send, now);
  const memberships = createMemberships({ ...ages, clients, fetch: send, now });
  const completeGroups = createCompleteGroups({ db, memberships });
  const refreshKey = deriveKey('a'.repeat(40), 'refresh-token');
  const log = { warn: (_: object, text: string): void => void logged.push(text) };
  const freshPerson = createFreshPeople({
    ...{ ...ages, db, key: refreshKey, trusted, clients, memberships, fetch: send, now, log, groupsSeen },
  });
  const sessions = createSessions({ db, refreshKey, freshPerson, groupsSeen, now, limits });
  const personal: PersonalTokens = {
    ...{ db, now, freshPerson },
    key: deriveKey('a'.repeat(40), 'personal-token'),
    settings: {
      issuer: 'mcp-auth-server',
      audience: 'mcp-registry',
      defaultHours: 8,
      maxHours: 24,
      perHour: 9,
    },
  };
  const cutoffOf = (owner: Owner) => findCutoff(db, owner);
  const feed = await followed(database);
  const known = { trusted, personal, completeGroups, cutoffOf };
  const tokens = tokenIdentifier({ ...known, feed, memberships, now });
  const key = deriveKey('a'.repeat(40), 'login-attempt');
  const login = createLogin({ db, key, trusted, clients, memberships, fetch: send, now });
  return {
    ...{
      database,
      feed,
      trusted,
      memberships,
      completeGroups,
      personal,
      tokens,
      login,
      sessions,
      sent,
      logged,
      seen,
      now,
    },
    async mint(session) {
      const owner = await sessions.resume(session);
      if (!owner) throw new Error('no session');
      return (await mintToken(personal, owner, { scopes: ['all'], hours: 24, description: '' })).token;
    },
    ask: async (token) => tokens.identify({ authorization: `Bearer ${token}` }),
  };
}

/** The identity room over an emulator, with the emulator's clock. */
export interface IdentityWorld extends IdentityRoom {
  /** Signs in and opens a session; answers the cookie's value. */
  open(account: { userPrincipalName: string }): Promise<string>;
  /** Signs in as a browser would; `claims` as a claims challenge asks. */
  signIn(account: { userPrincipalName: string }, claims?: string): Promise<SignedIn>;
}

/** Builds it. */
export async function identityWorld(
  emulator: Emulator,
  more: Partial<EntraConfig> = {},
  named?: NamedGroups,
): Promise<IdentityWorld> {
  const provider = entra({ ...entraConfig(emulator), ...more }, named);
  const way: Fetch = (url, init) => fetch(url, { ...init, redirect: 'manual' });
  const room = await identityRoom([provider], way, emulator.clock.now);
  const signIn: IdentityWorld['signIn'] = async ({ userPrincipalName }, claims) => {
    const begun = await room.login.begin('entra', '/', { claims });
    const callback = await submitSignIn(begun.url, userPrincipalName);
    return room.login.complete(callback, new Map([[begun.cookieName, begun.cookieValue]]));
  };
  return {
    ...room,
    signIn,
    async open(account) {
      const { provider, person, refreshToken } = await signIn(account);
      return room.sessions.open(provider.name, person, refreshToken);
    },
  };
}

/** The settings that sign in at an emulator. */
export function entraConfig(emulator: Emulator): EntraConfig {
  return {
    tenantId: emulator.tenantId,
    clientId: emulator.clientId,
    clientSecret: emulator.clientSecret,
    redirectUri: 'http://localhost:8080/oauth2/callback/entra',
    loginBaseUrl: emulator.origin,
    graphBaseUrl: emulator.graphOrigin,
    applicationIdUri: shippedTenant.appIdUri,
    groupAdminId: null,
    groupUsersId: null,
  };
}

/** The code of the Failure that `work` ends with. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((caught: unknown) => caught);
  return error instanceof Failure ? error.code : `no failure: ${JSON.stringify(error)}`;
}

/** `identity`, or the code of why not. */
export function codeOf(who: Who): string {
  return who.is === 'identity' ? 'identity' : who.failure.code;
}

/** The groups of whoever it is; undefined for nobody. */
export function groupsOf(who: Who): readonly string[] | undefined {
  return who.is === 'identity' ? who.identity.groups : undefined;
}
