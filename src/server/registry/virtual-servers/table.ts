import { nameOfPath } from '../../../contract/servers/servers.ts';
import type { Feed } from '../../changes/feed.ts';
import type { Db } from '../../db/tables.ts';
import type { Identity } from '../../identity/identity.ts';
import type { FindRoute, Route } from '../servers/route.ts';
import { type Resolved, resolve } from './resolve.ts';
import { listVirtualServers, ownerOf, type VirtualServerRow } from './store.ts';

/** A virtual server as the data plane sees it. */
export interface Virtual {
  /** The name in scopes: `virtual/{slug}`. */
  readonly name: string;
  readonly row: VirtualServerRow;
  /** Its owner's own: that is the grant. */
  readonly isPersonal: boolean;
  readonly resolved: Resolved;
}

/** The virtual servers in memory, kept current by the change feed. */
export interface VirtualTable {
  /** By its name: the shared one, or the identity's own. Enabled or not. */
  find(name: string, identity: Pick<Identity, 'provider' | 'subject'>): Virtual | undefined;
  /** The same from a row that need not be in the table yet. */
  of(row: VirtualServerRow): Virtual;
  close(): void;
}

interface Known {
  readonly row: VirtualServerRow;
  /** What it was resolved with, to see whether that still stands. */
  members: readonly (readonly [name: string, route: Route | undefined])[];
  virtual: Virtual | undefined;
}

/** What the table is read from. */
export interface VirtualTableWorld {
  readonly db: Db;
  readonly feed: Pick<Feed, 'follow'>;
  readonly findRoute: FindRoute;
}

/** Reads the virtual servers and keeps them current; each is resolved at its first use after a change. */
export async function startVirtualTable({ db, feed, findRoute }: VirtualTableWorld): Promise<VirtualTable> {
  const known = new Map<string, Known>();
  let changes = 0;
  const read = async (path?: string): Promise<void> => {
    const rows = await listVirtualServers(db, path);
    for (const [key, { row }] of known) if (path === undefined || row.path === path) known.delete(key);
    for (const row of rows) known.set(keyOf(row.path, row.owner), fresh(row));
  };
  const close = feed.follow(['virtual_server'], async ({ key }) => {
    changes += 1;
    await read(key ?? undefined);
  });
  // What changes while everything is read may be older in the reading.
  for (let before = -1; before !== changes; ) {
    before = changes;
    await read();
  }
  return {
    find(name, identity) {
      const owner = name.startsWith('virtual/me/') ? ownerOf(identity) : '';
      const entry = known.get(keyOf(`/${name}`, owner));
      return entry && current(entry, findRoute);
    },
    of(row) {
      const entry = known.get(keyOf(row.path, row.owner));
      const same = entry?.row.id === row.id && entry.row.revision === row.revision;
      return current(same ? entry : fresh(row), findRoute);
    },
    close,
  };
}

function fresh(row: VirtualServerRow): Known {
  return { row, members: [], virtual: undefined };
}

function current(entry: Known, findRoute: FindRoute): Virtual {
  // Routes are made anew at each change, so the same route is the same state.
  if (entry.virtual && entry.members.every(([name, route]) => findRoute(name) === route))
    return entry.virtual;
  const { row } = entry;
  const resolved = resolve(row.definition, findRoute);
  entry.members = resolved.servers.map((name) => [name, findRoute(name)]);
  entry.virtual = { name: nameOfPath(row.path), row, isPersonal: row.owner !== '', resolved };
  return entry.virtual;
}

function keyOf(path: string, owner: string): string {
  return `${path}\n${owner}`;
}
