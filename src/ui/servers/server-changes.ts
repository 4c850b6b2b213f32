import { type QueryClient, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, historyQuery, type Server, serverQuery, serversQuery, toolsQuery } from '../api.ts';
import { auditOfServerQuery } from '../audit/audit-query.ts';
import { useSwitch } from '../controls/fields/use-switch.ts';
import { saidBy } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { count, t } from '../words/words.ts';
import { healthWords } from './health.tsx';

/** Switches a server. */
export function useServerSwitch(server: Server) {
  const queries = useQueryClient();
  const { path } = server;
  return useSwitch({
    id: `server ${path}`,
    name: server.server_name,
    on: server.is_enabled,
    send: (enabled) => api('servers.toggle', { params: { path }, body: { enabled } }),
    isOn: (now) => now.is_enabled,
    told: [
      serversQuery.queryKey,
      serverQuery(path).queryKey,
      toolsQuery(path).queryKey,
      auditOfServerQuery(path, 'change').queryKey,
    ],
    show: (now) => replace(queries, now),
  });
}

/** Checks a server's health now and announces what was found. */
export function useHealthCheck(server: Server) {
  const queries = useQueryClient();
  const { path, server_name: name } = server;
  return useMutation({
    mutationFn: () => api('servers.health', { params: { path } }),
    onSuccess: (now) => {
      replace(queries, now);
      const found = now.health_detail ?? count(now.num_tools, '{n} tool', '{n} tools');
      const kind = now.health_status === 'healthy' ? 'done' : 'failed';
      announce(kind, `${now.server_name}: ${healthWords(now.health_status)}. ${found}`);
    },
    onError: (error) =>
      announce('failed', t('{name} could not be checked. {detail}', { name, detail: saidBy(error).detail })),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: historyQuery(path).queryKey });
      void queries.invalidateQueries({ queryKey: auditOfServerQuery(path, 'change').queryKey });
      return queries.invalidateQueries({ queryKey: toolsQuery(path).queryKey });
    },
  });
}

function replace(queries: QueryClient, now: Server): void {
  queries.setQueryData(serverQuery(now.path).queryKey, (one) => one && { ...one, ...now });
  queries.setQueryData(
    serversQuery.queryKey,
    (list) => list && { ...list, servers: list.servers.map((one) => (one.path === now.path ? now : one)) },
  );
}
