import type { Selectable } from 'kysely';
import type { RequestStatus } from '../../../contract/people/access-requests.ts';
import { keyOf, recordChange } from '../../changes/record.ts';
import type { AccessRequestsTable, Db } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';

/** A request as it is stored. */
export type RequestRow = Selectable<AccessRequestsTable>;

/** The scope that a granted request is: the person holds it, and nobody else can. */
export const scopeOfRequest = (id: string): string => `access-request:${id}`;

/** The request that a scope comes of; undefined for every other scope. */
export function requestOfScope(scope: string): string | undefined {
  const [kind, id] = scope.split(':');
  return kind === 'access-request' && id !== undefined ? id : undefined;
}

/** What a decision writes. */
type Decision = Partial<Omit<RequestRow, 'id' | 'open_key'>> & { readonly status: RequestStatus };

/** Stores a new request; undefined when one of this person for this path waits already. */
export function insertRequest(
  db: Db,
  row: Pick<RequestRow, 'id' | 'provider' | 'subject' | 'username' | 'path' | 'reason' | 'created_at'>,
): Promise<RequestRow | undefined> {
  return db
    .insertInto('access_requests')
    .values({ ...row, status: 'pending', open_key: keyOf(row.provider, row.subject, row.path) })
    .onConflict((conflict) => conflict.column('open_key').doNothing())
    .returningAll()
    .executeTakeFirst();
}

/** The request of that id; undefined when there is none. */
export function findRequest(db: Db, id: string): Promise<RequestRow | undefined> {
  return db.selectFrom('access_requests').selectAll().where('id', '=', id).executeTakeFirst();
}

/**
 * Moves a request from one state to another; undefined when it is not in that state (any more), so that of two deciders
 * one decides. What is granted or ended is a change of the scopes.
 */
export function decideRequest(
  db: Db,
  id: string,
  from: RequestStatus,
  decision: Decision,
): Promise<RequestRow | undefined> {
  return inTransaction(db, async (trx) => {
    const row = await trx
      .updateTable('access_requests')
      .set({ ...decision, open_key: null })
      .where('id', '=', id)
      .where('status', '=', from)
      .returningAll()
      .executeTakeFirst();
    if (row && (from === 'granted' || decision.status === 'granted'))
      await recordChange(trx, 'scope', scopeOfRequest(id));
    return row;
  });
}

/** Ends what was granted on the server at `path`, which is removed: who registers another one there owes nobody anything. */
export async function endGrantsOn(db: Db, path: string, at: string): Promise<void> {
  const ended = await db
    .updateTable('access_requests')
    .set({ status: 'ended', ended_at: at, ended_by: 'the removal of the server' })
    .where('path', '=', path)
    .where('status', '=', 'granted')
    .returning('id')
    .execute();
  await recordChange(db, 'scope', ...ended.map(({ id }) => scopeOfRequest(id)));
}

/** Ends what is over by its time; each is returned once, whichever process asks. */
export function endOverdue(db: Db, now: string): Promise<RequestRow[]> {
  return inTransaction(db, async (trx) => {
    const ended = await trx
      .updateTable('access_requests')
      .set((e) => ({ status: 'ended', ended_at: e.ref('ends_at'), ended_by: 'its time' }))
      .where('status', '=', 'granted')
      .where('ends_at', '<=', now)
      .returningAll()
      .execute();
    await recordChange(trx, 'scope', ...ended.map(({ id }) => scopeOfRequest(id)));
    return ended;
  });
}

/** Whose requests: provider and stable id. */
interface Person {
  readonly provider: string;
  readonly subject: string;
}

/** Which requests a list has: those of a person, and those of others for these servers. */
interface Listed {
  readonly mine: Person | undefined;
  /** Paths of servers, or all. */
  readonly others: 'all' | readonly string[];
  /** Whose requests are left out. */
  readonly but: Person | undefined;
  readonly status?: RequestStatus | undefined;
  readonly path?: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

/** A page of requests, the newest first, with how many there are. */
export async function listRequests(db: Db, asked: Listed): Promise<{ rows: RequestRow[]; total: number }> {
  const { mine, others, but, status, path } = asked;
  if (!mine && others !== 'all' && others.length === 0) return { rows: [], total: 0 };
  const found = db
    .selectFrom('access_requests')
    .where((e) =>
      others === 'all'
        ? e.lit(true)
        : e.or([
            ...(mine ? [e.and({ provider: mine.provider, subject: mine.subject })] : []),
            ...(others.length > 0 ? [e('path', 'in', others)] : []),
          ]),
    )
    .$if(but !== undefined, (q) =>
      q.where((e) => e.not(e.and({ provider: but?.provider ?? '', subject: but?.subject ?? '' }))),
    )
    .$if(status !== undefined, (q) => q.where('status', '=', status ?? ''))
    .$if(path !== undefined, (q) => q.where('path', '=', path ?? ''));
  const rows = await found
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(asked.limit)
    .offset(asked.offset)
    .execute();
  const { total } = await found.select((e) => e.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  return { rows, total: Number(total) };
}

/** How many requests of a person wait, and how many were made since that time. */
export async function countRequests(
  db: Db,
  { provider, subject }: Person,
  since: string,
): Promise<{ pending: number; recent: number }> {
  const rows = await db
    .selectFrom('access_requests')
    .select(['status', 'created_at'])
    .where('provider', '=', provider)
    .where('subject', '=', subject)
    .where((e) => e.or([e('status', '=', 'pending'), e('created_at', '>', since)]))
    .execute();
  return {
    pending: rows.filter(({ status }) => status === 'pending').length,
    recent: rows.filter(({ created_at }) => created_at > since).length,
  };
}

/** The servers for which a request of the person waits. */
export async function pendingPaths(db: Db, { provider, subject }: Person): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('access_requests')
    .select('path')
    .where('provider', '=', provider)
    .where('subject', '=', subject)
    .where('status', '=', 'pending')
    .execute();
  return new Set(rows.map(({ path }) => path));
}
