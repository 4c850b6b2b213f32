import { type QueryClient, useMutation, useQueryClient } from '@tanstack/react-query';
import { type AgentInfo, agentQuery, agentsQuery, api } from '../api.ts';
import { saidBy } from './problem.tsx';
import { announce } from './toasts.tsx';

/** Switches an agent: shown at once, taken back when refused, and announced either way. */
export function useAgentToggle(agent: AgentInfo) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (enabled: boolean) =>
      api('agents.toggle', { params: { path: agent.path }, body: { enabled } }),
    onMutate: async (enabled) => {
      // An answer on its way would show the state before.
      await queries.cancelQueries({ queryKey: agentsQuery.queryKey });
      show(queries, agent.path, enabled);
      return { before: agent.is_enabled };
    },
    onSuccess: (now) => {
      show(queries, now.path, now.is_enabled);
      announce('done', `${now.name} is now ${now.is_enabled ? 'enabled' : 'disabled'}.`);
    },
    onError: (error, enabled, context) => {
      if (context) show(queries, agent.path, context.before);
      const what = `could not be ${enabled ? 'enabled' : 'disabled'}`;
      announce('failed', `${agent.name} ${what}. ${saidBy(error).detail}`);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: agentQuery(agent.path).queryKey }),
  });
}

function show(queries: QueryClient, path: string, is_enabled: boolean): void {
  queries.setQueryData(
    agentsQuery.queryKey,
    (list) =>
      list && {
        ...list,
        agents: list.agents.map((one) => (one.path === path ? { ...one, is_enabled } : one)),
      },
  );
}
