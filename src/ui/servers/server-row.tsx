import { ChevronRight } from 'lucide-react';
import { memo, useId } from 'react';
import type { Server } from '../api.ts';
import { RelativeTime } from '../controls/relative-time.tsx';
import { Tags } from '../controls/tags.tsx';
import { EnabledState } from './enabled-state.tsx';
import { Health } from './health.tsx';
import { useServerSwitch } from './server-changes.ts';
import { ServerDetail } from './server-detail.tsx';

/** The columns of the list on a wide page, shared by its head and its rows. */
export const columns = 'lg:grid-cols-[1rem_minmax(0,3fr)_minmax(0,5fr)_minmax(0,2.5fr)_3rem_6.5rem_6.5rem]';

/** One server in the list, which opens to its details. */
export const ServerRow = memo(function ServerRow({
  server,
  open,
  onToggleOpen,
  onTag,
}: {
  server: Server;
  open: boolean;
  onToggleOpen: (path: string) => void;
  onTag: (tag: string) => void;
}) {
  const detail = useId();
  const { on, change } = useServerSwitch(server);
  return (
    <li className="border-b border-line [contain-intrinsic-size:auto_4rem] [content-visibility:auto] last:border-0">
      <div
        className={`relative grid grid-cols-[1rem_minmax(0,1fr)_auto] items-start gap-x-3 gap-y-1 px-4 py-3 hover:bg-hover ${columns}`}
      >
        <ChevronRight
          size={16}
          aria-hidden
          className={`mt-0.5 text-quiet motion-safe:transition-transform ${open ? 'rotate-90' : ''}`}
        />
        <div className="min-w-0">
          <h2 className="font-semibold">
            <button
              type="button"
              aria-expanded={open}
              aria-controls={open ? detail : undefined}
              onClick={() => onToggleOpen(server.path)}
              className="text-left after:absolute after:inset-0"
            >
              {server.server_name}
            </button>
          </h2>
          <p className="font-mono text-code text-quiet">{server.path}</p>
        </div>
        <div className="min-w-0 max-lg:order-1 max-lg:col-span-2 max-lg:col-start-2">
          <p
            className={
              open ? 'whitespace-pre-line' : server.tags.length > 0 ? 'line-clamp-1' : 'line-clamp-2'
            }
          >
            {server.description || <span className="text-quiet">No description</span>}
          </p>
          <Tags tags={server.tags} things="servers" onTag={onTag} />
        </div>
        <div className="flex min-w-0 flex-wrap gap-x-4 max-lg:order-1 max-lg:col-span-2 max-lg:col-start-2 lg:contents">
          <Health server={server} />
          <span className="text-quiet lg:text-right">
            {server.num_tools} <span className="lg:sr-only">{server.num_tools === 1 ? 'tool' : 'tools'}</span>
          </span>
          <span className="text-quiet">
            <span className="sr-only">Last checked: </span>
            {server.last_checked_iso === null ? 'never' : <RelativeTime iso={server.last_checked_iso} />}
          </span>
        </div>
        <div className="relative max-lg:col-start-3 max-lg:row-start-1 lg:-mt-1">
          <EnabledState name={server.server_name} on={on} onChange={server.can.toggle ? change : undefined} />
        </div>
      </div>
      {open && (
        <div id={detail} className="border-t border-line bg-paper px-4 py-4 sm:pl-11">
          <ServerDetail server={server} />
        </div>
      )}
    </li>
  );
});
