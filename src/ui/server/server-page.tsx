import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Pencil, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { meQuery, type Server, serverQuery } from '../api.ts';
import { readsAudit } from '../audit/audit-search.ts';
import { Button, buttonClass } from '../controls/button.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { EnabledState } from '../servers/enabled-state.tsx';
import { Health } from '../servers/health.tsx';
import { useServerSwitch } from '../servers/server-changes.ts';
import { ServerActions, ServerFacts } from '../servers/server-detail.tsx';
import { useServerEvents } from '../servers/server-events.ts';
import { HealthHistory } from './health-history.tsx';
import { Offers } from './offers.tsx';
import { RemoveServer } from './remove-server.tsx';
import { ServerAccess } from './server-access.tsx';
import { EditHistory, RecentCalls } from './server-trail.tsx';
import { ToolList } from './tool-list.tsx';

/**
 * Everything about one server: what it is, how it is and was, what it offers, trying that out, and for those who may know it
 * who may use it, its last calls and its changes.
 */
export function ServerPage() {
  const { _splat: path = '' } = useParams({ from: '/signed-in/servers/$' });
  const { data, error, isPending, refetch } = useQuery(serverQuery(`/${path}`));
  const { data: me } = useQuery(meQuery);
  useServerEvents();
  if (isPending || error)
    return (
      <Page title={`/${path}`}>
        {isPending ? <Pending rows={6} /> : <Problem error={error} retry={() => void refetch()} />}
      </Page>
    );
  return (
    <Page title={data.server_name} actions={<Switch server={data} />}>
      <p className="-mt-3 mb-3 font-mono text-code text-quiet">{data.path}</p>
      <div className="grid gap-6">
        <Summary server={data} />
        <div className="grid gap-x-10 gap-y-6 lg:grid-cols-2">
          <HealthHistory server={data} />
          <Offers server={data} />
        </div>
        <ToolList server={data} />
        {me?.is_admin && <ServerAccess server={data} />}
        {me && readsAudit(me) && (
          <>
            <RecentCalls server={data} />
            <EditHistory server={data} />
          </>
        )}
      </div>
    </Page>
  );
}

function Summary({ server }: { server: Server }) {
  const [removing, setRemoving] = useState(false);
  return (
    <section
      aria-label="About"
      className="grid gap-x-10 gap-y-4 rounded-lg border border-line bg-raised p-4 lg:grid-cols-2"
    >
      <div className="grid content-start gap-3">
        <Health server={server} />
        <p className="max-w-prose whitespace-pre-line">
          {server.description || <span className="text-quiet">No description</span>}
        </p>
        <ul aria-label="Tags" className="flex flex-wrap gap-1">
          {server.tags.map((tag) => (
            <li key={tag}>
              <Link
                to="/servers"
                search={{ q: `#${tag}` }}
                className="inline-flex min-h-6 items-center rounded-sm bg-sunken px-1.5 text-meta text-quiet hover:text-ink"
              >
                #{tag}
              </Link>
            </li>
          ))}
        </ul>
        <div className="flex flex-wrap gap-2">
          <ServerActions server={server} />
          {server.can.modify && (
            <Link to="/edit/$" params={{ _splat: server.path.slice(1) }} className={buttonClass()}>
              <Pencil size={15} aria-hidden />
              Edit
            </Link>
          )}
          {server.can.delete && (
            <Button onClick={() => setRemoving(true)}>
              <Trash2 size={15} aria-hidden />
              Remove
            </Button>
          )}
        </div>
      </div>
      <ServerFacts server={server} />
      {removing && <RemoveServer server={server} onClose={() => setRemoving(false)} />}
    </section>
  );
}

function Switch({ server }: { server: Server }) {
  const { on, change } = useServerSwitch(server);
  return <EnabledState name={server.server_name} on={on} onChange={server.can.toggle ? change : undefined} />;
}
