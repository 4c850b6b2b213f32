import { hash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, type JWTHeaderParameters, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Change, Feed } from '../changes/feed.ts';
import { type ChangeKind, partsOf } from '../changes/record.ts';
import { asFailure, Failure } from '../failure/errors.ts';
import { type BearerWorld, identityOfBearer, issuerOf, type TrustedProvider } from './bearer.ts';
import type { Memberships } from './groups/memberships.ts';
import { type CredentialHeaders, type Identify, type Identity, registryApi, type Who } from './identity.ts';
import { identityOfPersonalToken, type PersonalTokens } from './personal-token.ts';

/** What the cache holds at most, and how long a verdict is believed before the token is looked at anew. */
const cacheSize = 10_000;
const believedFor = 60_000;

/** Tells who calls by their token; verified tokens are cached until they expire, are revoked or change their groups. */
export interface TokenIdentifier {
  readonly identify: Identify;
  close(): void;
  /** Whether a token, by its unverified claims, is meant for the gateway or for Microsoft Graph: no server may get it. */
  isForGateway(token: string): boolean;
}

/** What telling who calls by a token needs. */
export interface TokenIdentifierWorld extends BearerWorld {
  readonly personal: PersonalTokens;
  /** Says when somebody, an application or a token is not what it was. */
  readonly feed: Pick<Feed, 'follow'>;
  /** Milliseconds for which a token that was verified before is believed while the database is away; none unless given. */
  readonly graceMs?: number;
  /** What it remembers of somebody is forgotten with what is remembered here. */
  readonly memberships: Pick<Memberships, 'forget'>;
  /** Our own authorization server: its issuer, and who an access token of it is. */
  readonly issued?: IssuedTokens | undefined;
}

/** The access tokens of our own authorization server, as this room sees them. */
export interface IssuedTokens {
  readonly issuer: string;
  /** Throws the Failure that says why not. */
  identify(token: string): Promise<Identity>;
}

/** A header that carries a token, taken apart. */
interface SentToken {
  readonly value: string | string[] | undefined;
  readonly token: string;
  /** Its SHA-256: the cache holds no tokens. */
  readonly key: string;
}

interface Cached {
  readonly who: Who & { is: 'identity' };
  readonly until: number;
}

/** Changes after which somebody may be somebody else, or nobody. */
export const identityChanges: readonly ChangeKind[] = [
  ...(['person', 'token', 'm2m_client', 'oauth_grant', 'oauth_client'] as const),
];

/** Identifies by `X-Authorization` (preferred) or `Authorization`, `Bearer` only. */
export function tokenIdentifier(world: TokenIdentifierWorld): TokenIdentifier {
  const { personal, issued, feed, memberships, now, graceMs = 0 } = world;
  const cache = new LRUCache<string, Cached>({ max: cacheSize });
  const generations = { count: 0 };
  // What each connection sent last, read. Only the reading is remembered: what it is worth is asked each time.
  const lastSent = new WeakMap<object, SentToken>();

  const readIn = (headers: CredentialHeaders, connection: object | undefined): SentToken | Failure => {
    const value = headers['x-authorization'] ?? headers.authorization;
    const last = connection && lastSent.get(connection);
    if (last && last.value === value) return last;
    const token = tokenIn(value);
    if (token instanceof Failure) return token;
    const sent = { value, token, key: hash('sha256', token, 'base64') };
    if (connection) lastSent.set(connection, sent);
    return sent;
  };

  const identityOf = (token: string): Promise<Identity> => {
    const issuer = issuerOf(token);
    if (issuer === personal.settings.issuer) return identityOfPersonalToken(personal, token);
    if (issuer === issued?.issuer) return issued.identify(token);
    return identityOfBearer(token, world);
  };

  const look = async (token: string, key: string): Promise<Who> => {
    const generation = generations.count;
    try {
      const identity = await identityOf(token);
      const who = { is: 'identity', identity } as const;
      // Something was forgotten while this was looked up: it may be this one, so it is not kept.
      if (generation === generations.count)
        cache.set(key, { who, until: Math.min(identity.expiresAt, now() + believedFor) });
      return who;
    } catch (error) {
      const failure = asFailure(error);
      const known = cache.get(key);
      if (failure.code === 'database_unavailable' && known && now() < known.until + graceMs)
        if (now() < known.who.identity.expiresAt) return known.who;
      return { is: failure.status >= 500 ? 'unknown' : 'nobody', failure };
    }
  };

  const close = feed.follow(identityChanges, (change) => {
    generations.count += 1;
    if (change.key === null) memberships.forget();
    else if (change.kind === 'person') memberships.forget(personIn(change.key));
    for (const [key, { who }] of cache.entries()) if (isAbout(change, who.identity)) cache.delete(key);
  });
  return {
    close,
    identify(headers, at, connection) {
      const sent = readIn(headers, connection);
      if (sent instanceof Failure) return { is: 'nobody', failure: sent };
      const { token, key } = sent;
      const cached = cache.get(key);
      if (cached && now() < cached.until) return within(cached.who, at);
      return look(token, key).then((who) => within(who, at));
    },
    isForGateway: (token) => isForGateway(token, [personal.settings.issuer, issued?.issuer], world.trusted),
  };
}

/** Whether a change concerns an identity, which then has to be found out anew. */
export function isAbout({ kind, key }: Change, known: Identity): boolean {
  const { provider, subject, clientId, credentialId, method } = known;
  if (key === null) return true;
  if (kind === 'token' || kind === 'session') return credentialId === key;
  if (kind === 'oauth_grant') return method === 'oauth' && credentialId === key;
  if (kind === 'oauth_client') return method === 'oauth' && clientId === key;
  const [where, who] = partsOf(key);
  return where === provider && who === (kind === 'person' ? subject : clientId?.toLowerCase());
}

function personIn(key: string): { provider: string; subject: string } {
  const [provider = '', subject = ''] = partsOf(key);
  return { provider, subject };
}

/** The same, unless the token is bound to another part of the gateway (audience confusion; RFC 8707, section 2). */
function within(who: Who, at: string | undefined): Who {
  const bound = who.is === 'identity' ? who.identity.bound : undefined;
  if (!bound) return who;
  const fits =
    at === registryApi
      ? bound.at === '/' && bound.scopes.includes('registry')
      : at !== undefined && (bound.at === '/' || bound.at === at);
  if (fits) return who;
  const message = `This token is for ${bound.audience} and for nothing else; sign in for what you want to use.`;
  return { is: 'nobody', failure: new Failure('credential_invalid', message) };
}

const graphAudiences = new Set(['00000003-0000-0000-c000-000000000000', 'https://graph.microsoft.com']);

function isForGateway(
  token: string,
  issuers: readonly (string | undefined)[],
  trusted: readonly TrustedProvider[],
): boolean {
  try {
    const claims = decodeJwt(token);
    const audiences = [claims.aud ?? []].flat().map(String);
    if (
      (claims.iss !== undefined && issuers.includes(claims.iss)) ||
      audiences.some((one) => graphAudiences.has(one.replace(/\/$/, '')))
    )
      return true;
    const ids = trusted.flatMap(({ provider: { clientId } }) => [clientId, `api://${clientId}`]);
    return audiences.some((one) => ids.includes(one)) || trusted.some((one) => isTakenBy(one, token, claims));
  } catch {
    return false;
  }
}

/** Whether a provider would take these claims, once verified, for a token of this gateway. */
function isTakenBy({ provider }: TrustedProvider, token: string, claims: JWTPayload): boolean {
  try {
    return provider.bearer?.(claims, decodeProtectedHeader(token) as JWTHeaderParameters) !== undefined;
  } catch {
    return false;
  }
}

/** Whether the request carries a token of its own (and not just a cookie). */
export function carriesToken(headers: CredentialHeaders): boolean {
  return headers['x-authorization'] !== undefined || headers.authorization !== undefined;
}

function tokenIn(value: string | string[] | undefined): string | Failure {
  if (value === undefined || value === '')
    return new Failure(
      'credential_missing',
      "Send a token in the header 'Authorization: Bearer <token>', or sign in.",
    );
  const token = typeof value === 'string' ? /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(value)?.[1] : undefined;
  return token ?? new Failure('credential_invalid', "The header must read 'Authorization: Bearer <token>'.");
}
