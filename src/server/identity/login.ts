import * as oidc from 'openid-client';
import type { Db, LoginAttemptsTable } from '../db/tables.ts';
import { Failure } from '../errors.ts';
import type { Fetch } from '../outbound.ts';
import { type TrustedProvider, verifyProviderToken } from './bearer.ts';
import { hashOf, newSecret, sameSecret, seal, unseal } from './keys.ts';
import type { Person, Provider } from './provider.ts';

/** How long somebody may take at the provider, in milliseconds. */
export const attemptLasts = 600_000;
/** Attempts kept at most; beyond that the oldest go, so that nobody can fill the database without an account. */
const attemptsKept = 10_000;

/** What signing in needs. */
export interface LoginWorld {
  readonly db: Db;
  /** Encrypts nonce and verifier while the person is at the provider. */
  readonly key: Buffer;
  readonly trusted: readonly TrustedProvider[];
  readonly fetch: Fetch;
  readonly now: () => number;
}

/** A sign-in that has begun: where to send the browser, and the cookie that ties the attempt to it. */
export interface Begun {
  readonly url: URL;
  readonly cookieName: string;
  readonly cookieValue: string;
}

/** A sign-in that has succeeded. */
export interface SignedIn {
  readonly provider: Provider;
  readonly person: Person;
  /** The names of the claims that came, for the log. */
  readonly claimNames: readonly string[];
  readonly returnTo: string;
  readonly cookieName: string;
}

/** Signs people in at the configured providers by the authorization code flow with PKCE (RFC 7636) and a nonce. */
export function createLogin(world: LoginWorld) {
  const configurations = new Map<string, Promise<oidc.Configuration>>();

  const configurationOf = (provider: Provider): Promise<oidc.Configuration> => {
    const known = configurations.get(provider.name);
    if (known) return known;
    const fresh = discover(provider, world.fetch);
    configurations.set(provider.name, fresh);
    // A failed discovery is not remembered: the next attempt tries again.
    fresh.catch(() => configurations.delete(provider.name));
    return fresh;
  };

  const trustedOf = (name: string): TrustedProvider => {
    const found = world.trusted.find(({ provider }) => provider.name === name);
    if (!found) throw new Failure('not_found', `There is no sign-in with '${name.slice(0, 50)}' here.`);
    return found;
  };

  return {
    /** Starts an attempt; `returnTo` is a path of ours. */
    async begin(name: string, returnTo: string): Promise<Begun> {
      const { provider } = trustedOf(name);
      const configuration = await configurationOf(provider);
      const [state, nonce, verifier, browser] = [
        newSecret(),
        newSecret(),
        oidc.randomPKCECodeVerifier(),
        newSecret(),
      ];
      await storeAttempt(world, {
        state_hash: hashOf(state),
        provider: provider.name,
        browser_hash: hashOf(browser),
        secrets_sealed: seal(world.key, JSON.stringify({ nonce, verifier })),
        redirect_uri: provider.redirectUri,
        return_to: returnTo,
        expires_at: new Date(world.now() + attemptLasts).toISOString(),
      });
      const url = oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: provider.redirectUri,
        scope: provider.scope,
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      return { url, cookieName: attemptCookie(state), cookieValue: browser };
    },

    /** Finishes an attempt with the query that the provider sent back; each attempt can be finished once. */
    async complete(query: URLSearchParams, cookies: ReadonlyMap<string, string>): Promise<SignedIn> {
      const state = query.get('state') ?? '';
      const attempt = await takeAttempt(world, state);
      const cookieName = attemptCookie(state);
      if (!attempt || !sameSecret(hashOf(cookies.get(cookieName) ?? ''), attempt.browser_hash))
        throw new Failure(
          'sign_in_state',
          'This sign-in was not started in this browser, or it was used or took too long.',
        );
      const trusted = trustedOf(attempt.provider);
      const { nonce, verifier } = JSON.parse(unseal(world.key, attempt.secrets_sealed)) as Record<
        string,
        string
      >;
      // The exact redirect URI of the attempt, whatever host this request came in by.
      const current = new URL(attempt.redirect_uri);
      current.search = query.toString();
      const configuration = await configurationOf(trusted.provider);
      const answer = await exchange(configuration, current, {
        state,
        nonce: nonce ?? '',
        verifier: verifier ?? '',
      });
      const { claims } = await verifyProviderToken(answer.id_token ?? '', [trusted], world.now);
      return {
        provider: trusted.provider,
        person: trusted.provider.person(claims),
        claimNames: Object.keys(claims),
        returnTo: attempt.return_to,
        cookieName,
      };
    },

    /**
     * Where to send the browser so that the provider ends its session too; undefined when it has no such page. It comes
     * back to the redirect URI without parameters: the one address that is registered anyway.
     */
    async logoutUrl(name: string, hint: string | null): Promise<URL | undefined> {
      const { provider } = trustedOf(name);
      const configuration = await configurationOf(provider);
      if (!configuration.serverMetadata().end_session_endpoint) return undefined;
      return oidc.buildEndSessionUrl(configuration, {
        post_logout_redirect_uri: provider.redirectUri,
        ...(hint ? { logout_hint: hint } : {}),
      });
    },
  };
}

/** What `createLogin` makes. */
export type Login = ReturnType<typeof createLogin>;

/** One cookie an attempt, so that sign-ins in several tabs do not disturb each other. */
function attemptCookie(state: string): string {
  return `mcp_gateway_login_${hashOf(state).slice(0, 12)}`;
}

async function discover(provider: Provider, send: Fetch): Promise<oidc.Configuration> {
  const url = new URL(provider.discoveryUrls[0] ?? '');
  try {
    return await oidc.discovery(
      url,
      provider.clientId,
      undefined,
      oidc.ClientSecretPost(provider.clientSecret),
      {
        [oidc.customFetch]: send as oidc.CustomFetch,
        // Plain http only ever reaches the emulator on this machine: production settings refuse such a login host.
        execute: url.protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
      },
    );
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    if (cause instanceof Failure) throw cause;
    throw new Failure(
      'identity_unavailable',
      `${provider.displayName} cannot be reached right now; try again soon.`,
      {
        cause: error,
      },
    );
  }
}

async function exchange(
  configuration: oidc.Configuration,
  current: URL,
  secrets: { state: string; nonce: string; verifier: string },
): Promise<oidc.TokenEndpointResponse> {
  try {
    return await oidc.authorizationCodeGrant(configuration, current, {
      expectedState: secrets.state,
      expectedNonce: secrets.nonce,
      pkceCodeVerifier: secrets.verifier,
      idTokenExpected: true,
    });
  } catch (error) {
    const said = error instanceof oidc.ResponseBodyError || error instanceof oidc.AuthorizationResponseError;
    throw new Failure(
      'sign_in_refused',
      said ? (error.error_description ?? error.error) : 'The sign-in failed.',
      {
        cause: error,
      },
    );
  }
}

async function storeAttempt(world: LoginWorld, row: LoginAttemptsTable): Promise<void> {
  const { db } = world;
  await db
    .deleteFrom('login_attempts')
    .where('expires_at', '<=', new Date(world.now()).toISOString())
    .execute();
  const { count } = await db
    .selectFrom('login_attempts')
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(count) >= attemptsKept) {
    const oldest = db.selectFrom('login_attempts').select('state_hash').orderBy('expires_at').limit(100);
    await db.deleteFrom('login_attempts').where('state_hash', 'in', oldest).execute();
  }
  await db.insertInto('login_attempts').values(row).execute();
}

/** Deletes and returns the attempt in one statement, so that two callbacks can never both have it. */
async function takeAttempt(world: LoginWorld, state: string) {
  const attempt = await world.db
    .deleteFrom('login_attempts')
    .where('state_hash', '=', hashOf(state))
    .returningAll()
    .executeTakeFirst();
  return attempt && attempt.expires_at > new Date(world.now()).toISOString() ? attempt : undefined;
}
