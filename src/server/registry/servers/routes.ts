import { nameOfPath } from '../../../contract/servers.ts';
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
  const readAll = async (): Promise<void> => {
    const read = (await listServers(db)).map((row) => routeOf(row, credentialsOf));
    routes = new Map(read.map((route) => [route.name, route]));
  };
  let changes = 0;
  const close = feed.follow(['server'], async ({ key }) => {
    changes += 1;
    if (key === null) return readAll();
    const row = await find(db, key);
    if (row) routes.set(nameOfPath(key), routeOf(row, credentialsOf));
    else routes.delete(nameOfPath(key));
  });
  // What changes while everything is read may be older in the reading.
  for (let before = -1; before !== changes; ) {
    before = changes;
    await readAll();
  }
  return { find: (name) => routes.get(name), all: () => routes.values(), close };
}

function routeOf(row: ServerRow, credentialsOf: CredentialsOf): Route {
  return {
    id: row.id,
    name: nameOfPath(row.path),
    enabled: row.isEnabled,
    callMs: row.definition.call_timeout_seconds === null ? null : row.definition.call_timeout_seconds * 1000,
    ...endpointsOf(row.definition),
    tools: row.tools?.tools ?? [],
    offers: row.tools?.offers ?? null,
    protocolVersion: row.health?.protocolVersion ?? null,
    version: row.definition.version,
    health: healthOf(row),
    credentials: credentialsOf(row),
  };
}
