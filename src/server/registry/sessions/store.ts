import type { z } from 'zod';
import type { session } from '../../../contract/people/sessions.ts';
import { keyOf, recordChange } from '../../changes/record.ts';
import type { Db } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { endedOf, type Owner, type SessionEnding } from '../../identity/session-rows.ts';

/** A session as lists show it, before it is known who asks. */
type Listed = Omit<z.infer<typeof session>, 'is_current'>;

/** Living sessions of one owner (null: everybody's), newest first; `idleSince` is the time before which unused ones are over. */
export async function listSessions(
  db: Db,
  owner: Owner | null,
  at: string,
  idleSince: string,
): Promise<Listed[]> {
  let query = db
    .selectFrom('sessions')
    .innerJoin('people', (join) =>
      join
        .onRef('people.provider', '=', 'sessions.provider')
        .onRef('people.subject', '=', 'sessions.subject'),
    )
    .select([
      'sessions.id_hash as id',
      'sessions.provider as provider',
      'sessions.subject as subject',
      'people.username as username',
      'sessions.created_at as created_at',
      'sessions.last_seen_at as last_seen_at',
      'sessions.expires_at as expires_at',
      'sessions.user_agent as user_agent',
      'sessions.client_ip as client_ip',
    ])
    .where('sessions.ended_at', 'is', null)
    .where('sessions.expires_at', '>', at)
    .where('sessions.last_seen_at', '>=', idleSince)
    .orderBy('sessions.created_at', 'desc')
    .orderBy('sessions.id_hash')
    .limit(1000);
  if (owner)
    query = query
      .where('sessions.provider', '=', owner.provider)
      .where('sessions.subject', '=', owner.subject);
  return query.execute();
}

/** Ends one living session of `owner` (null: anybody's); answers whose it was, or undefined when there is no such session. */
export async function endSession(
  db: Db,
  id: string,
  owner: Owner | null,
  how: SessionEnding,
): Promise<Owner | undefined> {
  return inTransaction(db, async (trx) => {
    let query = trx
      .updateTable('sessions')
      .set(endedOf(how))
      .where('id_hash', '=', id)
      .where('ended_at', 'is', null)
      .where('expires_at', '>', how.at);
    if (owner) query = query.where('provider', '=', owner.provider).where('subject', '=', owner.subject);
    const ended = await query.returning(['provider', 'subject']).executeTakeFirst();
    if (!ended) return undefined;
    await recordChange(trx, 'session', id);
    await recordChange(trx, 'person', keyOf(ended.provider, ended.subject));
    return ended;
  });
}
