import { type QueryClient, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, historyQuery, type Server, serverQuery, serversQuery, toolsQuery } from '../api.ts';
import { auditOfServerQuery } from './audit-query.ts';
import { healthWords } from './health.tsx';
import { saidBy } from './problem.tsx';
import { announce } from './toasts.tsx';

/** Switches a server: shown at once, taken back when refused, and announced either way. */
export function useToggle(server: Server) {
  const queries = useQueryClient();
  const name = server.server_name;
  return useMutation({
    mutationFn: (enabled: boolean) =>
      api('servers.toggle', { params: { path: server.path }, body: { enabled } }),
    onMutate: async (enabled) => {
      // An answer on its way would show the state before.
      await queries.cancelQueries({ queryKey: serversQuery.queryKey });
      await queries.cancelQueries({ queryKey: serverQuery(server.path).queryKey, exact: true });
      replace(queries, { ...server, is_enabled: enabled });
      // By the time of an answer this component has rendered anew, and `server` is what was hoped for.
      return { before: server };
    },
    onSuccess: (now) => {
      replace(queries, now);
      announce('done', `${now.server_name} is now ${now.is_enabled ? 'enabled' : 'disabled'}.`);
    },
    onError: (error, enabled, context) => {
      if (context) replace(queries, context.before);
      announce('failed', `${name} could not be ${enabled ? 'enabled' : 'disabled'}. ${saidBy(error).detail}`);
    },
    onSettled: () => settle(queries, server.path),
  });
}

/** Checks a server's health now and announces what was found. */
export function useHealthCheck(server: Server) {
  const queries = useQueryClient();
  const name = server.server_name;
  return useMutation({
    mutationFn: () => api('servers.health', { params: { path: server.path } }),
    onSuccess: (now) => {
      replace(queries, now);
      const found = now.health_detail ?? `${now.num_tools} ${now.num_tools === 1 ? 'tool' : 'tools'}`;
      const kind = now.health_status === 'healthy' ? 'done' : 'failed';
      announce(kind, `${now.server_name}: ${healthWords(now.health_status)}. ${found}`);
    },
    onError: (error) => announce('failed', `${name} could not be checked. ${saidBy(error).detail}`),
    onSettled: () => settle(queries, server.path),
  });
}

function replace(queries: QueryClient, now: Server): void {
  queries.setQueryData(serverQuery(now.path).queryKey, (one) => one && now);
  queries.setQueryData(
    serversQuery.queryKey,
    (list) => list && { ...list, servers: list.servers.map((one) => (one.path === now.path ? now : one)) },
  );
}

function settle(queries: QueryClient, path: string): Promise<void> {
  void queries.invalidateQueries({ queryKey: historyQuery(path).queryKey });
  void queries.invalidateQueries({ queryKey: auditOfServerQuery(path, 'change').queryKey });
  return queries.invalidateQueries({ queryKey: toolsQuery(path).queryKey });
}
