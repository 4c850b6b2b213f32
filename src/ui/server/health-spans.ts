import type { HealthChange, HealthStatus } from '../../contract/servers/servers.ts';

/** A time in which a server's health was the same; milliseconds since 1970. */
export interface HealthSpan {
  readonly from: number;
  readonly to: number;
  readonly status: HealthStatus;
}

/** The health of a server from `from` to `to` without a gap; `unknown` before the first change. Changes are in order. */
export function spansOf(changes: readonly HealthChange[], from: number, to: number): HealthSpan[] {
  const spans: HealthSpan[] = [];
  let [start, status]: [number, HealthStatus] = [from, 'unknown'];
  for (const change of changes) {
    const at = Math.min(Math.max(Date.parse(change.at), from), to);
    if (at > start) spans.push({ from: start, to: at, status });
    [start, status] = [at, change.status];
  }
  if (to > start) spans.push({ from: start, to, status });
  return spans;
}

/** The part of the time looked at (switched on and known) in which a server was healthy, in percent; null without any. */
export function healthyPercent(spans: readonly HealthSpan[]): number | null {
  const length = (wanted: (status: HealthStatus) => boolean): number =>
    spans.filter(({ status }) => wanted(status)).reduce((sum, { from, to }) => sum + to - from, 0);
  const known = length((status) => status !== 'unknown' && status !== 'disabled');
  if (known === 0) return null;
  // Rounded down: 100 is said only where nothing went wrong.
  return Math.floor((1000 * length((status) => status === 'healthy')) / known) / 10;
}
