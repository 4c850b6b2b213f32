import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useCallback, useDeferredValue } from 'react';
import { agentsQuery } from '../api.ts';
import { Button, buttonClass } from '../controls/button.tsx';
import { Empty } from '../controls/empty.tsx';
import { Search } from '../controls/fields/search.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { mentions } from '../controls/text-match.ts';
import { useUrlText } from '../controls/url-text.ts';
import { count, t } from '../words/words.ts';
import { AgentRow, agentColumns } from './agent-row.tsx';

/** The A2A agents that the caller may see: search, open, switch, register. */
export function Agents() {
  const { q: inUrl = '' } = useSearch({ from: '/signed-in/agents/' });
  const navigate = useNavigate({ from: '/agents' });
  const { data, error, isPending, refetch } = useQuery(agentsQuery);
  const writeQuery = useCallback(
    (q: string) => void navigate({ search: { q }, replace: true, resetScroll: false }),
    [navigate],
  );
  const [text, setText] = useUrlText(inUrl, writeQuery);
  const query = useDeferredValue(text);
  const shown = (data?.agents ?? []).filter(({ name, path, description, skills, tags }) =>
    mentions(query, [name, path, description, ...skills], tags),
  );
  return (
    <Page
      title={t('Agents')}
      actions={
        data?.can_register && (
          <Link to="/register-agent" className={buttonClass('primary')}>
            <Plus size={15} aria-hidden />
            {t('Register an agent')}
          </Link>
        )
      }
    >
      {isPending && <Pending rows={6} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data?.agents.length === 0 && (
        <Empty>
          <p className="max-w-prose text-quiet">
            {data.can_register
              ? t('No agent is registered yet. Register one by its A2A card.')
              : t('No agent has been shared with you. Ask an administrator for access.')}
          </p>
        </Empty>
      )}
      {data && data.agents.length > 0 && (
        <div className="mb-3 flex flex-wrap items-center gap-2">
          <Search things={t('agents')} value={text} onChange={setText} />
          <p role="status" className="ml-auto text-quiet">
            {shown.length < data.agents.length && `${t('{n} of', { n: shown.length })} `}
            {count(data.agents.length, '{n} agent', '{n} agents')}
          </p>
        </div>
      )}
      {data && data.agents.length > 0 && shown.length === 0 && (
        <Empty>
          <p>{t('No agent matches.')}</p>
          <Button onClick={() => setText('')}>{t('Show all agents')}</Button>
        </Empty>
      )}
      {shown.length > 0 && (
        <div className="overflow-hidden rounded-lg border border-line bg-raised">
          <div
            aria-hidden
            className={`hidden gap-x-3 border-b border-line px-4 py-2 text-meta font-medium text-quiet lg:grid ${agentColumns}`}
          >
            <span />
            <span>{t('Agent')}</span>
            <span>{t('Description')}</span>
            <span>{t('Provider')}</span>
            <span className="text-right">{t('Skills')}</span>
            <span>{t('State')}</span>
          </div>
          <ul aria-label={t('Agents')}>
            {shown.map((agent) => (
              <AgentRow key={agent.id} agent={agent} />
            ))}
          </ul>
        </div>
      )}
      {data?.has_next && (
        <p className="mt-2 text-quiet">
          {t('These are the first {n} of {total} agents.', {
            n: data.agents.length,
            total: data.total_count,
          })}
        </p>
      )}
    </Page>
  );
}
