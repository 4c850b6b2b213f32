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

/** One server as a card, which leads to its page. */
export const ServerCard = memo(function ServerCard({
  server,
  onTag,
}: {
  server: Server;
  onTag: (tag: string) => void;
}) {
  const { on, change } = useServerSwitch(server);
  return (
    <li className="relative flex min-w-0 flex-col gap-2 rounded-lg border border-line bg-raised p-4 h-full hover:bg-hover">
      <div className="flex items-start gap-3">
        <NameTile name={server.server_name} />
        <div className="min-w-0 flex-1">
          <h2 className="font-semibold">
            <Link
              to="/servers/$"
              params={{ _splat: server.path.slice(1) }}
              preload={false}
              className="after:absolute after:inset-0"
            >
              {server.server_name}
            </Link>
          </h2>
          <p className="font-mono text-code text-quiet">{server.path}</p>
        </div>
        <div className="relative flex shrink-0 items-center gap-1">
          <FavouriteStar path={server.path} name={server.server_name} />
          <EnabledState name={server.server_name} on={on} onChange={server.can.toggle ? change : undefined} />
        </div>
      </div>
      <p className="line-clamp-3 grow">
        {server.description || <span className="text-quiet">{t('No description')}</span>}
      </p>
      <Tags tags={server.tags} things={t('servers')} onTag={onTag} />
      <div className="flex min-w-0 flex-wrap justify-between gap-x-4 gap-y-1">
        <Health server={server} />
        <span className="text-quiet">
          {count(server.num_tools, '{n} tool', '{n} tools')}
          {' · '}
          {server.last_checked_iso === null
            ? t('not checked yet')
            : parts('checked {time}', { time: <RelativeTime iso={server.last_checked_iso} /> })}
        </span>
      </div>
    </li>
  );
});

/** Tags that narrow the list of `things` when pressed; nothing without tags. */
function Tags({
  tags,
  things,
  onTag,
}: {
  tags: readonly string[];
  things: string;
  onTag: (tag: string) => void;
}) {
  if (tags.length === 0) return null;
  return (
    <ul aria-label={t('Tags')} className="mt-1 flex flex-wrap gap-1">
      {tags.map((tag) => (
        <li key={tag}>
          <button
            type="button"
            title={t('Show {things} tagged {tag}', { things, tag })}
            onClick={() => onTag(tag)}
            className="relative min-h-6 rounded-sm bg-sunken px-1.5 text-meta text-quiet hover:text-ink"
          >
            #{tag}
          </button>
        </li>
      ))}
    </ul>
  );
}
