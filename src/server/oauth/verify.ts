import { decodeProtectedHeader, jwtVerify } from 'jose';
import type { Db } from '../db/tables.ts';
import { Failure } from '../failure/errors.ts';
import { explained } from '../identity/bearer.ts';
import type { FreshPerson } from '../identity/fresh-people.ts';
import type { Bound, Identity } from '../identity/identity.ts';
import { findClient, grantTypes, namesOf, type StoredClient } from './clients/clients.ts';
import { findGrant, touchGrant } from './grants.ts';
import type { Keys } from './keys.ts';
import { mcpScopes, resourceOf } from './resources.ts';

/** What our own access tokens are verified with. */
export interface VerifyWorld {
  readonly db: Db;
  readonly issuer: string;
  readonly keys: Keys;
  readonly freshPerson: FreshPerson;
  /** Whether a server's tool only reads, as far as the server says. */
  readonly isReading: (server: string, tool: string) => boolean;
  readonly now: () => number;
}

/** What an access token of ours says, once its signature and time are right. */
export interface IssuedClaims {
  readonly sub: string;
  readonly aud: string;
  readonly client_id: string;
  readonly scope?: string;
  readonly exp: number;
  readonly iat: number;
  readonly jti: string;
  /** The grant that it came of; absent where no person is behind it. */
  readonly gid?: string;
}

/** Verifies an access token of ours (RFC 9068); throws the Failure that says what is wrong with it. */
async function verifyIssuedToken(
  { issuer, keys, now }: Pick<VerifyWorld, 'issuer' | 'keys' | 'now'>,
  token: string,
): Promise<IssuedClaims> {
  const { kid } = decodeProtectedHeader(token);
  const key = kid === undefined ? undefined : await keys.publicKey(kid);
  if (!key)
    throw new Failure(
      'credential_invalid',
      'The token is signed with a key that is not ours; sign in again.',
    );
  try {
    const { payload } = await jwtVerify(token, key, {
      issuer,
      algorithms: ['ES256'],
      typ: 'at+jwt',
      requiredClaims: ['sub', 'aud', 'client_id', 'exp', 'jti'],
      currentDate: new Date(now()),
    });
    return payload as unknown as IssuedClaims;
  } catch (error) {
    throw explained(error);
  }
}

/** Turns an access token of ours into the identity of whoever granted it, within what was granted. */
export async function identityOfIssuedToken(world: VerifyWorld, token: string): Promise<Identity> {
  const { db, now } = world;
  const claims = await verifyIssuedToken(world, token);
  const resource = resourceOf(claims.aud, world.issuer);
  if (!resource) throw new Failure('credential_invalid', 'The token is not for this gateway; sign in again.');
  const at = new Date(now()).toISOString();
  const client = await findClient(db, claims.client_id, at);
  if (!client || client.status === 'blocked' || client.status === 'pending')
    throw new Failure('credential_revoked', 'The program that this token was issued to is not allowed here.');
  const scopes = (claims.scope ?? mcpScopes.join(' ')).split(' ');
  const limits = {
    clientId: claims.client_id,
    clientNames: namesOf(client),
    method: 'oauth' as const,
    ...(scopes.includes('mcp:call') ? {} : { onlyReading: world.isReading }),
    bound: { at: resource.at, audience: resource.audience, scopes },
    expiresAt: claims.exp * 1000,
  };
  if (claims.gid === undefined) return { ...limits, ...agentOf(client, claims) };
  const grant = await findGrant(db, claims.gid);
  if (!grant) throw new Failure('credential_invalid', 'The grant of this token is not known; sign in again.');
  if (grant.revoked_at)
    throw new Failure(
      'credential_revoked',
      `This access was ended at ${grant.revoked_at}. ${grant.revoked_because} Sign in again.`,
    );
  // One that ended before this came of it could not take it along.
  const parent = grant.parent_id === null ? undefined : await findGrant(db, grant.parent_id);
  if (parent?.revoked_at)
    throw new Failure(
      'credential_revoked',
      `The sign-in behind this access was ended at ${parent.revoked_at}.`,
    );
  const person = await world.freshPerson(grant.provider, grant.subject);
  if (!person)
    throw new Failure('credential_revoked', "The token's owner is no longer known here; sign in again.");
  touchGrant(db, grant, now());
  const actors = JSON.parse(grant.actors) as string[];
  const narrowed = grant.only_at === null ? {} : { bound: within(limits.bound, grant.only_at, world.issuer) };
  return {
    ...{ ...person, ...limits, ...narrowed, kind: 'person', credentialId: grant.id },
    ...(actors.length > 0 ? { actors } : {}),
  };
}

/** A token for everything that the person narrowed to one endpoint. */
function within(bound: Bound, onlyAt: string, issuer: string): Bound {
  return { ...bound, at: onlyAt, audience: `${issuer}${onlyAt}/mcp` };
}

/** A client that acts for itself: its groups are what an administrator gave it. */
function agentOf(client: StoredClient, { sub }: IssuedClaims) {
  if (sub !== client.id || !client.metadata.grant_types.includes(grantTypes.clientCredentials))
    throw new Failure('credential_revoked', 'This program is no longer allowed to act for itself.');
  return {
    ...{
      kind: 'agent' as const,
      provider: 'gateway',
      subject: client.id,
      username: client.alias ?? client.id,
    },
    ...{ name: client.name, email: null, groups: client.groups, credentialId: null },
  };
}

/** What an access token says while it lives; undefined when it is over, revoked or not ours. */
export async function livingClaims(world: VerifyWorld, token: string): Promise<IssuedClaims | undefined> {
  try {
    await identityOfIssuedToken(world, token);
    return await verifyIssuedToken(world, token);
  } catch (error) {
    if (error instanceof Failure && error.status < 500) return undefined;
    throw error;
  }
}
