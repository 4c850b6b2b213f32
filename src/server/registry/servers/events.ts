import { nameOfPath, type ServerEvent } from '../../../contract/servers/servers.ts';
import type { Access } from '../../access/caller.ts';
import type { Feed } from '../../changes/feed.ts';
import type { Db } from '../../db/tables.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { present } from './present.ts';
import { find, type ServerRow } from './store.ts';

/** What the events of servers are made from. */
export interface ServerEventsWorld {
  readonly db: Db;
  readonly feed: Pick<Feed, 'follow'>;
  /** What an identity may do now; asked for each event, so that a change of the scopes counts at once. */
  readonly accessOf: (identity: Identity) => Access;
  readonly decideTool: (identity: Identity, server: string, tool: string) => boolean;
  /** Streams at the same time, and of one identity; 1000 and 20 unless given. */
  readonly limits?: { readonly streams: number; readonly perIdentity: number };
  /** Milliseconds between two comments that keep the connection open; 25 s unless given. */
  readonly keepAliveMs?: number;
  /** Milliseconds after which a stream ends, so that whoever listens proves again who it is; 120 s unless given. */
  readonly lifetimeMs?: number;
}

/** Tells browsers of each change of a server that they may see, by server-sent events (HTML Living Standard, 9.2). */
export interface ServerEvents {
  /** Opens the stream of one listener; fails with `overloaded` when there are as many as there may be. */
  open(identity: Identity): ReadableStream<Uint8Array>;
  readonly size: number;
  /** Ends the streams of these identities: whoever still may opens another. */
  end(isAffected: (identity: Identity) => boolean): void;
  /** Ends every stream; nothing more is told. */
  close(): void;
}

/** Chunks that wait for a listener before it is given up: it connects again and reads the list anew. */
const heldAtMost = 256;

interface Listener {
  readonly identity: Identity;
  send(text: string): void;
  end(): void;
}

/** Makes the source of the events of servers. */
export function createServerEvents(world: ServerEventsWorld): ServerEvents {
  const { streams, perIdentity } = world.limits ?? { streams: 1000, perIdentity: 20 };
  const listeners = new Set<Listener>();
  let closed = false;
  const stop = world.feed.follow(['server'], async ({ key }) => {
    if (listeners.size === 0) return;
    if (key !== null) return tell(world, listeners, key, await find(world.db, key));
    // Whoever connects again reads the whole list.
    for (const listener of listeners) listener.end();
  });
  const keeping = setInterval(() => {
    for (const listener of listeners) listener.send(': still here\n\n');
  }, world.keepAliveMs ?? 25_000).unref();
  return {
    open(identity) {
      const own = [...listeners].filter((other) => isSame(other.identity, identity)).length;
      if (closed || listeners.size >= streams || own >= perIdentity)
        throw new Failure(
          'overloaded',
          'Too many clients are listening for changes. Poll GET /api/servers instead.',
        );
      const left = Math.max(0, identity.expiresAt - Date.now());
      return streamOf(listeners, identity, Math.min(world.lifetimeMs ?? 120_000, left));
    },
    get size() {
      return listeners.size;
    },
    end(isAffected) {
      for (const listener of listeners) if (isAffected(listener.identity)) listener.end();
    },
    close() {
      closed = true;
      stop();
      clearInterval(keeping);
      for (const listener of listeners) listener.end();
    },
  };
}

function tell(
  world: ServerEventsWorld,
  listeners: ReadonlySet<Listener>,
  path: string,
  row: ServerRow | undefined,
): void {
  const name = nameOfPath(path);
  for (const listener of listeners) {
    const access = world.accessOf(listener.identity);
    if (access.may('list_service', name)) listener.send(eventOf(world, row, name, listener.identity, access));
  }
}

function eventOf(
  { decideTool }: ServerEventsWorld,
  row: ServerRow | undefined,
  name: string,
  identity: Identity,
  access: Access,
): string {
  if (!row) return `event: removed\ndata: ${JSON.stringify({ path: `/${name}` })}\n\n`;
  const mayCall = (tool: string): boolean => decideTool(identity, nameOfPath(row.path), tool);
  const shown = present(row, { access, publicUrl: '', mayCall });
  const { path, revision, is_enabled, num_tools, last_checked_iso } = shown;
  const { health_status, health_reason, health_detail } = shown;
  const event: ServerEvent = {
    ...{ path, revision, is_enabled, num_tools, last_checked_iso },
    ...{ health_status, health_reason, health_detail },
  };
  return `event: server\ndata: ${JSON.stringify(event)}\n\n`;
}

function streamOf(
  listeners: Set<Listener>,
  identity: Identity,
  lifetimeMs: number,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let listener: Listener;
  let ending: NodeJS.Timeout;
  const forget = (): void => {
    clearTimeout(ending);
    listeners.delete(listener);
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        listener = {
          identity,
          send(text) {
            if ((controller.desiredSize ?? 0) <= 0) listener.end();
            else controller.enqueue(encoder.encode(text));
          },
          end() {
            forget();
            controller.close();
          },
        };
        listeners.add(listener);
        ending = setTimeout(listener.end, lifetimeMs).unref();
        listener.send('retry: 2000\n\n');
      },
      cancel: forget,
    },
    { highWaterMark: heldAtMost },
  );
}

function isSame(a: Identity, b: Identity): boolean {
  return a.provider === b.provider && a.subject === b.subject;
}
