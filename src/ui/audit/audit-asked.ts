import { t } from '../words/words.ts';
import type { AuditSearch } from './audit-search.ts';

const hour = 3_600_000;

/** The stretches of time to choose from, in milliseconds. */
export const periods = { '1h': hour, '24h': 24 * hour, '7d': 168 * hour, '30d': 720 * hour } as const;

/** The names of the stretches. */
export type Period = keyof typeof periods;

/** The kinds of events in words. */
export const kinds = {
  mcp: t('MCP calls'),
  api: t('API reads'),
  change: t('Changes'),
  'sign-in': t('Sign-ins'),
  token: t('Tokens'),
} as const;

/** How a request ended, in words. */
export const decisions = { allow: t('Allowed'), deny: t('Denied'), error: t('Failed') } as const;

/** What a person looks for, in words; the page opens on the first. */
export const matters = {
  attention: t('Denials and changes'),
  denials: t('Denials'),
  changes: t('Changes'),
  'sign-ins': t('Sign-ins'),
  failures: t('Failed calls'),
  all: t('Everything'),
} as const;

/** The chosen matter: denials and changes, unless another one or another filter is chosen. */
export function matterOf({ matter = '', ...others }: AuditSearch): keyof typeof matters {
  if (isOf(matters, matter)) return matter;
  const { period: _, from: __, to: ___, open: ____, ...filters } = others;
  return Object.values(filters).some((one) => one) ? 'all' : 'attention';
}

/** What can be asked of the API. */
export type Asked = Partial<
  Record<'from' | 'to' | 'q' | 'subject' | 'username' | 'resource' | 'tool' | 'credential_id', string> & {
    matter: Exclude<keyof typeof matters, 'all'>;
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
  const { kind = '', decision = '', q, subject, username, resource, tool, credential } = search;
  const matter = matterOf(search);
  const words = q?.trim() || search.reason?.trim();
  return {
    ...timesOf(search, now),
    ...(isOf(kinds, kind) ? { kind } : {}),
    ...(isOf(decisions, decision) ? { decision } : {}),
    ...(matter === 'all' ? {} : { matter }),
    ...(words ? { q: words.slice(0, 200) } : {}),
    ...(username ? { username: username.slice(0, 200) } : {}),
    ...(resource ? { resource: resource.slice(0, 200) } : {}),
    ...(tool ? { tool: tool.slice(0, 200) } : {}),
    ...(credential ? { credential_id: credential.slice(0, 200) } : {}),
    ...(subject ? { subject: subject.slice(0, 200) } : {}),
  };
}

/** The beginning and, where it is fixed, the end of a view's time. */
function timesOf(search: AuditSearch, now: number): Pick<Asked, 'from' | 'to'> {
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
