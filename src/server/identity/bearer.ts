import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTHeaderParameters,
  type JWTPayload,
  jwtVerify,
} from 'jose';
import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import { Issuer } from '../provider/issuer.ts';
import type { Bearer, Provider } from '../provider/provider.ts';
import { typedClaims } from './claims.ts';
import { type Cutoff, requireStillCounts } from './cutoffs.ts';
import { groupNames } from './groups/group-names.ts';
import type { CompleteGroups } from './groups/groups.ts';
import type { Identity } from './identity.ts';
import type { Owner } from './session-rows.ts';

/** Seconds that clocks may differ (RFC 7519, section 4.1.4 allows "a few minutes"). */
const clockTolerance = 60;

/** A provider with its issuers, ready to verify tokens. */
export interface TrustedProvider {
  readonly provider: Provider;
  readonly issuers: readonly Issuer[];
  /** The provider's groups as scopes map them. */
  readonly groupsOf: (groups: readonly string[]) => readonly string[];
}

/** Prepares a provider; nothing is fetched until the first token. */
export function trust(
  provider: Provider,
  send: Fetch,
  now: () => number,
  names = groupNames([provider.name], []),
): TrustedProvider {
  const { algorithms, issuer: name, hasOwnKeys, clientId } = provider;
  const appId = hasOwnKeys ? clientId : undefined;
  return {
    provider,
    issuers: provider.discoveryUrls.map((url) => new Issuer(url, send, now, { name, algorithms, appId })),
    groupsOf: (groups) => names.qualify(provider.name, groups),
  };
}

/** The unverified `iss` of a JWT, to choose who verifies it; throws `credential_invalid` when it is no JWT. */
export function issuerOf(token: string): string {
  return claimsIn(token).iss ?? '';
}

/** What a JWT says, unverified. */
function claimsIn(token: string): JWTPayload {
  try {
    return typedClaims(decodeJwt(token));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(
      'credential_invalid',
      'The token is not a JWT. An opaque access token cannot be verified here: ask the identity provider for one whose audience is this gateway.',
    );
  }
}

/** A token whose signature, issuer and time are right, and who vouches for it. */
export interface VerifiedToken {
  readonly claims: JWTPayload;
  readonly header: JWTHeaderParameters;
  readonly by: TrustedProvider;
}

/** Verifies a provider's JWT: signature, issuer, time; the claims are then the provider's to judge. */
export async function verifyProviderToken(
  token: string,
  trusted: readonly TrustedProvider[],
  now: () => number,
): Promise<VerifiedToken> {
  const issuer = issuerOf(token);
  const candidates = trusted.flatMap((by) => by.issuers.map((one) => ({ by, one })));
  const explain = (otherwise: string): Failure => unverifiable(token, trusted, otherwise);
  const { by, one } = await issuedBy(issuer, candidates, explain);
  const { kid, alg } = headerOf(token);
  const { algorithms } = one.rules;
  if (!algorithms.some((known) => known === alg) || typeof kid !== 'string')
    throw new Failure(
      'credential_invalid',
      `The token must be signed with ${algorithms.join(' or ')} and name its key (kid).`,
    );
  const found = await one.key(kid);
  if (!found) throw explain('The token is signed with a key that its issuer does not publish.');
  try {
    const { payload, protectedHeader } = await jwtVerify(token, found.key, {
      algorithms: [found.algorithm],
      issuer,
      clockTolerance,
      // Not every provider's access tokens have an audience: the provider's own rules ask for what there must be.
      requiredClaims: ['exp', 'sub'],
      currentDate: new Date(now()),
    });
    return { claims: typedClaims(payload), header: protectedHeader as JWTHeaderParameters, by };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const failure = explained(error);
    throw error instanceof errors.JWSSignatureVerificationFailed ? explain(failure.message) : failure;
  }
}

/** What verifying providers' access tokens needs. */
export interface BearerWorld {
  readonly trusted: readonly TrustedProvider[];
  readonly completeGroups: CompleteGroups;
  /** What is known of somebody that their tokens do not say. */
  readonly cutoffOf: (owner: Owner) => Promise<Cutoff | undefined>;
  /** Told who somebody is by a provider's token, each time that one is verified. */
  readonly seen?: (identity: Identity) => void;
  readonly now: () => number;
}

/** Turns a provider's access token into an identity; throws the Failure that says why not. */
export async function identityOfBearer(token: string, world: BearerWorld): Promise<Identity> {
  const { trusted, completeGroups, cutoffOf, now } = world;
  const { claims, header, by } = await verifyProviderToken(token, trusted, now);
  const { provider } = by;
  if (!provider.bearer)
    throw unverifiable(
      token,
      [by],
      `${provider.displayName} issues no access tokens for this gateway. Sign in and make a personal token.`,
    );
  const bearer = provider.bearer(claims, header);
  const cutoff = await cutoffOf({ provider: provider.name, subject: bearer.subject });
  const believed = requireStillCounts(cutoff, claims.iat) ? bearer : withoutItsGroups(provider, bearer);
  const groups = by.groupsOf(await completeGroups(provider, believed));
  const identity: Identity = {
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
  world.seen?.(identity);
  return identity;
}

/** The groups have to come from the provider itself, or with a new token; app roles are not ours to change, and stay. */
function withoutItsGroups({ groupApi }: Provider, bearer: Bearer): Bearer {
  if (!groupApi)
    throw new Failure(
      'credential_expired',
      'Your groups were changed after this token was issued; get a new one.',
    );
  const roles = bearer.groups.filter((group) => group.startsWith('role:'));
  return { ...bearer, groups: roles, groupsComplete: false };
}

/** What jose found, in our words: expired is told apart from wrong. */
export function explained(error: unknown): Failure {
  if (error instanceof errors.JWTExpired)
    return new Failure('credential_expired', 'The token has expired; get a new one.', { cause: error });
  if (error instanceof errors.JWTClaimValidationFailed && error.reason === 'check_failed') {
    const from = { nbf: 'it is not valid yet', iat: 'it was issued in the future' }[error.claim];
    if (from)
      return new Failure(
        'credential_invalid',
        `The token cannot be verified: by the clock of the gateway ${from} (claim '${error.claim}'). One of the two clocks is wrong: synchronize that of the gateway (NTP), or of the issuer of the token.`,
        { cause: error },
      );
  }
  const claim = error instanceof errors.JWTClaimValidationFailed ? ` (claim '${error.claim}')` : '';
  return new Failure('credential_invalid', `The token cannot be verified${claim}.`, { cause: error });
}

/** The candidate of exactly that name; one that cannot be asked is in the way only when no other one matches. */
async function issuedBy<C extends { readonly one: Issuer }>(
  issuer: string,
  candidates: readonly C[],
  explain: (otherwise: string) => Failure,
): Promise<C> {
  // Names that the settings give need no question, so no other provider's outage is in the way of them.
  const known = issuer === '' ? undefined : candidates.find(({ one }) => one.rules.name === issuer);
  if (known) return known;
  const asked = await Promise.allSettled(candidates.map(({ one }) => one.name()));
  const names = asked.map((answer) => (answer.status === 'fulfilled' ? answer.value : undefined));
  const found = issuer === '' ? undefined : candidates[names.indexOf(issuer)];
  if (found) return found;
  for (const answer of asked) if (answer.status === 'rejected') throw answer.reason;
  const expected = names.join(', ');
  throw explain(`Invalid issuer: ${shown(issuer)}. Expected one of: ${expected}.`);
}

/** The failure for a token that nobody can verify; a provider may know better why that is. */
function unverifiable(token: string, trusted: readonly TrustedProvider[], otherwise: string): Failure {
  const claims = claimsIn(token);
  const said = trusted.map(({ provider }) => provider.unverifiable?.(claims)).find(Boolean);
  return new Failure('credential_invalid', said ?? otherwise);
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
