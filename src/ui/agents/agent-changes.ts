import { useQueryClient } from '@tanstack/react-query';
import { type AgentInfo, agentQuery, agentsQuery, api } from '../api.ts';
import { useSwitch } from '../controls/fields/use-switch.ts';

/** Switches an agent. */
export function useAgentSwitch(agent: AgentInfo) {
  const queries = useQueryClient();
  return useSwitch({
    id: `agent ${agent.path}`,
    name: agent.name,
    on: agent.is_enabled,
    send: (enabled) => api('agents.toggle', { params: { path: agent.path }, body: { enabled } }),
    isOn: (now) => now.is_enabled,
    told: [agentsQuery.queryKey, agentQuery(agent.path).queryKey],
    show: ({ path, is_enabled }) =>
      queries.setQueryData(
        agentsQuery.queryKey,
        (list) =>
          list && {
            ...list,
            agents: list.agents.map((one) => (one.path === path ? { ...one, is_enabled } : one)),
          },
      ),
  });
}
