import type { Db } from '../../db/tables.ts';
import type { Sink } from '../event.ts';
import { databaseSink } from './database.ts';

/** Where events go: one line a sink. */
export function sinksOf(db: Db): Sink[] {
  return [databaseSink(db)];
}
