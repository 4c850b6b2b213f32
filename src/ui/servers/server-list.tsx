import { memo, useDeferredValue, useLayoutEffect, useMemo, useState } from 'react';
import type { Server } from '../api.ts';
import { useRows } from '../controls/rows.ts';
import { t } from '../words/words.ts';
import { ServerCard } from './server-card.tsx';
import { columns, ServerRow } from './server-row.tsx';
import type { ServerView } from './server-view.ts';

/** The narrowest card in pixels, and the space between two. */
const [cardWidth, gap] = [320, 12];

const Rows = memo(function Rows({ servers }: { servers: readonly Server[] }) {
  const { list, virtual } = useRows<HTMLUListElement>(servers.length, 65);
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-raised">
      <div
        aria-hidden
        className={`hidden gap-x-3 border-b border-line px-4 py-2 text-meta font-medium text-quiet lg:grid ${columns}`}
      >
        <span className="col-span-2">{t('Server')}</span>
        <span>{t('Description')}</span>
        <span>{t('Health')}</span>
        <span className="text-right">{t('Tools')}</span>
        <span>{t('Owner')}</span>
        <span>{t('State')}</span>
      </div>
      <ul
        ref={list}
        aria-label={t('Servers')}
        className="relative"
        style={{ height: virtual.getTotalSize() }}
      >
        {virtual.getVirtualItems().map(({ index, start }) => {
          const server = servers[index];
          return server ? (
            <li
              key={server.id}
              ref={virtual.measureElement}
              data-index={index}
              aria-posinset={index + 1}
              aria-setsize={servers.length}
              className="absolute inset-x-0 top-0 border-b border-line"
              style={{ transform: `translateY(${start - virtual.options.scrollMargin}px)` }}
            >
              <ServerRow server={server} />
            </li>
          ) : null;
        })}
      </ul>
    </div>
  );
});

const Cards = memo(function Cards({
  servers,
  onTag,
}: {
  servers: readonly Server[];
  onTag: (tag: string) => void;
}) {
  const [across, setAcross] = useState(3);
  const { list, virtual } = useRows<HTMLElement>(Math.ceil(servers.length / across), 200);
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    const measure = (): void =>
      setAcross(Math.max(1, Math.floor((element.clientWidth + gap) / (cardWidth + gap))));
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [list]);
  return (
    <section
      ref={list}
      aria-label={t('Servers')}
      className="relative"
      style={{ height: virtual.getTotalSize() }}
    >
      {virtual.getVirtualItems().map(({ index, start }) => (
        <div
          key={index}
          ref={virtual.measureElement}
          data-index={index}
          className="absolute inset-x-0 top-0 pb-3"
          style={{ transform: `translateY(${start - virtual.options.scrollMargin}px)` }}
        >
          <ul
            aria-label={t('Servers {from} to {to}', {
              from: index * across + 1,
              to: Math.min((index + 1) * across, servers.length),
            })}
            className="grid gap-3"
            style={{ gridTemplateColumns: `repeat(${across}, minmax(0, 1fr))` }}
          >
            {servers.slice(index * across, (index + 1) * across).map((server) => (
              <ServerCard key={server.id} server={server} onTag={onTag} />
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
});

/**
 * The servers as a table or as cards. Only what is near the screen is drawn, so that a long list holds up neither the first
 * screen nor a key.
 */
export function ServerList({
  servers,
  view,
  onTag,
}: {
  servers: readonly Server[];
  view: ServerView;
  onTag: (tag: string) => void;
}) {
  const wanted = useMemo(() => ({ servers, view }), [servers, view]);
  const shown = useDeferredValue(wanted);
  return shown.view === 'cards' ? (
    <Cards servers={shown.servers} onTag={onTag} />
  ) : (
    <Rows servers={shown.servers} />
  );
}
