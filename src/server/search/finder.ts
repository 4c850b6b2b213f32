import type { Allow } from '../db/allowance.ts';
import { Failure } from '../failure/errors.ts';
import type { Embeddings } from './embeddings.ts';
import { keyOf } from './follow.ts';
import type { Item } from './item.ts';
import type { Engine, Options, Results } from './search.ts';
import type { SearchIndex } from './search-index.ts';
import type { SearchRights } from './view.ts';

/** Finds things for somebody: `W` is who, which this room does not look into. */
export interface Finder<W> {
  /** What `who` finds, the best first, at most 500; fails with `too_many_requests` when asked too often. */
  search(who: W, text: string, options?: Options): Promise<Results>;
  /** Every server that is switched on, whoever may see it, by path. */
  enabledServers(): Promise<readonly Item[]>;
  /** The tools of the server at a path that `who` may call. */
  toolsOf(who: W, path: string, includeDisabled?: boolean): Item[];
}

/** What finding works with. */
export interface FinderWorld<W> {
  readonly engine: Engine;
  /** Resolves when the index is there. */
  readonly ready: Promise<void>;
  /** A service that knows more about meaning; undefined where none is set. */
  readonly embeddings?: Pick<Embeddings, 'nearnessTo'> | undefined;
  readonly rightsOf: (who: W) => SearchRights;
  /** The same for all that one person or agent sends. */
  readonly nameOf: (who: W) => string;
  /** Searches of one person or agent in a minute; 0: as many as they like. */
  readonly perMinute: number;
  readonly allow: Allow;
}

/** Makes the finder. */
export function createFinder<W>(world: FinderWorld<W>): Finder<W> {
  const { engine, ready, rightsOf, nameOf } = world;
  let servers: { index: SearchIndex; version: number; items: readonly Item[] } | undefined;
  const { perMinute, allow } = world;
  return {
    async search(who, text, options) {
      const rate = { burst: perMinute, perMinute };
      const retryAfter = perMinute === 0 ? 0 : await allow(JSON.stringify(['search', nameOf(who)]), rate);
      if (retryAfter > 0)
        throw new Failure('too_many_requests', 'You search more often than this gateway allows.', {
          retryAfter,
        });
      await ready;
      const nearness = text.trim() === '' ? undefined : await world.embeddings?.nearnessTo(text.trim());
      return engine.search(rightsOf(who), text, { ...options, nearness });
    },
    async enabledServers() {
      await ready;
      if (servers?.version !== engine.index.version || servers.index !== engine.index)
        servers = { index: engine.index, version: engine.index.version, items: engine.enabledServers() };
      return servers.items;
    },
    toolsOf(who, path, includeDisabled) {
      const found = engine.visible(rightsOf(who), keyOf('server', path), includeDisabled);
      return found.filter(({ kind }) => kind === 'tool');
    },
  };
}
