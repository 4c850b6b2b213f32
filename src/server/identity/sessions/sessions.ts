import { changing } from '../../changes/record.ts';
import { lastUsesOf } from '../../db/last-uses.ts';
import type { Db, SessionsTable } from '../../db/tables.ts';
import { Failure } from '../../failure/errors.ts';
import type { Person } from '../../provider/provider.ts';
import { welcomeBack } from '../cutoffs.ts';
import type { FreshPerson } from '../fresh-people.ts';
import type { Identity } from '../identity.ts';
import { hashOf, newSecret, type SealingKeys, seal, unseal } from '../keys.ts';
import { dropUnusedRefreshTokens, findPerson, type GroupsSeen, rememberPerson } from '../people.ts';
import { endSessionsBySid } from '../session-rows.ts';

/** Keeps sealed hints from being opened as anything else. */
export const hintHolder = 'logout-hint';

/** Characters that are kept of what a browser calls itself. */
const longestUserAgent = 300;

/** What sessions need. */
export interface SessionsWorld {
  readonly db: Db;
  /** Encrypts refresh tokens and sign-out hints. */
  readonly refreshKey: Buffer | SealingKeys;
  readonly freshPerson: FreshPerson;
  /** Told at each sign-in. */
  readonly groupsSeen?: GroupsSeen;
  readonly now: () => number;
  /** After how many seconds a session ends in any case, and without a request. */
  readonly limits: { readonly maxAgeSeconds: number; readonly idleSeconds: number };
}

/** Where a session is opened from: the browser as it names itself, and its address. */
export interface OpenedFrom {
  readonly userAgent: string | null;
  readonly clientIp: string | null;
}

/** Sessions of one gateway, as the pages of sign-in and sign-out use them. */
export interface BrowserSessions {
  /** Remembers what the provider said of the person and opens a session; answers the cookie's value. */
  open(provider: string, person: Person, refreshToken: string | null, from?: OpenedFrom): Promise<string>;
  /** Who a cookie's value is; undefined for an unknown one, a Failure that says why for one that has ended. */
  resume(id: string): Promise<Identity | undefined>;
  /** Ends a session by its hash; answers its provider and sign-out hint, or undefined when it was gone already. */
  end(hash: string): Promise<{ provider: string; logoutHint: string | null } | undefined>;
  /** Ends the sessions of one browser session at the provider (front-channel logout); answers how many. */
  endBySid(provider: string, sid: string): Promise<number>;
  /** What the next sign-in at that provider has to ask for, by the cookie of the session that ended for it. */
  claimsOf(provider: string, id: string): Promise<string | undefined>;
}

/** Binds the sessions to a database, a clock and limits. */
export function createSessions(world: SessionsWorld): BrowserSessions {
  const { db } = world;
  const at = (): string => new Date(world.now()).toISOString();
  return {
    async open(provider, person, refreshToken, from) {
      const sealed = refreshToken ? seal(world.refreshKey, refreshToken) : null;
      const before = await findPerson(db, provider, person.subject);
      await rememberPerson(db, provider, person, at(), sealed);
      world.groupsSeen?.({ ...person, provider }, before?.known.groups ?? []);
      await welcomeBack(db, { provider, subject: person.subject });
      return openSession(world, provider, person, from);
    },
    resume: (id) => resumeSession(world, id),
    async end(hash) {
      const row = await changing(
        db,
        'session',
        (trx) =>
          trx
            .deleteFrom('sessions')
            .where('id_hash', '=', hash)
            .returning(['provider', 'subject', 'logout_hint'])
            .executeTakeFirst(),
        () => [hash],
      );
      if (row) await dropUnusedRefreshTokens(db, at(), row);
      return row && { provider: row.provider, logoutHint: opened(row.logout_hint, world.refreshKey) };
    },
    endBySid: (provider, sid) =>
      endSessionsBySid(db, provider, sid, {
        at: at(),
        because: 'You signed out at the identity provider.',
      }),
    async claimsOf(provider, id) {
      const row = await findSession(db, hashOf(id));
      return row?.provider === provider && row.ended_at ? (row.claims ?? undefined) : undefined;
    },
  };
}

/** A hint that cannot be opened any more (another SECRET_KEY) is done without. */
function opened(sealed: string | null, key: Buffer | SealingKeys): string | null {
  try {
    return sealed && unseal(key, sealed, hintHolder);
  } catch {
    return null;
  }
}

function requireGoingOn(row: { ended_at: string | null; ended_because: string | null } | undefined): void {
  if (row?.ended_at) throw new Failure('credential_revoked', row.ended_because ?? 'Your session was ended.');
}

/** Only the hash of the id is stored. */
async function openSession(
  { db, now, limits, refreshKey }: SessionsWorld,
  provider: string,
  person: Person,
  from: OpenedFrom = { userAgent: null, clientIp: null },
): Promise<string> {
  const id = newSecret();
  const at = new Date(now()).toISOString();
  await db
    .insertInto('sessions')
    .values({
      id_hash: hashOf(id),
      provider,
      subject: person.subject,
      // It may be a whole ID token: personal data that only the sign-out needs.
      logout_hint: person.logoutHint && seal(refreshKey, person.logoutHint, hintHolder),
      created_at: at,
      last_seen_at: at,
      expires_at: new Date(now() + limits.maxAgeSeconds * 1000).toISOString(),
      sid: person.sid,
      ended_at: null,
      ended_because: null,
      claims: null,
      user_agent: from.userAgent?.slice(0, longestUserAgent) ?? null,
      client_ip: from.clientIp,
    })
    .execute();
  return id;
}

async function resumeSession(world: SessionsWorld, id: string): Promise<Identity | undefined> {
  const { db, now, limits } = world;
  const hash = hashOf(id);
  const row = await findSession(db, hash);
  if (!row || row.expires_at <= new Date(now()).toISOString()) return undefined;
  requireGoingOn(row);
  const uses = lastUsesOf(db);
  const seen = Math.max(Date.parse(row.last_seen_at), uses.noted('sessions', hash) ?? 0);
  if (now() - seen > limits.idleSeconds * 1000)
    throw new Failure(
      'credential_expired',
      'Your session has ended, because it was not used; sign in again.',
    );
  const person = await world.freshPerson(row.provider, row.subject);
  if (!person) return undefined;
  // Reading the person may have ended the sessions and left the person as they are.
  requireGoingOn(await findSession(db, hash));
  uses.note('sessions', hash, now());
  return {
    ...person,
    kind: 'person',
    clientId: null,
    method: 'session',
    credentialId: hash,
    expiresAt: Date.parse(row.expires_at),
  };
}

function findSession(db: Db, hash: string): Promise<SessionsTable | undefined> {
  return db.selectFrom('sessions').selectAll().where('id_hash', '=', hash).executeTakeFirst();
}
