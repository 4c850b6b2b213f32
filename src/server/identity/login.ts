import * as oidc from 'openid-client';
import type { Db } from '../db/tables.ts';
import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import { type OidcClients, outageIn, providerErrorOf } from '../provider/oidc.ts';
import { clientOf, type Person, type Provider } from '../provider/provider.ts';
import { SignInAgain } from '../provider/sign-in-again.ts';
import type { TrustedProvider } from './bearer.ts';
import { hashOf, newSecret, sameSecret, seal, unseal } from './keys.ts';
import { storeAttempt, takeAttempt } from './login-attempts.ts';
import { readPerson } from './read-person.ts';

/** Characters of a sign-out hint that still fit into an address. */
const longestHint = 1500;

/** What signing in needs. */
export interface LoginWorld {
  readonly db: Db;
  /** Encrypts nonce and verifier while the person is at the provider. */
  readonly key: Buffer;
  readonly trusted: readonly TrustedProvider[];
  readonly clients: OidcClients;
  /** The way to the provider's group API. */
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
  /** With all groups. */
  readonly person: Person;
  /** With which the groups are read anew; null when the provider gave none. */
  readonly refreshToken: string | null;
  /** The names of the claims that came, for the log. */
  readonly claimNames: readonly string[];
  readonly returnTo: string;
  readonly cookieName: string;
}

/** Signs people in at the configured providers by the authorization code flow with PKCE (RFC 7636) and a nonce. */
export function createLogin(world: LoginWorld) {
  const trustedOf = (name: string): TrustedProvider => {
    const found = world.trusted.find(({ provider }) => provider.name === name);
    if (!found) throw new Failure('not_found', `There is no sign-in with '${name.slice(0, 50)}' here.`);
    return found;
  };

  return {
    /** Whether there is a provider of that name. */
    knows: (name: string): boolean => world.trusted.some(({ provider }) => provider.name === name),

    /**
     * Starts an attempt; `returnTo` is a path of ours, `claims` what a claims challenge wants asked for, `host` by which
     * host name the person comes.
     */
    async begin(
      name: string,
      returnTo: string,
      { claims, host }: { claims?: string | undefined; host?: string | undefined } = {},
    ): Promise<Begun> {
      const { provider } = trustedOf(name);
      const redirectUri = redirectUriFor(provider, host);
      const configuration = await world.clients(clientOf(provider));
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
        secrets_sealed: seal(world.key, JSON.stringify({ nonce, verifier, ...(claims ? { claims } : {}) })),
        redirect_uri: redirectUri,
        return_to: returnTo,
      });
      const url = oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        ...provider.authorizationParameters,
        scope: scopeFor(provider, configuration.serverMetadata()),
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(claims ? { claims } : {}),
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
      const secrets = JSON.parse(unseal(world.key, attempt.secrets_sealed)) as Secrets;
      // The exact redirect URI of the attempt, whatever host this request came in by.
      const current = new URL(attempt.redirect_uri);
      current.search = query.toString();
      const { person, refreshToken, claimNames } = await redeem(world, trusted, current, {
        ...secrets,
        state,
      }).catch((error: unknown) => {
        throw onceAgain(error, secrets, { provider: attempt.provider, returnTo: attempt.return_to });
      });
      const { return_to: returnTo } = attempt;
      return { provider: trusted.provider, person, refreshToken, claimNames, returnTo, cookieName };
    },

    /**
     * Where to send the browser so that the provider ends its session too; undefined when it has no such page. It comes
     * back to the redirect URI without parameters: the one address that is registered anyway.
     */
    async logoutUrl(name: string, hint: string | null, host?: string): Promise<URL | undefined> {
      const { provider } = trustedOf(name);
      const configuration = await world.clients(clientOf(provider));
      const server = configuration.serverMetadata();
      const returnTo = redirectUriFor(provider, host);
      const own = provider.logoutUrl?.(server, returnTo);
      if (own) return own;
      if (!server.end_session_endpoint) return undefined;
      // A longer address is refused on the way; without the hint the provider asks the person, which is no harm.
      const fits = hint !== null && hint.length <= longestHint;
      return oidc.buildEndSessionUrl(configuration, {
        post_logout_redirect_uri: returnTo,
        ...(fits ? { [provider.wantsIdTokenAtLogout ? 'id_token_hint' : 'logout_hint']: hint } : {}),
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

interface Secrets {
  readonly nonce: string;
  readonly verifier: string;
  /** The claims that this attempt asked for. */
  readonly claims?: string;
}

function redirectUriFor({ redirectUris }: Provider, host: string | undefined): string {
  return redirectUris.find((uri) => new URL(uri).host === host) ?? redirectUris[0] ?? '';
}

/** Refresh tokens are asked for where the provider knows the scope: some refuse what they do not know. */
function scopeFor({ scope }: Provider, { scopes_supported: known }: oidc.ServerMetadata): string {
  if (!known || known.includes('offline_access')) return scope;
  return scope
    .split(' ')
    .filter((one) => one !== 'offline_access')
    .join(' ');
}

async function redeem(
  world: LoginWorld,
  trusted: TrustedProvider,
  current: URL,
  secrets: Secrets & { state: string },
): Promise<Pick<SignedIn, 'person' | 'refreshToken' | 'claimNames'>> {
  const configuration = await world.clients(clientOf(trusted.provider));
  const answer = await exchange(configuration, current, secrets);
  const { person, claimNames } = await readPerson(world, trusted, answer);
  return { person, claimNames, refreshToken: answer.refresh_token ?? null };
}

/** A claims challenge leads to one more sign-in; when its claims were asked for already, the person is told instead. */
function onceAgain(error: unknown, { claims }: Secrets, next: SignInAgain['next']): unknown {
  if (!(error instanceof SignInAgain)) return error;
  if (error.claims && !claims) return new SignInAgain(error.claims, error.cause, next);
  const said = providerErrorOf(error.cause)?.description ?? error.message;
  return new Failure('sign_in_refused', said, { cause: error.cause });
}

async function exchange(
  configuration: oidc.Configuration,
  current: URL,
  secrets: Secrets & { state: string },
): Promise<oidc.TokenEndpointResponse> {
  try {
    return await oidc.authorizationCodeGrant(configuration, current, {
      expectedState: secrets.state,
      expectedNonce: secrets.nonce,
      pkceCodeVerifier: secrets.verifier,
      idTokenExpected: true,
    });
  } catch (error) {
    const outage = outageIn(error);
    if (outage) throw outage;
    const said = providerErrorOf(error);
    if (said?.claims) throw new SignInAgain(said.claims, error);
    throw new Failure('sign_in_refused', said?.description ?? 'The sign-in failed.', { cause: error });
  }
}
