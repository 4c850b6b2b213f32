import type { Db } from '../db/tables.ts';
import type { Identity } from './identity.ts';
import { hashOf, newSecret } from './keys.ts';
import { findPerson, rememberPerson } from './people.ts';
import type { Person } from './provider.ts';

/** A session that was just opened; `id` goes into the cookie and nowhere else. */
export interface NewSession {
  readonly id: string;
  readonly hash: string;
}

/** How often `last_seen_at` is written at most, in milliseconds. */
const seenEvery = 60_000;

/** Opens a browser session; only the hash of its id is stored. */
export async function openSession(
  db: Db,
  provider: string,
  person: Person,
  now: number,
  maxAgeSeconds: number,
): Promise<NewSession> {
  const id = newSecret();
  const hash = hashOf(id);
  const at = new Date(now).toISOString();
  await db.deleteFrom('sessions').where('expires_at', '<=', at).execute();
  await db
    .insertInto('sessions')
    .values({
      id_hash: hash,
      provider,
      subject: person.subject,
      logout_hint: person.logoutHint,
      created_at: at,
      last_seen_at: at,
      expires_at: new Date(now + maxAgeSeconds * 1000).toISOString(),
    })
    .execute();
  return { id, hash };
}

/** The identity behind a session cookie, with the person's groups as last read; undefined when there is no such session. */
export async function resumeSession(db: Db, id: string, now: number): Promise<Identity | undefined> {
  const hash = hashOf(id);
  const row = await db.selectFrom('sessions').selectAll().where('id_hash', '=', hash).executeTakeFirst();
  if (!row || row.expires_at <= new Date(now).toISOString()) return undefined;
  const person = await findPerson(db, row.provider, row.subject);
  if (!person) return undefined;
  if (now - Date.parse(row.last_seen_at) > seenEvery) {
    const seen = { last_seen_at: new Date(now).toISOString() };
    await db.updateTable('sessions').set(seen).where('id_hash', '=', hash).execute();
  }
  return {
    ...person,
    kind: 'person',
    clientId: null,
    method: 'session',
    credentialId: hash,
    expiresAt: Date.parse(row.expires_at),
  };
}

/** Ends a session; answers its provider and sign-out hint, or undefined when it was gone already. */
export async function endSession(
  db: Db,
  hash: string,
): Promise<{ provider: string; logoutHint: string | null } | undefined> {
  const row = await db
    .deleteFrom('sessions')
    .where('id_hash', '=', hash)
    .returning(['provider', 'logout_hint'])
    .executeTakeFirst();
  return row && { provider: row.provider, logoutHint: row.logout_hint };
}

/** Sessions of one gateway, as the pages of sign-in and sign-out use them. */
export interface Sessions {
  /** Remembers what the provider said of the person and opens a session; answers the cookie's value. */
  open(provider: string, person: Person): Promise<string>;
  resume(id: string): Promise<Identity | undefined>;
  end(hash: string): ReturnType<typeof endSession>;
}

/** Binds the sessions to a database, a clock and a lifetime. */
export function sessionsOf(db: Db, now: () => number, maxAgeSeconds: number): Sessions {
  return {
    async open(provider, person) {
      await rememberPerson(db, provider, person, new Date(now()).toISOString());
      return (await openSession(db, provider, person, now(), maxAgeSeconds)).id;
    },
    resume: (id) => resumeSession(db, id, now()),
    end: (hash) => endSession(db, hash),
  };
}
