import type { Db } from './tables.ts';

/** Does all of `work` or nothing: in the transaction that `db` is, or in one of its own. */
export function inTransaction<T>(db: Db, work: (trx: Db) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}
