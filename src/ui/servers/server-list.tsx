import { useDeferredValue, useMemo } from 'react';
import type { Server } from '../api.ts';
import { ServerCard } from './server-card.tsx';
import { columns, ServerRow } from './server-row.tsx';
import type { ServerView } from './server-view.ts';

/** What fills the screen when the list is first shown. */
const firstScreen = 30;

/**
 * The servers as a table or as cards. A long list follows what is typed and chosen when there is time: it holds up
 * neither the first screen nor a key.
 */
export function ServerList({
  servers,
  view,
  open,
  onToggleOpen,
  onTag,
}: {
  servers: readonly Server[];
  view: ServerView;
  open: string | undefined;
  onToggleOpen: (path: string) => void;
  onTag: (tag: string) => void;
}) {
  const wanted = useMemo(() => ({ servers, view }), [servers, view]);
  const shown = useDeferredValue(wanted, { servers: servers.slice(0, firstScreen), view });
  return shown.view === 'cards' ? (
    <ul aria-label="Servers" className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
      {shown.servers.map((server) => (
        <ServerCard key={server.id} server={server} onTag={onTag} />
      ))}
    </ul>
  ) : (
    <div className="overflow-hidden rounded-lg border border-line bg-raised">
      <div
        aria-hidden
        className={`hidden gap-x-3 border-b border-line px-4 py-2 text-meta font-medium text-quiet lg:grid ${columns}`}
      >
        <span />
        <span>Server</span>
        <span>Description</span>
        <span>Health</span>
        <span className="text-right">Tools</span>
        <span>Checked</span>
        <span>State</span>
      </div>
      <ul aria-label="Servers">
        {shown.servers.map((server) => (
          <ServerRow
            key={server.id}
            server={server}
            open={open === server.path}
            onToggleOpen={onToggleOpen}
            onTag={onTag}
          />
        ))}
      </ul>
    </div>
  );
}
