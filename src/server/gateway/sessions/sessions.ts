import { LRUCache } from 'lru-cache';
import { Failure } from '../../failure/errors.ts';
import { createSeals } from './seals.ts';

/** Whose session it is: one holder's at one server. */
export interface SessionPlace {
  /** The server's row id: a server registered anew under the same path is another one. */
  readonly serverId: string;
  readonly origin: string;
  readonly holder: string;
}

/**
 * Session ids of the legacy eras (`Mcp-Session-Id`). A session id is no credential, so clients get the server's id sealed
 * for who opened it: what is somebody else's, another server's or made up is unknown, here, after a restart and in every
 * process with the same keys. Only this tells: nothing has to be remembered.
 */
export interface McpSessions {
  /** The server's id behind one that a client sent; fails with `not_found`, as for an expired session, when it is none. */
  open(place: SessionPlace, id: string): string;
  /** The id that the client gets for the server's. */
  seal(place: SessionPlace, id: string): string;
}

/** Opened ids that are kept at hand, because opening costs more than looking up. */
const keptAtHand = 10_000;
/** A server's id that is longer would not fit into a request's headers once it is sealed. */
const longest = 4_096;

/** Seals with the first key, opens with all. */
export function createSessions(keys: readonly [Buffer, ...Buffer[]]): McpSessions {
  const seals = createSeals(keys);
  const opened = new LRUCache<string, { readonly holder: string; readonly id: string }>({ max: keptAtHand });
  return {
    open({ serverId, origin, holder }, sealed) {
      const whose = `${serverId} ${origin} ${holder}`;
      const known = opened.get(sealed);
      if (known?.holder === whose) return known.id;
      const id = known ? undefined : seals.open(sealed, [serverId, origin, holder]);
      if (id === undefined)
        throw new Failure('not_found', 'This session is not known; begin with initialize.');
      opened.set(sealed, { holder: whose, id });
      return id;
    },
    seal({ serverId, origin, holder }, id) {
      if (id.length > longest)
        throw new Failure(
          'upstream_invalid',
          `The server returned a session id of more than ${longest} characters.`,
        );
      const sealed = seals.seal(id, [serverId, origin, holder]);
      opened.set(sealed, { holder: `${serverId} ${origin} ${holder}`, id });
      return sealed;
    },
  };
}
