import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import type { Server } from '../api.ts';
import { RelativeTime } from '../controls/relative-time.tsx';
import { count, parts, t } from '../words/words.ts';
import { EnabledState } from './enabled-state.tsx';
import { FavouriteStar } from './favourite-star.tsx';
import { Health } from './health.tsx';
import { useServerSwitch } from './server-changes.ts';
import { NameTile } from './server-icon.tsx';

/** The columns of the list on a wide page, shared by its head and its rows. */
export const columns =
  'lg:grid-cols-[2rem_minmax(0,3fr)_minmax(0,5fr)_minmax(0,2.5fr)_2.5rem_minmax(0,1.5fr)_6.5rem_1.75rem]';

/** One server in the list, which leads to its page. */
export const ServerRow = memo(function ServerRow({ server }: { server: Server }) {
  const { on, change } = useServerSwitch(server);
  const { category } = server;
  const more = [category && `${category}`, ...server.tags.slice(0, 4).map((tag) => `#${tag}`)];
  return (
    <div
      className={`relative grid grid-cols-[2rem_minmax(0,1fr)_auto_1.75rem] items-center gap-x-3 gap-y-1 px-4 py-2.5 hover:bg-hover ${columns}`}
    >
      <NameTile name={server.server_name} />
      <div className="min-w-0">
        <h2 className="truncate font-semibold">
          <Link
            to="/servers/$"
            params={{ _splat: server.path.slice(1) }}
            preload={false}
            className="after:absolute after:inset-0"
          >
            {server.server_name}
          </Link>
        </h2>
        <p className="truncate font-mono text-code text-quiet">{server.path}</p>
      </div>
      <div className="min-w-0 max-lg:order-1 max-lg:col-span-3 max-lg:col-start-2">
        <p className="truncate">
          {server.description || <span className="text-quiet">{t('No description')}</span>}
        </p>
        <p className="truncate text-meta text-quiet">{more.filter(Boolean).join(' · ')}</p>
      </div>
      <div className="flex min-w-0 flex-wrap gap-x-4 max-lg:order-1 max-lg:col-span-3 max-lg:col-start-2 lg:contents">
        <div className="min-w-0">
          <Health server={server} />
          {server.health_detail === null && (
            <p className="truncate text-meta text-quiet max-lg:hidden">
              {server.last_checked_iso === null
                ? t('not checked yet')
                : parts('checked {time}', { time: <RelativeTime iso={server.last_checked_iso} /> })}
            </p>
          )}
        </div>
        <span className="text-quiet lg:text-right lg:tabular-nums">
          <span className="lg:hidden">{count(server.num_tools, '{n} tool', '{n} tools')}</span>
          <span className="max-lg:hidden">{server.num_tools}</span>
        </span>
        <span className="min-w-0 truncate text-quiet">
          <span className="sr-only">{t('Owner:')} </span>
          <span title={server.registered_by}>{server.registered_by}</span>
        </span>
      </div>
      <div className="relative max-lg:col-start-3 max-lg:row-start-1">
        <EnabledState name={server.server_name} on={on} onChange={server.can.toggle ? change : undefined} />
      </div>
      <div className="max-lg:col-start-4 max-lg:row-start-1">
        <FavouriteStar path={server.path} name={server.server_name} />
      </div>
    </div>
  );
});
