import type { Server } from '../api.ts';
import { mentions } from '../controls/text-match.ts';
import { t } from '../words/words.ts';

/** The states that the list can be narrowed to, in the order shown. */
export const states = ['all', 'enabled', 'disabled', 'issues'] as const;

/** One of the states that the list can be narrowed to. */
export type State = (typeof states)[number];

/** Whether a server is in a state; `issues` are enabled servers that a check found wanting. */
export function isIn(state: State, server: Server): boolean {
  if (state === 'all') return true;
  if (state === 'enabled') return server.is_enabled;
  if (state === 'disabled') return !server.is_enabled;
  return (
    server.is_enabled && (server.health_status === 'unhealthy' || server.health_status === 'auth-failing')
  );
}

/** Whether every word of `query` occurs in the server's name, path, description, owner, category or tags; `#word` must be a whole tag. */
export function matches(query: string, server: Server): boolean {
  const { server_name, path, description, tags, registered_by } = server;
  return mentions(query, [server_name, path, description, registered_by, server.category ?? ''], tags);
}

const order = new Intl.Collator(undefined, { numeric: true });
const byName = (a: Server, b: Server): number => order.compare(a.server_name, b.server_name);
const rank = (server: Server): number => (isIn('issues', server) ? 0 : server.is_enabled ? 1 : 2);

/** The orders of the list by their names in the URL, each with its words. */
export const sorts = {
  name: { words: t('Name'), compare: byName },
  broken: { words: t('Broken first'), compare: (a, b) => rank(a) - rank(b) || byName(a, b) },
  tools: { words: t('Most tools'), compare: (a, b) => b.num_tools - a.num_tools || byName(a, b) },
  newest: { words: t('Newest first'), compare: (a, b) => b.registered_at.localeCompare(a.registered_at) },
  changed: { words: t('Last changed'), compare: (a, b) => b.updated_at.localeCompare(a.updated_at) },
} as const satisfies Record<string, { words: string; compare: (a: Server, b: Server) => number }>;

/** The name of an order. */
export type Sort = keyof typeof sorts;

/** The order that the URL asks for; by name unless it is one. */
export function sortOf(asked: string | undefined): Sort {
  return asked !== undefined && Object.hasOwn(sorts, asked) ? (asked as Sort) : 'name';
}
