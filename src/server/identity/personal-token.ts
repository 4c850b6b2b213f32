import { randomUUID } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Config } from '../config/config.ts';
import { lastUsesOf } from '../db/last-uses.ts';
import type { Db } from '../db/tables.ts';
import { Failure } from '../failure/errors.ts';
import { explained } from './bearer.ts';
import type { FreshPerson } from './fresh-people.ts';
import type { Identity } from './identity.ts';

/** What is needed to mint and verify personal tokens. */
export interface PersonalTokens {
  readonly db: Db;
  /** Derived from SECRET_KEY for this purpose alone. */
  readonly key: Uint8Array;
  readonly settings: Config['tokens'];
  /** The owner, with groups that are fresh enough. */
  readonly freshPerson: FreshPerson;
  readonly now: () => number;
}

/** What somebody asks for. */
export interface TokenRequest {
  readonly scopes: readonly string[];
  /** Whether it is for all of its owner's scopes, those that they get later too; `scopes` are those of now. */
  readonly isWhole?: boolean;
  readonly hours: number;
  readonly description: string;
}

/** A minted token: shown once, never stored. */
export interface MintedToken {
  readonly id: string;
  readonly token: string;
  readonly expiresAt: string;
  /** In seconds. */
  readonly lifetime: number;
}

/**
 * Mints a personal token (HS256 JWT) for `owner` and stores its id, so that it can be listed and revoked. One that is asked for
 * with a personal token ends with that one at the latest: whoever got hold of one could keep its access for ever.
 */
export async function mintToken(
  world: PersonalTokens,
  owner: Identity,
  asked: TokenRequest,
): Promise<MintedToken> {
  const issuedAt = Math.floor(world.now() / 1000);
  const end = owner.method === 'personal-token' ? Math.floor(owner.expiresAt / 1000) : Infinity;
  const expires = Math.min(issuedAt + asked.hours * 3600, end);
  const id = randomUUID();
  const token = await new SignJWT({
    preferred_username: owner.username,
    ...(owner.email ? { email: owner.email } : {}),
    groups: owner.groups,
    scope: asked.scopes.join(' '),
    token_use: 'access',
    token_kind: 'user',
    auth_method: 'oauth2',
    provider: owner.provider,
    description: asked.description,
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(world.settings.issuer)
    .setAudience(world.settings.audience)
    .setSubject(owner.username)
    .setJti(id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expires)
    .sign(world.key);
  const expiresAt = new Date(expires * 1000).toISOString();
  await world.db
    .insertInto('tokens')
    .values({
      id,
      provider: owner.provider,
      subject: owner.subject,
      username: owner.username,
      description: asked.description,
      scopes: JSON.stringify(asked.isWhole ? [wholeMark, ...asked.scopes] : asked.scopes),
      created_at: new Date(issuedAt * 1000).toISOString(),
      expires_at: expiresAt,
      last_used_at: null,
      revoked_at: null,
      revoked_by: null,
    })
    .execute();
  return { id, token, expiresAt, lifetime: expires - issuedAt };
}

/**
 * Turns a personal token into its owner's identity with the groups that the owner has now: the groups and scopes inside
 * the token are information for its holder, only the scopes asked for at minting limit it.
 */
export async function identityOfPersonalToken(world: PersonalTokens, token: string): Promise<Identity> {
  const claims = await verified(world, token);
  const id = claims.jti ?? '';
  const row = await world.db.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new Failure('credential_invalid', 'This token is not known here; create a new one.');
  if (row.revoked_at) throw new Failure('credential_revoked', `This token was revoked at ${row.revoked_at}.`);
  const person = await world.freshPerson(row.provider, row.subject);
  if (!person)
    throw new Failure('credential_revoked', "The token's owner is no longer known here; sign in again.");
  lastUsesOf(world.db).note('tokens', id, world.now(), { isFirst: row.last_used_at === null });
  return {
    ...person,
    kind: 'person',
    clientId: 'user-generated',
    method: 'personal-token',
    limitedTo: limitOf(row.scopes),
    credentialId: id,
    expiresAt: Date.parse(row.expires_at),
  };
}

/** Stands first among the scopes of a token that is not limited to them; no scope can be called so. */
const wholeMark = '*';

/** The scopes that a stored token is limited to; undefined when it has all of its owner's. */
function limitOf(stored: string): readonly string[] | undefined {
  const scopes = JSON.parse(stored) as string[];
  return scopes[0] === wholeMark ? undefined : scopes;
}

/** The scopes of a stored token, for people: those it is limited to, or those that its owner had when it was minted. */
export function scopesOfStored(stored: string): string[] {
  return (JSON.parse(stored) as string[]).filter((scope) => scope !== wholeMark);
}

async function verified(world: PersonalTokens, token: string): Promise<{ jti?: string }> {
  try {
    const { payload } = await jwtVerify(token, world.key, {
      algorithms: ['HS256'],
      issuer: world.settings.issuer,
      audience: world.settings.audience,
      requiredClaims: ['jti', 'exp', 'sub'],
      currentDate: new Date(world.now()),
    });
    if (payload.token_use !== 'access')
      throw new Failure('credential_invalid', 'This is not an access token.');
    return payload;
  } catch (error) {
    throw error instanceof Failure ? error : explained(error);
  }
}
