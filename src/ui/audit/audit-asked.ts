import type { AuditSearch } from './audit-search.ts';

const hour = 3_600_000;

/** The stretches of time to choose from, in milliseconds. */
export const periods = { '1h': hour, '24h': 24 * hour, '7d': 168 * hour, '30d': 720 * hour } as const;

/** The names of the stretches. */
export type Period = keyof typeof periods;

/** The kinds of events in words. */
export const kinds = {
  mcp: 'MCP calls',
  api: 'API reads',
  change: 'Changes',
  'sign-in': 'Sign-ins',
  token: 'Tokens',
} as const;

/** How a request ended, in words. */
export const decisions = { allow: 'Allowed', deny: 'Refused', error: 'Failed' } as const;

/** What can be asked of the API. */
export type Asked = Partial<
  Record<'from' | 'to' | 'q' | 'subject', string> & {
    kind: keyof typeof kinds;
    decision: keyof typeof decisions;
  }
>;

/** The chosen stretch; the last day unless another one is named. */
export function periodOf({ period = '' }: AuditSearch): Period {
  return isOf(periods, period) ? period : '24h';
}

/** Whether a view is of one stretch with fixed ends, as a bar of the timeline leads to. */
export function isFixed({ from, to }: AuditSearch): boolean {
  return isTime(from) && isTime(to);
}

/** The times and filters of a view, as the API takes them; what it would not take is left out. */
export function askedBy(search: AuditSearch, now: number): Asked {
  const { kind = '', decision = '', q, subject } = search;
  return {
    ...timesOf(search, now),
    ...(isOf(kinds, kind) ? { kind } : {}),
    ...(isOf(decisions, decision) ? { decision } : {}),
    ...(q?.trim() ? { q: q.trim().slice(0, 200) } : {}),
    ...(subject ? { subject: subject.slice(0, 200) } : {}),
  };
}

/** The beginning and, where it is fixed, the end of a view's time. */
export function timesOf(search: AuditSearch, now: number): Pick<Asked, 'from' | 'to'> {
  const { from, to } = search;
  if (isFixed(search) && from && to) return { from, to };
  return { from: new Date(now - periods[periodOf(search)]).toISOString() };
}

function isTime(text: string | undefined): boolean {
  return text !== undefined && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) && !Number.isNaN(Date.parse(text));
}

function isOf<T extends object>(table: T, key: PropertyKey): key is keyof T {
  return Object.hasOwn(table, key);
}
