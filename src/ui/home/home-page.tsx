import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowRight } from 'lucide-react';
import { useState } from 'react';
import { type Me, meQuery, type Server, serversQuery } from '../api.ts';
import { readsAudit } from '../audit/audit-search.ts';
import { buttonClass } from '../controls/button.tsx';
import { Empty } from '../controls/empty.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { AskAccessButton } from '../requests/ask-access.tsx';
import { ConnectButton } from '../servers/connect-button.tsx';
import { Health } from '../servers/health.tsx';
import { useServerEvents } from '../servers/server-events.ts';
import { isIn } from '../servers/server-filter.ts';
import { NameTile } from '../servers/server-icon.tsx';
import { recentServers, useFavourites } from '../servers/use-favourites.ts';
import { count, t } from '../words/words.ts';
import { Attention } from './attention.tsx';
import { Today } from './today.tsx';

/** How many servers are offered here; the others are in the catalog. */
const most = 8;

/** What somebody can use and how to connect it; for those who care for it, what needs attention and the traffic of the day. */
export function Home() {
  const { data: me } = useQuery(meQuery);
  const { data, error, isPending, refetch } = useQuery(serversQuery);
  useServerEvents();
  if (!me) return null;
  return (
    <Page title={t('Home')}>
      <div
        className={`grid items-start gap-6 ${looksAfter(me, data?.servers) ? 'xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]' : 'max-w-5xl'}`}
      >
        <section aria-labelledby="ready" className="grid min-w-0 gap-3">
          <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
            <h2 id="ready" className="text-lead font-semibold">
              {t('Connect your client')}
            </h2>
            <Link
              to="/servers"
              className="inline-flex items-center gap-1 rounded-sm text-quiet hover:text-ink"
            >
              {data ? count(data.total_count, 'See {n} server', 'See all {n} servers') : t('Servers')}
              <ArrowRight size={14} aria-hidden />
            </Link>
          </div>
          {isPending && <Pending rows={6} />}
          {error && !data && <Problem error={error} retry={() => void refetch()} />}
          {data && <Ready servers={data.servers} canRegister={data.can_register} me={me} />}
        </section>
        <div className="grid min-w-0 gap-6">
          <Attention me={me} servers={data?.servers ?? []} />
          {readsAudit(me) && <Today />}
        </div>
      </div>
    </Page>
  );
}

/** Whether there is a second column: what needs attention, or the traffic of the day. */
function looksAfter(me: Me, servers: readonly Server[] = []): boolean {
  return me.is_admin || readsAudit(me) || servers.some(({ can }) => can.modify || can.toggle);
}

function Ready({ servers, canRegister, me }: { servers: readonly Server[]; canRegister: boolean; me: Me }) {
  const { paths } = useFavourites();
  const [recent] = useState(recentServers);
  const usable = servers.filter(({ is_enabled }) => is_enabled);
  // Favourites first, then what was opened last; what does not work comes last.
  const rank = (server: Server): number => {
    if (isIn('issues', server)) return 1_000_000;
    const [favourite, opened] = [paths.indexOf(server.path), recent.indexOf(server.path)];
    if (server.num_tools === 0) return 10_000;
    return favourite >= 0 ? favourite : opened >= 0 ? 1000 + opened : 2000;
  };
  if (servers.length === 0)
    return (
      <Empty>
        <p className="text-quiet">
          {canRegister
            ? t('No server is registered yet.')
            : t('No server has been shared with you yet. Ask an administrator for access.')}
        </p>
        {canRegister ? (
          <Link to="/register" className={buttonClass('primary')}>
            {t('Register a server')}
          </Link>
        ) : (
          <AskAccessButton look="primary" />
        )}
      </Empty>
    );
  return (
    <>
      {usable.length === 0 && <Empty>{t('You can see servers, but none of them is enabled.')}</Empty>}
      {usable.length > 0 && (
        <ul
          aria-label={t('Servers ready to use')}
          className="overflow-hidden rounded-lg border border-line bg-raised"
        >
          {usable
            .toSorted((a, b) => rank(a) - rank(b))
            .slice(0, most)
            .map((server) => (
              <li
                key={server.path}
                className="relative flex items-center gap-3 border-b border-line px-4 py-3 last:border-0 hover:bg-hover"
              >
                <NameTile name={server.server_name} />
                <div className="min-w-0 flex-1">
                  <h3 className="truncate font-semibold">
                    <Link
                      to="/servers/$"
                      params={{ _splat: server.path.slice(1) }}
                      className="after:absolute after:inset-0"
                    >
                      {server.server_name}
                    </Link>
                  </h3>
                  <p className="line-clamp-2 text-quiet">
                    {server.num_tools === 0
                      ? t('No tool that you can call yet.')
                      : server.description || count(server.num_tools, '{n} tool', '{n} tools')}
                  </p>
                </div>
                <span className="shrink-0 max-md:hidden">
                  <Health server={server} brief />
                </span>
                <span className="relative shrink-0">
                  {server.num_tools === 0 && !me.is_admin && (
                    <span className="mr-2 max-sm:hidden">
                      <AskAccessButton path={server.path} name={server.server_name} names />
                    </span>
                  )}
                  <ConnectButton server={server} names />
                </span>
              </li>
            ))}
        </ul>
      )}
    </>
  );
}
