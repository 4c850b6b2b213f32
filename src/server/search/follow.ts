import { setTimeout as pause } from 'node:timers/promises';
import type { Feed } from '../changes/feed.ts';
import type { Db } from '../db/tables.ts';
import { type Item, itemOfAgent, itemOfVirtualServer, itemsOfServer } from './item.ts';
import type { createEngine } from './search.ts';
import type { SearchIndex } from './search-index.ts';

/** What keeps the index current. */
export interface FollowWorld {
  readonly db: Db;
  readonly feed: Pick<Feed, 'follow'>;
  readonly log: { error(facts: object, message: string): void };
}

/** An index that follows the database. */
export interface Following {
  /** Resolves when the index has been built for the first time. */
  readonly ready: Promise<void>;
  /** Resolves when every change that was told so far is in the index. */
  settled(): Promise<void>;
  close(): void;
}

/** The kinds of change that the index follows, which are the kinds of thing that stand at a path. */
const followed = ['server', 'agent', 'virtual_server'] as const;
type Followed = (typeof followed)[number];

/** Where the things of a kind are read from the database. */
interface Source {
  readonly kind: Followed;
  /** The next paths after one, in their order. */
  paths(db: Db, after: string): Promise<string[]>;
  /** What is at a path; nothing when it is gone. */
  read(db: Db, path: string): Promise<Item[]>;
}

/** How many paths are read at once. */
const page = 200;
/** How long the thread is kept at most before others have their turn, in milliseconds. */
const turnMs = 1;
/** How long others then have it for themselves: thousands of servers must not be felt by the calls right after the start. */
const pauseMs = 4;

const sources: readonly Source[] = [
  {
    kind: 'server',
    async paths(db, after) {
      const rows = db
        .selectFrom('servers')
        .select('path')
        .where('path', '>', after)
        .orderBy('path')
        .limit(page);
      return (await rows.execute()).map(({ path }) => path);
    },
    async read(db, path) {
      const row = await db
        .selectFrom('servers')
        .select(['path', 'definition', 'is_enabled', 'tools'])
        .where('path', '=', path)
        .executeTakeFirst();
      return row ? itemsOfServer(row) : [];
    },
  },
  {
    kind: 'agent',
    async paths(db, after) {
      const rows = db
        .selectFrom('agents')
        .select('path')
        .where('path', '>', after)
        .orderBy('path')
        .limit(page);
      return (await rows.execute()).map(({ path }) => path);
    },
    async read(db, path) {
      const row = await db
        .selectFrom('agents')
        .select(['path', 'definition', 'card', 'is_enabled'])
        .where('path', '=', path)
        .executeTakeFirst();
      return row ? [itemOfAgent(row)] : [];
    },
  },
  {
    kind: 'virtual_server',
    async paths(db, after) {
      const rows = db
        .selectFrom('virtual_servers')
        .select('path')
        .where('owner', '=', '')
        .where('path', '>', after)
        .orderBy('path')
        .limit(page);
      return (await rows.execute()).map(({ path }) => path);
    },
    async read(db, path) {
      // Personal ones are for their owner alone, who made them and needs no search.
      const row = await db
        .selectFrom('virtual_servers')
        .select(['path', 'definition', 'is_enabled'])
        .where('path', '=', path)
        .where('owner', '=', '')
        .executeTakeFirst();
      return row ? [itemOfVirtualServer(row)] : [];
    },
  },
];

/** Builds the index from the database in short turns, so that calls go on meanwhile, and keeps it current. */
export function followDatabase(engine: ReturnType<typeof createEngine>, world: FollowWorld): Following {
  const { db, feed, log } = world;
  let closed = false;
  let building = true;
  // One after the other, so that an older state never replaces a newer one.
  let work: Promise<void> = Promise.resolve();
  const next = (run: () => Promise<void>): Promise<void> => {
    work = work
      .then(() => (closed ? undefined : run()))
      .catch((error: unknown) =>
        log.error({ err: error }, 'the search index could not be brought up to date'),
      );
    return work;
  };
  const rebuild = async (): Promise<void> => {
    building = true;
    try {
      const index = engine.empty();
      for (const source of sources) await readAll(source, db, index, () => closed);
      if (!closed) engine.replace(index);
    } finally {
      building = false;
    }
  };
  const update = async (source: Source, path: string): Promise<void> => {
    const [key, items] = [keyOf(source.kind, path), await source.read(db, path)];
    if (sameItems(engine.index.under(key), items)) return;
    if (engine.index.isGappy) await rebuild();
    else await putInTurns(engine.index, key, items);
  };
  // Who changed something finds it changed at once; a whole index is not waited for.
  const leave = feed.follow(followed, ({ kind, key }) => {
    const source = sources.find((one) => one.kind === kind);
    if (!source) return;
    const done = next(() => (key === null ? rebuild() : update(source, key)));
    if (key !== null && !building) return done;
  });
  const ready = next(rebuild);
  return {
    ready,
    settled: () => work,
    close() {
      closed = true;
      leave();
    },
  };
}

/** The key under which the items of a server or agent are put. */
export function keyOf(kind: Followed, path: string): string {
  return `${kind} ${path}`;
}

async function readAll(source: Source, db: Db, index: SearchIndex, closed: () => boolean): Promise<void> {
  for (let after = ''; ; ) {
    const paths = await source.paths(db, after);
    for (const path of paths) {
      if (closed()) return;
      const items = await source.read(db, path);
      if (items.length > 0) await putInTurns(index, keyOf(source.kind, path), items);
    }
    if (paths.length < page) return;
    after = paths.at(-1) ?? '';
  }
}

/** Puts items into an index; after some milliseconds whatever else waits has its turn. */
async function putInTurns(index: SearchIndex, key: string, items: readonly Item[]): Promise<void> {
  for (const _ of index.putInSteps(key, items)) {
    if (performance.now() - turnBegan < turnMs) continue;
    await pause(pauseMs);
    turnBegan = performance.now();
  }
}
let turnBegan = 0;

function sameItems(before: readonly Item[], after: readonly Item[]): boolean {
  return before.length === after.length && JSON.stringify(before) === JSON.stringify(after);
}
