import type { Server } from '../api.ts';
import { mentions } from '../controls/text-match.ts';

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

/** Whether every word of `query` occurs in the server's name, path, description or tags; `#word` must be a whole tag. */
export function matches(query: string, { server_name, path, description, tags }: Server): boolean {
  return mentions(query, [server_name, path, description], tags);
}
