import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useDeferredValue, useState } from 'react';
import { serversQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Empty } from '../controls/empty.tsx';
import { Search } from '../controls/fields/search.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { useUrlText } from '../controls/url-text.ts';
import { AskAccessButton } from '../requests/ask-access.tsx';
import { NameTile } from '../servers/server-icon.tsx';
import { count, t } from '../words/words.ts';
import { searchQuery } from './search-query.ts';

/** How many servers are shown before anything is searched. */
const mostServers = 30;

/** Finds tools across all servers that the caller may use; each leads to the tool on its server's page. */
export function Tools() {
  const { q = '' } = useSearch({ from: '/signed-in/tools' });
  const navigate = useNavigate({ from: '/tools' });
  const write = useCallback(
    (text: string) => void navigate({ search: { q: text }, replace: true, resetScroll: false }),
    [navigate],
  );
  const [text, setText] = useUrlText(q, write);
  const [limit, setLimit] = useState(30);
  const wanted = useDeferredValue(text);
  const { data, error, isFetching, refetch } = useQuery(searchQuery(wanted, 'tool', limit));
  const isEmpty = wanted.trim() === '';
  return (
    <Page title={t('Tools')}>
      <div className="mb-4 flex flex-wrap items-center gap-3">
        <Search things={t('tools')} placeholder={t('What should it do?')} value={text} onChange={setText} />
        <p role="status" className="text-quiet">
          {!isEmpty && data && count(data.total_count, '{n} tool', '{n} tools')}
        </p>
      </div>
      {isEmpty && <ByServer />}
      {!isEmpty && error && <Problem error={error} retry={() => void refetch()} />}
      {!isEmpty && !data && isFetching && <Pending rows={5} />}
      {!isEmpty && data?.results.length === 0 && (
        <Empty>
          <p className="text-quiet">
            {t(
              'No tool matches. Tools of servers that are disabled or not shared with you are not searched.',
            )}
          </p>
          <AskAccessButton />
        </Empty>
      )}
      {!isEmpty && data && data.results.length > 0 && (
        <ul aria-label={t('Tools')} className="overflow-hidden rounded-lg border border-line bg-raised">
          {data.results.map(({ path, name, description, server_name }) => (
            <li
              key={`${path} ${name}`}
              className="relative grid gap-x-4 gap-y-0.5 border-b border-line px-4 py-2.5 last:border-0 hover:bg-hover sm:grid-cols-[minmax(0,1fr)_12rem]"
            >
              <div className="min-w-0">
                <h2>
                  <Link
                    to="/servers/$"
                    params={{ _splat: path.slice(1) }}
                    search={{ tab: 'tools', tool: name }}
                    className="font-mono text-code font-semibold after:absolute after:inset-0"
                  >
                    {name}
                  </Link>
                </h2>
                <p className="line-clamp-2 text-quiet">{description}</p>
              </div>
              <p className="truncate text-quiet sm:text-right">{server_name ?? path}</p>
            </li>
          ))}
        </ul>
      )}
      {!isEmpty && data?.has_next && limit < 100 && (
        <div className="mt-3">
          <Button busy={isFetching} onClick={() => setLimit(100)}>
            {t('Show more')}
          </Button>
        </div>
      )}
    </Page>
  );
}

/** Where there are tools, for those who look around before they search; those of a server are on its page. */
function ByServer() {
  const { data, error, isPending, refetch } = useQuery(serversQuery);
  if (isPending) return <Pending rows={5} />;
  if (!data) return <Problem error={error} retry={() => void refetch()} />;
  const servers = data.servers
    .filter(({ is_enabled, num_tools }) => is_enabled && num_tools > 0)
    .toSorted((a, b) => b.num_tools - a.num_tools);
  if (servers.length === 0)
    return (
      <Empty>
        <p className="text-quiet">{t('No server has a tool that you can call yet.')}</p>
        <AskAccessButton />
      </Empty>
    );
  return (
    <section aria-label={t('By server')} className="grid gap-3">
      <p className="text-quiet">
        {t('Search the tools of every server that you can use, by name or by what they do.')}
      </p>
      <ul aria-label={t('Servers')} className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
        {servers.slice(0, mostServers).map(({ path, server_name, description, num_tools }) => (
          <li
            key={path}
            className="relative flex min-w-0 items-start gap-3 rounded-lg border border-line bg-raised p-4 hover:bg-hover"
          >
            <NameTile name={server_name} />
            <div className="min-w-0 flex-1">
              <h2 className="truncate font-semibold">
                <Link
                  to="/servers/$"
                  params={{ _splat: path.slice(1) }}
                  search={{ tab: 'tools' }}
                  className="after:absolute after:inset-0"
                >
                  {server_name}
                </Link>
              </h2>
              <p className="line-clamp-2 text-quiet">{description}</p>
              <p className="mt-1 text-meta text-quiet">{count(num_tools, '{n} tool', '{n} tools')}</p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
