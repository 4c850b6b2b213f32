import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useDeferredValue } from 'react';
import { agentsQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Search } from '../controls/fields/search.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { mentions } from '../controls/text-match.ts';
import { useUrlText } from '../controls/url-text.ts';
import { AgentRow, agentColumns } from './agent-row.tsx';

/** The A2A agents that the caller may see: search, open, switch. */
export function Agents() {
  const { q: inUrl = '', open } = useSearch({ from: '/signed-in/agents' });
  const navigate = useNavigate({ from: '/agents' });
  const { data, error, isPending, refetch } = useQuery(agentsQuery);

  const toggleOpen = useCallback(
    (path: string) =>
      void navigate({
        search: (now: { open?: string }) => ({ ...now, open: now.open === path ? undefined : path }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const writeQuery = useCallback(
    (q: string) => void navigate({ search: (now) => ({ ...now, q }), replace: true, resetScroll: false }),
    [navigate],
  );
  const [text, setText] = useUrlText(inUrl, writeQuery);
  const query = useDeferredValue(text);
  const showTag = useCallback((tag: string) => setText(`#${tag}`), [setText]);

  if (isPending || error)
    return (
      <Page title="Agents">
        {isPending ? <Pending rows={6} /> : <Problem error={error} retry={() => void refetch()} />}
      </Page>
    );
  if (data.agents.length === 0)
    return (
      <Page title="Agents">
        <p className="rounded-md border border-line bg-raised p-6 text-quiet">
          {data.can_register
            ? 'There is no agent that you may see. Register one with: mcp-gateway agent-register --config FILE'
            : 'There is no agent that your scopes let you see. Ask an administrator for list_agents.'}
        </p>
      </Page>
    );
  const shown = data.agents.filter(({ name, path, description, skills, tags }) =>
    mentions(query, [name, path, description, ...skills], tags),
  );
  return (
    <Page title="Agents">
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Search things="agents" value={text} onChange={setText} />
        <p role="status" className="ml-auto text-quiet">
          {shown.length < data.agents.length && `${shown.length} of `}
          {data.agents.length === 1 ? '1 agent' : `${data.agents.length} agents`}
        </p>
      </div>
      {shown.length === 0 ? (
        <div className="grid justify-items-start gap-3 rounded-md border border-line bg-raised p-6">
          <p>No agent matches.</p>
          <Button onClick={() => setText('')}>Show all agents</Button>
        </div>
      ) : (
        <div className="overflow-hidden rounded-lg border border-line bg-raised">
          <div
            aria-hidden
            className={`hidden gap-x-3 border-b border-line px-4 py-2 text-meta font-medium text-quiet lg:grid ${agentColumns}`}
          >
            <span />
            <span>Agent</span>
            <span>Description</span>
            <span>Protocol</span>
            <span className="text-right">Skills</span>
            <span>State</span>
          </div>
          <ul aria-label="Agents">
            {shown.map((agent) => (
              <AgentRow
                key={agent.id}
                agent={agent}
                open={open === agent.path}
                onToggleOpen={toggleOpen}
                onTag={showTag}
              />
            ))}
          </ul>
        </div>
      )}
      {data.has_next && (
        <p className="mt-2 text-quiet">
          These are the first {data.agents.length} of {data.total_count} agents.
        </p>
      )}
    </Page>
  );
}
