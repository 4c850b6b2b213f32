import { nameOfPath } from '../../../contract/servers/servers.ts';
import type { Feed } from '../../changes/feed.ts';
import type { Db } from '../../db/tables.ts';
import type { CredentialsOf } from './credential.ts';
import { endpointsOf } from './endpoints.ts';
import { healthOf } from './present.ts';
import type { FindRoute, Route } from './route.ts';
import { find, listServers, type ServerRow } from './store.ts';

/** The servers as the data plane sees them: in memory, brought up to date by the change feed. */
export interface Routes {
  readonly find: FindRoute;
  /** Every route, in no order. */
  all(): Iterable<Route>;
  /** Every server as it is stored, by its name; what a check found may be newer in the database. */
  rows(): readonly ServerRow[];
  close(): void;
}

/** What the route table is read from. */
export interface RoutesWorld {
  readonly db: Db;
  readonly feed: Pick<Feed, 'follow'>;
  /** Prepares the headers that go to a server; called at each change of it. */
  readonly credentialsOf: CredentialsOf;
}

/** Reads the route table and keeps it current: a server is read again at each change of it. */
export async function startRoutes({ db, feed, credentialsOf }: RoutesWorld): Promise<Routes> {
  let routes = new Map<string, Route>();
  let rows = new Map<string, ServerRow>();
  let sorted: readonly ServerRow[] | undefined;
  const readAll = async (): Promise<void> => {
    const read = await listServers(db);
    rows = new Map(read.map((row) => [nameOfPath(row.path), row]));
    routes = new Map(read.map((row) => [nameOfPath(row.path), routeOf(row, credentialsOf)]));
    sorted = undefined;
  };
  let changes = 0;
  const close = feed.follow(['server'], async ({ key }) => {
    changes += 1;
    if (key === null) return readAll();
    const row = await find(db, key);
    const name = nameOfPath(key);
    sorted = undefined;
    if (row) {
      rows.set(name, row);
      routes.set(name, routeOf(row, credentialsOf));
    } else {
      rows.delete(name);
      routes.delete(name);
    }
  });
  // What changes while everything is read may be older in the reading.
  for (let before = -1; before !== changes; ) {
    before = changes;
    await readAll();
  }
  return {
    find: (name) => routes.get(name),
    all: () => routes.values(),
    rows() {
      sorted ??= byName([...rows.values()]);
      return sorted;
    },
    close,
  };
}

function byName(rows: readonly ServerRow[]): ServerRow[] {
  return rows
    .map((row) => ({ row, name: row.definition.server_name.toLowerCase() }))
    .sort((a, b) => compare(a.name, b.name) || compare(a.row.path, b.row.path))
    .map(({ row }) => row);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function routeOf(row: ServerRow, credentialsOf: CredentialsOf): Route {
  return {
    id: row.id,
    name: nameOfPath(row.path),
    enabled: row.isEnabled,
    callMs: row.definition.call_timeout_seconds === null ? null : row.definition.call_timeout_seconds * 1000,
    ...endpointsOf(row.definition),
    tools: row.tools?.tools ?? [],
    invalidTools: row.tools?.invalid ? new Set(row.tools.invalid) : null,
    offers: row.tools?.offers ?? null,
    protocolVersion: row.health?.protocolVersion ?? null,
    version: row.definition.version,
    health: healthOf(row),
    credentials: credentialsOf(row),
    egress: row.egress,
  };
}
