import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import { type AgentInfo, agentQuery, agentsQuery, api } from '../api.ts';
import { useSwitch } from '../controls/fields/use-switch.ts';
import { EnabledState } from '../servers/enabled-state.tsx';
import { NameTile } from '../servers/server-icon.tsx';
import { count, t } from '../words/words.ts';

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

/** The columns of the list on a wide page, shared by its head and its rows. */
export const agentColumns = 'lg:grid-cols-[2rem_minmax(0,3fr)_minmax(0,5fr)_minmax(0,2fr)_4rem_6.5rem]';

/** One agent in the list, which leads to its page. */
export const AgentRow = memo(function AgentRow({ agent }: { agent: AgentInfo }) {
  const { on, change } = useAgentSwitch(agent);
  return (
    <li
      className={`relative grid grid-cols-[2rem_minmax(0,1fr)_auto] items-center gap-x-3 gap-y-1 border-b border-line px-4 py-2.5 last:border-0 hover:bg-hover ${agentColumns}`}
    >
      <NameTile name={agent.name} />
      <div className="min-w-0">
        <h2 className="truncate font-semibold">
          <Link
            to="/agents/$"
            params={{ _splat: agent.path.slice(1) }}
            preload={false}
            className="after:absolute after:inset-0"
          >
            {agent.name}
          </Link>
        </h2>
        <p className="truncate font-mono text-code text-quiet">{agent.path}</p>
      </div>
      <div className="min-w-0 max-lg:order-1 max-lg:col-span-2 max-lg:col-start-2">
        <p className="truncate">
          {agent.description || <span className="text-quiet">{t('No description')}</span>}
        </p>
        <p className="truncate text-meta text-quiet">
          {agent.tags
            .slice(0, 6)
            .map((tag) => `#${tag}`)
            .join(' · ')}
        </p>
      </div>
      <div className="flex min-w-0 flex-wrap gap-x-4 max-lg:order-1 max-lg:col-span-2 max-lg:col-start-2 lg:contents">
        <span className="min-w-0 truncate text-quiet">
          {agent.provider ?? `A2A ${agent.protocol_version}`}
          <span className="hidden truncate text-meta lg:block">
            {agent.provider !== null && `A2A ${agent.protocol_version}`}
          </span>
        </span>
        <span className="text-quiet lg:text-right lg:tabular-nums">
          <span className="lg:hidden">{count(agent.num_skills, '{n} skill', '{n} skills')}</span>
          <span className="max-lg:hidden">{agent.num_skills}</span>
        </span>
      </div>
      <div className="relative max-lg:col-start-3 max-lg:row-start-1">
        <EnabledState name={agent.name} on={on} onChange={agent.can.modify ? change : undefined} />
      </div>
    </li>
  );
});
