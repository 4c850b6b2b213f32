import * as oidc from 'openid-client';
import type { Db } from '../../db/tables.ts';
import { Failure } from '../../failure/errors.ts';
import type { Fetch } from '../../net/outbound.ts';
import { type OidcClients, outageIn, providerErrorOf } from '../../provider/oidc.ts';
import { clientOf, type Person, type Provider } from '../../provider/provider.ts';
import { SignInAgain } from '../../provider/sign-in-again.ts';
import type { TrustedProvider } from '../bearer.ts';
import type { Memberships } from '../groups/memberships.ts';
import { newSecret } from '../keys.ts';
import { readPerson } from '../read-person.ts';
import {
  type Attempt,
  attemptCookie,
  attemptLasts,
  type KeptFault,
  openAttempt,
  openFault,
  sealAttempt,
  sealFault,
  spendState,
} from './login-attempts.ts';

/** Characters of a sign-out hint that still fit into an address. */
const longestHint = 1500;
/** Characters of a path to return to that still fit into the attempt's cookie (4096 bytes, RFC 6265, section 6.1). */
const longestReturn = 1000;

/** What signing in needs. */
export interface LoginWorld {
  readonly db: Db;
  /** Encrypts attempts while the person is at the provider. */
  readonly key: Buffer;
  readonly trusted: readonly TrustedProvider[];
  readonly clients: OidcClients;
  /** The way to the provider's group API. */
  readonly fetch: Fetch;
  /** Groups by tokens of the gateway's own, for people whose tokens may not ask. */
  readonly memberships: Pick<Memberships, 'fresh'>;
  readonly now: () => number;
}

/** A sign-in that has begun: where to send the browser, and the cookie that holds the attempt. */
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
      const [state, nonce, verifier] = [newSecret(), newSecret(), oidc.randomPKCECodeVerifier()];
      const attempt: Attempt = {
        ...{ provider: provider.name, redirectUri, nonce, verifier },
        returnTo: returnTo.length > longestReturn ? '/' : returnTo,
        isForClaims: claims !== undefined,
        until: world.now() + attemptLasts,
      };
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
      return { url, cookieName: attemptCookie(state), cookieValue: sealAttempt(world.key, state, attempt) };
    },

    /**
     * Finishes an attempt at the address that the browser was sent back to, by whichever `host` it came; each attempt can
     * be finished once, by its own browser, at the callback of the provider that it was started with.
     */
    async complete(
      callback: URL,
      cookies: ReadonlyMap<string, string>,
      host: string | undefined = callback.host,
    ): Promise<SignedIn> {
      const state = callback.searchParams.get('state') ?? '';
      const cookieName = attemptCookie(state);
      const attempt = openAttempt(world.key, state, cookies.get(cookieName));
      // Before its own browser is known nothing is changed: a stranger's link cannot use an attempt up.
      if (!attempt || attempt.until <= world.now()) throw notStarted();
      if (!(await spendState(world.db, state, attempt))) throw notStarted();
      const trusted = trustedOf(attempt.provider);
      requireOwnCallback(trusted.provider, attempt, callback.pathname, host);
      // The exact redirect URI of the attempt, whatever host this request came in by.
      const current = new URL(attempt.redirectUri);
      current.search = callback.search;
      const { returnTo } = attempt;
      const { person, refreshToken, claimNames } = await redeem(world, trusted, current, {
        ...attempt,
        state,
      }).catch((error: unknown) => {
        throw onceAgain(error, attempt, { provider: attempt.provider, returnTo });
      });
      return { provider: trusted.provider, person, refreshToken, claimNames, returnTo, cookieName };
    },

    /** A failure as its browser keeps it, and back; undefined for what is none of that correlation id. */
    keepFault: (correlationId: string, fault: KeptFault) => sealFault(world.key, correlationId, fault),
    faultIn: (correlationId: string, kept: string | undefined) => openFault(world.key, correlationId, kept),

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

function notStarted(): Failure {
  return new Failure(
    'sign_in_state',
    'This sign-in was not started in this browser, was already used, or took too long.',
  );
}

/**
 * Mix-up defence (RFC 9700, section 4.4): an answer that comes in at another provider's address is about somebody whom
 * that provider knows, and its code must never reach the token endpoint of the provider that this attempt was started with.
 * A proxy may have taken a prefix off the path.
 */
function requireOwnCallback(
  provider: Provider,
  { redirectUri }: Attempt,
  path: string,
  host: string | undefined,
): void {
  const isOwn =
    redirectUri === redirectUriFor(provider, host) && new URL(redirectUri).pathname.endsWith(path);
  if (isOwn) return;
  throw new Failure(
    'sign_in_state',
    `The response arrived at another address than the one where this sign-in with ${provider.displayName} was started for; sign in again.`,
  );
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
  secrets: Attempt & { state: string },
): Promise<Pick<SignedIn, 'person' | 'refreshToken' | 'claimNames'>> {
  const configuration = await world.clients(clientOf(trusted.provider));
  requireOwnIssuer(current.searchParams.getAll('iss'), configuration.serverMetadata());
  const answer = await exchange(configuration, current, secrets);
  const { person, claimNames } = await readPerson(world, trusted, answer);
  return { person, claimNames, refreshToken: answer.refresh_token ?? null };
}

/** RFC 9207: the issuer that an answer names is this one, to the letter; where it is announced it must be there. */
function requireOwnIssuer(given: readonly string[], server: oidc.ServerMetadata): void {
  const isAnnounced = server.authorization_response_iss_parameter_supported === true;
  if (given.length === 0 && !isAnnounced) return;
  if (given.length === 1 && given[0] === server.issuer) return;
  throw new Failure(
    'sign_in_refused',
    'The response is not from the identity provider that this sign-in was started with (iss); sign in again.',
  );
}

/** A claims challenge leads to one more sign-in; when its claims were asked for already, the person is told instead. */
function onceAgain(error: unknown, { isForClaims }: Attempt, next: SignInAgain['next']): unknown {
  if (!(error instanceof SignInAgain)) return error;
  if (error.claims && !isForClaims) return new SignInAgain(error.claims, error.cause, next);
  const said = providerErrorOf(error.cause)?.description ?? error.message;
  return new Failure('sign_in_refused', said, { cause: error.cause });
}

async function exchange(
  configuration: oidc.Configuration,
  current: URL,
  secrets: Attempt & { state: string },
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
