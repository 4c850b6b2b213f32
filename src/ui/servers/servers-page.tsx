import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Plus, Star } from 'lucide-react';
import { useCallback, useDeferredValue, useMemo } from 'react';
import { serversQuery } from '../api.ts';
import { Button, buttonClass } from '../controls/button.tsx';
import { Empty } from '../controls/empty.tsx';
import { Search } from '../controls/fields/search.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { useUrlText } from '../controls/url-text.ts';
import { count, t } from '../words/words.ts';
import { useServerEvents } from './server-events.ts';
import { isIn, matches, sortOf, sorts, states } from './server-filter.ts';
import { ServerList } from './server-list.tsx';
import { isAmong, type Narrow, NarrowFields } from './server-narrow.tsx';
import { keepServerView, type ServerView, serverViewOf } from './server-view.ts';
import { StateFilter } from './state-filter.tsx';
import { useFavourites } from './use-favourites.ts';
import { ViewChoice } from './view-choice.tsx';

/** The servers that the caller may see: search, narrow down, open, switch. */
export function Servers() {
  const {
    q: inUrl = '',
    state: asked,
    view: viewAsked,
    sort: sortAsked,
    mine,
    health,
    tag,
    owner,
    category,
  } = useSearch({ from: '/signed-in/servers/' });
  const navigate = useNavigate({ from: '/servers/' });
  const { data, error, isPending, refetch } = useQuery(serversQuery);
  useServerEvents();
  const state = states.find((one) => one === asked) ?? 'all';
  const view = serverViewOf(viewAsked);

  const set = useCallback(
    (change: Narrow & { q?: string; state?: string; view?: string; sort?: string; mine?: string }) =>
      void navigate({
        search: (now) => ({ ...now, ...change }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const writeQuery = useCallback((q: string) => set({ q }), [set]);
  const [text, setText] = useUrlText(inUrl, writeQuery);
  const showTag = useCallback((tag: string) => setText(`#${tag}`), [setText]);
  const narrow = useMemo(() => ({ health, tag, owner, category }), [health, tag, owner, category]);
  const sort = sortOf(sortAsked);
  const ordered = useMemo(() => data?.servers.toSorted(sorts[sort].compare) ?? [], [data?.servers, sort]);
  // The field shows a key before the list does what it asks for.
  const wanted = useDeferredValue(text);
  const found = useMemo(
    () => ordered.filter((server) => isAmong(narrow, server) && matches(wanted, server)),
    [ordered, wanted, narrow],
  );
  const { paths: favourites } = useFavourites();
  const shown = useMemo(
    () =>
      found.filter(
        (server) => isIn(state, server) && (mine !== 'favourites' || favourites.includes(server.path)),
      ),
    [found, state, mine, favourites],
  );
  const choose = (one: ServerView) => {
    keepServerView(one);
    set({ view: one });
  };

  if (isPending || error)
    return (
      <Page title={t('Servers')}>
        {isPending ? <Pending rows={6} /> : <Problem error={error} retry={() => void refetch()} />}
      </Page>
    );
  if (data.servers.length === 0)
    return (
      <Page title={t('Servers')} actions={data.can_register && <RegisterLink />}>
        <Empty>
          <p className="max-w-prose text-quiet">
            {data.can_register
              ? t(
                  'No server is registered yet. Register the first one here, or with: mcp-gateway server register FILE',
                )
              : t('Your scopes show you no servers. Ask an administrator which scope you need.')}
          </p>
        </Empty>
      </Page>
    );
  return (
    <Page title={t('Servers')} actions={data.can_register && <RegisterLink />}>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Search things={t('servers')} value={text} onChange={setText} />
        <StateFilter
          chosen={state}
          counts={(one) => found.filter((server) => isIn(one, server)).length}
          onChoose={(one) => set({ state: one === 'all' ? '' : one })}
        />
        <NarrowFields servers={data.servers} narrow={narrow} onChange={set} />
        <select
          aria-label={t('Sort by')}
          value={sort}
          onChange={(event) =>
            set({ sort: event.currentTarget.value === 'name' ? '' : event.currentTarget.value })
          }
          className="h-8 max-w-48 rounded-md border border-edge bg-raised px-2"
        >
          {Object.entries(sorts).map(([value, { words }]) => (
            <option key={value} value={value}>
              {t('Sort: {by}', { by: words })}
            </option>
          ))}
        </select>
        {(favourites.length > 0 || mine !== undefined) && (
          <Button
            aria-pressed={mine === 'favourites'}
            className={mine === 'favourites' ? 'bg-chosen' : ''}
            onClick={() => set({ mine: mine === 'favourites' ? '' : 'favourites' })}
          >
            <Star size={15} aria-hidden />
            {t('Favourites')}
          </Button>
        )}
        <ViewChoice chosen={view} onChoose={choose} />
        <p role="status" className="ml-auto text-quiet">
          {shown.length < data.servers.length
            ? t('{n} of {total} servers', { n: shown.length, total: data.servers.length })
            : count(data.servers.length, '{n} server', '{n} servers')}
        </p>
      </div>
      {shown.length === 0 ? (
        <Empty>
          <p>{t('No server matches.')}</p>
          <Button
            onClick={() => {
              setText('');
              set({ state: '', health: '', tag: '', owner: '', category: '', mine: '' });
            }}
          >
            {t('Show all servers')}
          </Button>
        </Empty>
      ) : (
        <ServerList servers={shown} view={view} onTag={showTag} />
      )}
      {data.has_next && (
        <p className="mt-2 text-quiet">
          {t('These are the first {n} of {total} servers.', {
            n: data.servers.length,
            total: data.total_count,
          })}
        </p>
      )}
    </Page>
  );
}

function RegisterLink() {
  return (
    <Link to="/register" className={buttonClass('primary')}>
      <Plus size={15} aria-hidden />
      {t('Register a server')}
    </Link>
  );
}
