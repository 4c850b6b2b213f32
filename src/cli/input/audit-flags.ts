import type { Call } from '../../contract/client.ts';
import type { endpoints } from '../../contract/index.ts';
import { misuse } from '../trouble.ts';

/** What narrows the audit trail down, as given on the command line. */
export interface AuditFlags {
  from?: string;
  to?: string;
  kind?: string;
  decision?: string;
  status?: string;
  username?: string;
  subject?: string;
  clientId?: string;
  action?: string;
  resource?: string;
  tool?: string;
  correlationId?: string;
  query?: string;
}

type Filters = Omit<NonNullable<Call<(typeof endpoints)['audit.list']>['query']>, 'limit' | 'cursor'>;

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The filters as the API takes them; `now` in milliseconds is what times ago are counted from. */
export function askedBy(flags: AuditFlags, now: number): Filters {
  const { from, to, kind, decision, status, username, subject, action, resource, tool } = flags;
  const asked = {
    ...{ kind, decision, status, username, subject, action, resource, tool },
    from: from && timeOf(from, now, '--from'),
    to: to && timeOf(to, now, '--to'),
    client_id: flags.clientId,
    correlation_id: flags.correlationId,
    q: flags.query,
  };
  // The choices of the options are those of the API.
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)) as Filters;
}

/** `24h` is a day ago; a date alone is its midnight in UTC, a time without a zone is UTC. */
function timeOf(text: string, now: number, option: string): string {
  const [, count, unit = 'm'] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count !== undefined)
    return new Date(now - Number(count) * units[unit as keyof typeof units]).toISOString();
  const iso = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/.test(text);
  const zoned = /T.*(?:Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}${text.includes('T') ? '' : 'T00:00'}Z`;
  const time = iso ? Date.parse(zoned) : Number.NaN;
  if (Number.isNaN(time))
    throw misuse(
      `${option} ${text} is not a time.`,
      'Give it as 2026-03-01, as 2026-03-01T09:30Z, or as how long ago: 90m, 24h, 7d.',
    );
  return new Date(time).toISOString();
}
