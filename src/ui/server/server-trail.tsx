import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Server } from '../api.ts';
import { auditOfServerQuery } from '../audit/audit-query.ts';
import { AuditRow } from '../audit/audit-row.tsx';
import { Button } from '../controls/button.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { parts, t } from '../words/words.ts';

/** For those who read the audit trail: the last calls to a server. */
export function RecentCalls({ server }: { server: Server }) {
  return (
    <Trail
      server={server}
      kind="mcp"
      title={t('Recent calls')}
      none={t('No call to this server is in the audit trail.')}
    />
  );
}

/** For those who read the audit trail: who changed a server, and what before and after were. */
export function EditHistory({ server }: { server: Server }) {
  return (
    <Trail
      server={server}
      kind="change"
      title={t('Changes')}
      none={t('No change of this server is in the audit trail since {registeredBy} registered it.', {
        registeredBy: server.registered_by,
      })}
    />
  );
}

function Trail({
  server,
  kind,
  title,
  none,
}: {
  server: Server;
  kind: 'mcp' | 'change';
  title: string;
  none: string;
}) {
  const found = useInfiniteQuery(auditOfServerQuery(server.path, kind));
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = found;
  const [open, setOpen] = useState<string>();
  const events = data?.pages.flatMap((page) => page.events) ?? [];
  const searchedTo = data?.pages.at(-1)?.searched_to;
  return (
    <section aria-label={title} className="grid min-w-0 content-start gap-2">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="text-lead font-semibold">{title}</h2>
        <Link
          to="/audit"
          search={{ q: server.path.slice(1), kind, period: '30d' }}
          className="rounded-sm py-1 underline underline-offset-4"
        >
          {
            <>
              {t('In the audit trail')}
              <span className="sr-only">: {title}</span>
            </>
          }
        </Link>
      </div>
      {isPending && <Pending rows={3} />}
      {error && <Problem error={error} retry={() => void (data ? fetchNextPage() : refetch())} />}
      {data && events.length === 0 && !hasNextPage && <p className="text-quiet">{none}</p>}
      {events.length > 0 && (
        <ul aria-label={title} className="overflow-hidden rounded-lg border border-line bg-raised">
          {events.map((event) => (
            <AuditRow
              key={event.id}
              event={event}
              open={open === event.id}
              onToggleOpen={(id) => setOpen((now) => (now === id ? undefined : id))}
            />
          ))}
        </ul>
      )}
      {hasNextPage && (
        <div className="flex flex-wrap items-center gap-3">
          <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {isFetchingNextPage ? t('Looking') : t('Older')}
            <span className="sr-only">: {title}</span>
          </Button>
          {searchedTo && (
            <p className="text-quiet">
              {parts('back to {time}', { time: <RelativeTime iso={searchedTo} /> })}
            </p>
          )}
        </div>
      )}
    </section>
  );
}
