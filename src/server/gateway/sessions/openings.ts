import type { IncomingMessage } from 'node:http';

/**
 * The legacy event streams (HTTP GET) of sessions that are being opened. A stream has a connection of its own, which has to
 * be made first, so a call that the client sent behind it would overtake it on a connection that stands; what the server
 * then sends on that stream (sampling, elicitation) would have nowhere to go. Such a call waits here instead.
 */
export interface Openings {
  /** Notes the stream that a request opens when it arrives, before anything is awaited; undefined when it opens none. */
  begin(req: IncomingMessage): Opening | undefined;
  /** Waits while a stream of the request's session, sent by the same caller before it, is being opened. */
  turnOf(req: IncomingMessage): Promise<void> | undefined;
}

/** One stream that is being opened. */
export interface Opening {
  /** The server has answered, or will not: what waited goes on. */
  done(): void;
}

interface Entry extends Opening {
  readonly waiting: (() => void)[];
  timer: NodeJS.Timeout | undefined;
}

/**
 * Nothing is being opened yet. Nobody waits for longer than `waitMs`: some servers send no headers before the first event.
 * Only who proves itself by the very same credential is waited for, so nobody can hold up somebody else's calls.
 */
export function createOpenings(waitMs: number): Openings {
  const entries = new Map<string, Entry>();
  const begin = (key: string): Entry => {
    const entry: Entry = {
      waiting: [],
      timer: undefined,
      done() {
        if (entries.get(key) === entry) entries.delete(key);
        clearTimeout(entry.timer);
        for (const go of entry.waiting.splice(0)) go();
      },
    };
    // Of two streams opened at once for one session the later counts; servers refuse one of them anyhow.
    entries.get(key)?.done();
    entries.set(key, entry);
    return entry;
  };
  return {
    begin(req) {
      const key = req.method === 'GET' ? keyOf(req) : undefined;
      return key === undefined ? undefined : begin(key);
    },
    turnOf(req) {
      const key = entries.size > 0 ? keyOf(req) : undefined;
      const entry = key === undefined ? undefined : entries.get(key);
      if (!entry) return undefined;
      entry.timer ??= setTimeout(entry.done, waitMs);
      return new Promise((go) => entry.waiting.push(go));
    },
  };
}

/** Undefined for what belongs to no session: then there is no telling which calls a stream is for. */
function keyOf({ url, headers }: IncomingMessage): string | undefined {
  const session = headers['mcp-session-id'];
  if (typeof session !== 'string') return undefined;
  return JSON.stringify([url, session, headers.authorization, headers['x-authorization']]);
}
