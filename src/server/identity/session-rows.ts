import { changing, keyOf, recordChange } from '../changes/record.ts';
import type { Db } from '../db/tables.ts';
import { inTransaction } from '../db/transaction.ts';

/** Whose sessions: provider and stable id. */
export interface Owner {
  readonly provider: string;
  readonly subject: string;
}

/** How sessions end before their time: when, why in words for their owner, and what the next sign-in has to ask for. */
export interface SessionEnding {
  readonly at: string;
  readonly because: string;
  readonly claims?: string | undefined;
}

/** Ends the living sessions of somebody; answers how many. They stay as rows, to say why, until they would have expired. */
export async function endSessionsOf(db: Db, owner: Owner, how: SessionEnding): Promise<number> {
  return inTransaction(db, async (trx) => {
    const ended = await trx
      .updateTable('sessions')
      .set(endedOf(how))
      .where('provider', '=', owner.provider)
      .where('subject', '=', owner.subject)
      .where('ended_at', 'is', null)
      .where('expires_at', '>', how.at)
      .returning('id_hash')
      .execute();
    await recordChange(trx, 'session', ...hashesOf(ended));
    await recordChange(trx, 'person', keyOf(owner.provider, owner.subject));
    return ended.length;
  });
}

/** Ends the sessions that belong to one browser session at the provider; answers how many. */
export async function endSessionsBySid(
  db: Db,
  provider: string,
  sid: string,
  how: SessionEnding,
): Promise<number> {
  const ended = await changing(
    db,
    'session',
    (trx) =>
      trx
        .updateTable('sessions')
        .set(endedOf(how))
        .where('provider', '=', provider)
        .where('sid', '=', sid)
        .where('ended_at', 'is', null)
        .returning('id_hash')
        .execute(),
    hashesOf,
  );
  return ended.length;
}

function hashesOf(rows: readonly { readonly id_hash: string }[]): string[] {
  return rows.map(({ id_hash }) => id_hash);
}

/** What a row says once it has ended. */
export function endedOf({ at, because, claims }: SessionEnding) {
  return { ended_at: at, ended_because: because, claims: claims ?? null };
}
