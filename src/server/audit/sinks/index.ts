import type { Db } from '../../db/tables.ts';
import type { Sink } from '../event.ts';
import { databaseSink } from './database.ts';
import { type OtlpWorld, otlpSink } from './otlp.ts';

/** Where events go: one line a sink. */
export function sinksOf({ db, otlp }: { readonly db: Db; readonly otlp: OtlpWorld | undefined }): Sink[] {
  return [databaseSink(db), ...(otlp ? [otlpSink(otlp)] : [])];
}
