import { useQueryClient } from '@tanstack/react-query';
import { ChevronRight } from 'lucide-react';
import { memo, useId } from 'react';
import { type AgentInfo, agentQuery, agentsQuery, api } from '../api.ts';
import { useSwitch } from '../controls/fields/use-switch.ts';
import { Tags } from '../controls/tags.tsx';
import { EnabledState } from '../servers/enabled-state.tsx';
import { AgentDetail } from './agent-detail.tsx';

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
export const agentColumns = 'lg:grid-cols-[1rem_minmax(0,3fr)_minmax(0,6fr)_5rem_4rem_6.5rem]';

/** One agent in the list, which opens to its details. */
export const AgentRow = memo(function AgentRow({
  agent,
  open,
  onToggleOpen,
  onTag,
}: {
  agent: AgentInfo;
  open: boolean;
  onToggleOpen: (path: string) => void;
  onTag: (tag: string) => void;
}) {
  const detail = useId();
  const { on, change } = useAgentSwitch(agent);
  return (
    <li className="border-b border-line last:border-0">
      <div
        className={`relative grid grid-cols-[1rem_minmax(0,1fr)_auto] items-start gap-x-3 gap-y-1 px-4 py-3 hover:bg-hover ${agentColumns}`}
      >
        <ChevronRight
          size={16}
          aria-hidden
          className={`mt-0.5 text-quiet motion-safe:transition-transform ${open ? 'rotate-90' : ''}`}
        />
        <div className="min-w-0">
          <h2 className="font-semibold">
            <button
              type="button"
              aria-expanded={open}
              aria-controls={open ? detail : undefined}
              onClick={() => onToggleOpen(agent.path)}
              className="text-left after:absolute after:inset-0"
            >
              {agent.name}
            </button>
          </h2>
          <p className="font-mono text-code text-quiet">{agent.path}</p>
        </div>
        <div className="min-w-0 max-lg:order-1 max-lg:col-span-2 max-lg:col-start-2">
          <p className={open ? 'whitespace-pre-line' : 'line-clamp-2'}>
            {agent.description || <span className="text-quiet">No description</span>}
          </p>
          <Tags tags={agent.tags} things="agents" onTag={onTag} />
        </div>
        <div className="flex min-w-0 flex-wrap gap-x-4 max-lg:order-1 max-lg:col-span-2 max-lg:col-start-2 lg:contents">
          <span className="text-quiet">A2A {agent.protocol_version}</span>
          <span className="text-quiet lg:text-right">
            {agent.num_skills}{' '}
            <span className="lg:sr-only">{agent.num_skills === 1 ? 'skill' : 'skills'}</span>
          </span>
        </div>
        <div className="relative max-lg:col-start-3 max-lg:row-start-1 lg:-mt-1">
          <EnabledState name={agent.name} on={on} onChange={agent.can.modify ? change : undefined} />
        </div>
      </div>
      {open && (
        <div id={detail} className="border-t border-line bg-paper px-4 py-4 sm:pl-11">
          <AgentDetail agent={agent} />
        </div>
      )}
    </li>
  );
});
