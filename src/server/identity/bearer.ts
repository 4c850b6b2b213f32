import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { Failure } from '../errors.ts';
import type { Fetch } from '../outbound.ts';
import type { CompleteGroups } from './groups.ts';
import type { Identity } from './identity.ts';
import { Issuer } from './issuer.ts';
import type { Provider } from './provider.ts';

/** Seconds that clocks may differ (RFC 7519, section 4.1.4 allows "a few minutes"). */
const clockTolerance = 60;

/** A provider with its issuers, ready to verify tokens. */
export interface TrustedProvider {
  readonly provider: Provider;
  readonly issuers: readonly Issuer[];
}

/** Prepares a provider; nothing is fetched until the first token. */
export function trust(provider: Provider, send: Fetch, now: () => number): TrustedProvider {
  return { provider, issuers: provider.discoveryUrls.map((url) => new Issuer(url, send, now)) };
}

/** The unverified `iss` of a JWT, to choose who verifies it; throws `credential_invalid` when it is no JWT. */
export function issuerOf(token: string): string {
  try {
    return decodeJwt(token).iss ?? '';
  } catch {
    throw new Failure('credential_invalid', 'The token is not a JWT.');
  }
}

/** Verifies a provider's JWT: signature, issuer, time; the claims are then the provider's to judge. */
export async function verifyProviderToken(
  token: string,
  trusted: readonly TrustedProvider[],
  now: () => number,
): Promise<{ claims: JWTPayload; provider: Provider }> {
  const issuer = issuerOf(token);
  const candidates = trusted.flatMap(({ provider, issuers }) => issuers.map((one) => ({ provider, one })));
  const found = await issuedBy(issuer, candidates);
  const { kid, alg } = headerOf(token);
  if (alg !== 'RS256' || typeof kid !== 'string')
    throw new Failure('credential_invalid', 'The token must be signed with RS256 and name its key (kid).');
  const key = await found.one.key(kid);
  if (!key)
    throw new Failure(
      'credential_invalid',
      'The token is signed with a key that its issuer does not publish.',
    );
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['RS256'],
      issuer,
      clockTolerance,
      requiredClaims: ['exp', 'aud', 'sub'],
      currentDate: new Date(now()),
    });
    return { claims: payload, provider: found.provider };
  } catch (error) {
    throw explained(error);
  }
}

/** Turns a provider's access token into an identity; throws the Failure that says why not. */
export async function identityOfBearer(
  token: string,
  trusted: readonly TrustedProvider[],
  completeGroups: CompleteGroups,
  now: () => number,
): Promise<Identity> {
  const { claims, provider } = await verifyProviderToken(token, trusted, now);
  const bearer = provider.bearer(claims);
  const groups = await completeGroups(provider, bearer);
  return {
    kind: bearer.kind,
    provider: provider.name,
    subject: bearer.subject,
    username: bearer.username,
    name: bearer.name,
    email: bearer.email,
    clientId: bearer.clientId,
    groups,
    method: 'bearer',
    credentialId: typeof claims.uti === 'string' ? claims.uti : null,
    expiresAt: ((claims.exp ?? 0) + clockTolerance) * 1000,
  };
}

/** What jose found, in our words: expired is told apart from wrong. */
export function explained(error: unknown): Failure {
  if (error instanceof errors.JWTExpired)
    return new Failure('credential_expired', 'The token has expired; get a new one.', { cause: error });
  const claim = error instanceof errors.JWTClaimValidationFailed ? ` (claim '${error.claim}')` : '';
  return new Failure('credential_invalid', `The token cannot be verified${claim}.`, { cause: error });
}

/** The candidate of exactly that name; one that cannot be asked is in the way only when no other one matches. */
async function issuedBy<C extends { readonly one: Issuer }>(
  issuer: string,
  candidates: readonly C[],
): Promise<C> {
  const asked = await Promise.allSettled(candidates.map(({ one }) => one.name()));
  const names = asked.map((answer) => (answer.status === 'fulfilled' ? answer.value : undefined));
  const found = issuer === '' ? undefined : candidates[names.indexOf(issuer)];
  if (found) return found;
  for (const answer of asked) if (answer.status === 'rejected') throw answer.reason;
  const expected = names.join(', ');
  throw new Failure('credential_invalid', `Invalid issuer: ${shown(issuer)}. Expected one of: ${expected}.`);
}

function headerOf(token: string): { kid?: unknown; alg?: unknown } {
  try {
    return decodeProtectedHeader(token);
  } catch {
    throw new Failure('credential_invalid', 'The token is not a signed JWT.');
  }
}

/** An issuer as a message may repeat it: it comes from an unverified token. */
function shown(issuer: string): string {
  return issuer === '' ? '(none)' : issuer.replace(/[^\x21-\x7e]/g, '?').slice(0, 200);
}
