import type { Db } from '../db/tables.ts';

/** Whose sessions: provider and stable id. */
export interface Owner {
  readonly provider: string;
  readonly subject: string;
}

/** How sessions end before their time: when, why in words for their owner, and what the next sign-in has to ask for. */
export interface Ending {
  readonly at: string;
  readonly because: string;
  readonly claims?: string | undefined;
}

/** Ends the living sessions of somebody; answers how many. They stay as rows, to say why, until they would have expired. */
export async function endSessionsOf(db: Db, owner: Owner, how: Ending): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('sessions')
    .set(endedOf(how))
    .where('provider', '=', owner.provider)
    .where('subject', '=', owner.subject)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', how.at)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Ends the sessions that belong to one browser session at the provider; answers how many. */
export async function endSessionsBySid(db: Db, provider: string, sid: string, how: Ending): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('sessions')
    .set(endedOf(how))
    .where('provider', '=', provider)
    .where('sid', '=', sid)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** What a row says once it has ended. */
export function endedOf({ at, because, claims }: Ending) {
  return { ended_at: at, ended_because: because, claims: claims ?? null };
}
