import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { Pencil, Trash2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { type Me, meQuery, type Server, serverQuery, toolsQuery } from '../api.ts';
import { readsAudit } from '../audit/audit-search.ts';
import { Button, buttonClass } from '../controls/button.tsx';
import { Description, TagLinks } from '../controls/described.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { type Tab, TabLinks } from '../controls/tab-links.tsx';
import { AskAccessButton, isUnseen } from '../requests/ask-access.tsx';
import { EnabledState } from '../servers/enabled-state.tsx';
import { FavouriteStar } from '../servers/favourite-star.tsx';
import { Health } from '../servers/health.tsx';
import { useServerSwitch } from '../servers/server-changes.ts';
import { ServerActions, ServerFacts } from '../servers/server-detail.tsx';
import { useServerEvents } from '../servers/server-events.ts';
import { NameTile } from '../servers/server-icon.tsx';
import { rememberServer } from '../servers/use-favourites.ts';
import { t } from '../words/words.ts';
import { EgressForm } from './egress-settings.tsx';
import { HealthHistory } from './health-history.tsx';
import { Offers } from './offers.tsx';
import { RemoveServer } from './remove-server.tsx';
import { ServerAccess } from './server-access.tsx';
import { EditHistory, RecentCalls } from './server-trail.tsx';
import { ToolList } from './tool-list.tsx';

/**
 * Everything about one server, in parts with an address each: what it is, its tools, prompts and resources to try out, its
 * health; for those who may know it who may use it, its last calls and changes; for those who may change it the settings.
 */
export function ServerPage() {
  const { _splat: path = '' } = useParams({ from: '/signed-in/servers/$' });
  const { tab: asked = '' } = useSearch({ from: '/signed-in/servers/$' });
  const { data, error, refetch } = useQuery(serverQuery(`/${path}`));
  const { data: me } = useQuery(meQuery);
  useServerEvents();
  const isThere = data !== undefined;
  useEffect(() => {
    if (isThere) rememberServer(`/${path}`);
  }, [isThere, path]);
  // A reading that fails later leaves the page, and what is being entered there, as it is.
  if (!data || !me)
    return (
      <Page title={`/${path}`}>
        {error ? (
          <Problem error={error} retry={() => void refetch()}>
            {isUnseen(error) && <AskAccessButton path={`/${path}`} />}
          </Problem>
        ) : (
          <Pending rows={6} />
        )}
      </Page>
    );
  const tabs = tabsOf(data, me);
  const current = tabs.some(({ name }) => name === asked) ? asked : '';
  return (
    <Page
      title={data.server_name}
      before={<NameTile name={data.server_name} size="lg" />}
      below={<span className="font-mono text-code">{data.path}</span>}
      actions={<Heading server={data} />}
    >
      {error && <Problem error={error} retry={() => void refetch()} />}
      <TabLinks tabs={tabs} current={current} />
      <Part tab={current} server={data} me={me} />
    </Page>
  );
}

function tabsOf(server: Server, me: Me): Tab[] {
  return [
    { name: '', words: t('Overview') },
    { name: 'tools', words: t('Tools'), count: server.num_tools },
    { name: 'prompts', words: t('Prompts & resources') },
    ...(me.is_admin ? [{ name: 'access', words: t('Access') }] : []),
    ...(readsAudit(me) ? [{ name: 'activity', words: t('Activity') }] : []),
    { name: 'health', words: t('Health') },
    ...(server.can.modify || server.can.delete ? [{ name: 'settings', words: t('Settings') }] : []),
  ];
}

function Part({ tab, server, me }: { tab: string; server: Server; me: Me }) {
  switch (tab) {
    case 'tools':
      return <ToolList server={server} />;
    case 'prompts':
      return <Offers server={server} />;
    case 'access':
      return me.is_admin ? <ServerAccess server={server} /> : null;
    case 'activity':
      return readsAudit(me) ? (
        <div className="grid gap-8">
          <RecentCalls server={server} />
          <EditHistory server={server} />
        </div>
      ) : null;
    case 'health':
      return <HealthHistory server={server} />;
    case 'settings':
      return <Settings server={server} />;
    default:
      return <Overview server={server} me={me} />;
  }
}

function Heading({ server }: { server: Server }) {
  const { on, change } = useServerSwitch(server);
  return (
    <div className="flex flex-wrap items-center gap-2">
      <FavouriteStar path={server.path} name={server.server_name} />
      <EnabledState name={server.server_name} on={on} onChange={server.can.toggle ? change : undefined} />
      <ServerActions server={server} />
    </div>
  );
}

function Overview({ server, me }: { server: Server; me: Me }) {
  const { category } = server;
  return (
    <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <section aria-label={t('About')} className="grid min-w-0 gap-4">
        <Health server={server} />
        <Description text={server.description} />
        <TagLinks
          to="/servers"
          tags={server.tags}
          before={
            category !== null && (
              <li>
                <Link
                  to="/servers"
                  search={{ category }}
                  className="inline-flex min-h-6 items-center rounded-sm border border-line px-1.5 text-meta text-quiet hover:text-ink"
                >
                  {category}
                </Link>
              </li>
            )
          }
        />
        {server.num_tools > 0 ? (
          <SomeTools server={server} />
        ) : (
          server.is_enabled &&
          !me.is_admin && (
            <div className="flex flex-wrap items-center gap-3 rounded-lg border border-line bg-raised p-4">
              <p className="min-w-0 flex-1 basis-60">
                {t('You can see this server, but call none of its tools yet.')}
              </p>
              <AskAccessButton path={server.path} name={server.server_name} />
            </div>
          )
        )}
      </section>
      <section aria-label={t('Facts')} className="rounded-lg border border-line bg-raised p-4">
        <ServerFacts server={server} />
      </section>
    </div>
  );
}

/** The first tools, each leading to its place in the list of all. */
function SomeTools({ server }: { server: Server }) {
  const { data } = useQuery(toolsQuery(server.path));
  if (!data || data.tools.length === 0) return null;
  return (
    <section aria-label={t('What it can do')} className="grid min-w-0 gap-2">
      <h2 className="text-lead font-semibold">{t('What it can do')}</h2>
      <ul className="overflow-hidden rounded-lg border border-line bg-raised">
        {data.tools.slice(0, 8).map(({ name, description }) => (
          <li
            key={name}
            className="relative flex items-baseline gap-x-3 border-b border-line px-4 py-2 last:border-0 hover:bg-hover max-sm:block"
          >
            <Link
              to="/servers/$"
              params={{ _splat: server.path.slice(1) }}
              search={{ tab: 'tools', tool: name }}
              className="shrink-0 font-mono text-code font-semibold break-all after:absolute after:inset-0"
            >
              {name}
            </Link>
            <span className="block min-w-0 truncate text-quiet">{description}</span>
          </li>
        ))}
      </ul>
      {data.tools.length > 8 && (
        <p>
          <Link
            to="/servers/$"
            params={{ _splat: server.path.slice(1) }}
            search={{ tab: 'tools' }}
            className="rounded-sm underline underline-offset-4"
          >
            {t('Show all {n}', { n: data.tools.length })}
          </Link>
        </p>
      )}
    </section>
  );
}

function Settings({ server }: { server: Server }) {
  const [removing, setRemoving] = useState(false);
  return (
    <div className="grid max-w-3xl gap-4">
      {server.can.modify && (
        <section
          aria-label={t('Registration')}
          className="flex flex-wrap items-center justify-between gap-4 rounded-lg border border-line bg-raised p-4"
        >
          <div className="min-w-0">
            <h2 className="font-semibold">{t('Registration')}</h2>
            <p className="text-quiet">
              {t('Name, URL, description, tags, transport, and the credential that the gateway sends.')}
            </p>
          </div>
          <Link to="/edit/$" params={{ _splat: server.path.slice(1) }} className={buttonClass()}>
            <Pencil size={15} aria-hidden />
            {t('Edit')}
          </Link>
        </section>
      )}
      {server.can.modify && <EgressForm server={server} />}
      {server.can.delete && (
        <section
          aria-label={t('Removal')}
          className="flex flex-wrap items-center justify-between gap-4 rounded-lg border border-line bg-raised p-4"
        >
          <div className="min-w-0">
            <h2 className="font-semibold">{t('Remove this server')}</h2>
            <p className="text-quiet">
              {t('Clients can no longer reach it through the gateway. The server itself keeps running.')}
            </p>
          </div>
          <Button onClick={() => setRemoving(true)}>
            <Trash2 size={15} aria-hidden />
            {t('Remove')}
          </Button>
        </section>
      )}
      {removing && <RemoveServer server={server} onClose={() => setRemoving(false)} />}
    </div>
  );
}
