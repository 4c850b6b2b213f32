import type { Sink } from '../event.ts';
import { databaseSink } from './database.ts';
import { type OtlpWorld, otlpSink } from './otlp.ts';

/** Where events go: one line a sink. */
export function sinksOf(directory: string, otlp: OtlpWorld | undefined): Sink[] {
  return [databaseSink(directory), ...(otlp ? [otlpSink(otlp)] : [])];
}
