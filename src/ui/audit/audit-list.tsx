import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';
import { Button } from '../controls/button.tsx';
import { Empty } from '../controls/empty.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { count, parts, t } from '../words/words.ts';
import { AuditDetail } from './audit-detail.tsx';
import { auditEventsQuery } from './audit-query.ts';
import { AuditRow, auditColumns } from './audit-row.tsx';
import type { AuditSearch } from './audit-search.ts';

/** The events of a view, newest first; older ones when asked for. */
export function AuditList({ search }: { search: AuditSearch }) {
  const { open } = search;
  const navigate = useNavigate({ from: '/audit' });
  const found = useInfiniteQuery(auditEventsQuery(search));
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = found;
  const toggleOpen = useCallback(
    (id: string) =>
      void navigate({
        search: (now: AuditSearch) => ({ ...now, open: now.open === id ? undefined : id }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  if (isPending) return <Pending rows={8} />;
  if (!data) return <Problem error={error} retry={() => void refetch()} />;
  const events = data.pages.flatMap((page) => page.events);
  const last = data.pages.at(-1);
  return (
    <>
      {/* A link to an event works though the event is on no page that is here. */}
      {open && !events.some(({ id }) => id === open) && (
        <section
          aria-label={t('The chosen event')}
          className="mb-3 rounded-lg border border-line bg-raised p-4"
        >
          <AuditDetail id={open} />
        </section>
      )}
      {events.length === 0 && !hasNextPage && (
        <Empty>{t('No event matches. Choose a longer time, or remove a filter.')}</Empty>
      )}
      {events.length > 0 && (
        <div className="overflow-hidden rounded-lg border border-line bg-raised">
          <div
            aria-hidden
            className={`hidden gap-x-3 border-b border-line px-4 py-2 text-meta font-medium text-quiet lg:grid ${auditColumns}`}
          >
            <span />
            <span>{t('Time')}</span>
            <span>{t('What')}</span>
            <span>{t('Kind')}</span>
            <span>{t('Outcome')}</span>
          </div>
          <ul aria-label={t('Events')}>
            {events.map((event) => (
              <AuditRow key={event.id} event={event} open={open === event.id} onToggleOpen={toggleOpen} />
            ))}
          </ul>
        </div>
      )}
      <div className="mt-3 flex flex-wrap items-center gap-3">
        {hasNextPage && (
          <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {isFetchingNextPage ? t('Looking') : t('Older events')}
          </Button>
        )}
        <p role="status" className="text-quiet">
          {hasNextPage
            ? count(events.length, '{n} event so far', '{n} events so far')
            : count(events.length, '{n} event', '{n} events')}
          {last?.searched_to && parts(', back to {time}', { time: <RelativeTime iso={last.searched_to} /> })}
        </p>
      </div>
      {error && <Problem error={error} retry={() => void fetchNextPage()} />}
    </>
  );
}
