import type { Db } from '../../db/tables.ts';
import type { Sink } from '../event.ts';
import { databaseSink, postgresSink } from './database.ts';
import { type OtlpWorld, otlpSink } from './otlp.ts';
import { type S3World, s3Sink } from './s3.ts';
import { type SyslogWorld, syslogSink } from './syslog.ts';

/** Where events go: one line a sink. */
export function sinksOf(
  database: { readonly directory: string } | { readonly postgres: Db },
  otlp: OtlpWorld | undefined,
  syslog: SyslogWorld | undefined,
  s3: S3World | undefined,
): Sink[] {
  const stored = 'postgres' in database ? postgresSink(database.postgres) : databaseSink(database.directory);
  return [
    stored,
    ...(otlp ? [otlpSink(otlp)] : []),
    ...(syslog ? [syslogSink(syslog)] : []),
    ...(s3 ? [s3Sink(s3)] : []),
  ];
}
