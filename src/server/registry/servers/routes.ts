import { nameOfPath } from '../../../contract/servers.ts';
import type { CredentialsOf } from './credential.ts';
import { endpointsOf } from './endpoints.ts';
import { healthOf } from './present.ts';
import type { FindRoute, Route } from './route.ts';
import type { ServerRow } from './store.ts';

/** Told after each change: the new route, or undefined when the server is gone. */
export type RouteListener = (name: string, route: Route | undefined) => void;

/** The servers as the data plane sees them: in memory, brought up to date at each change. */
export interface Routes {
  readonly find: FindRoute;
  /** Every route, in no order. */
  all(): Iterable<Route>;
  /** Takes in a server as it is stored now. */
  put(row: ServerRow): void;
  /** Takes out the server at `path`. */
  drop(path: string): void;
  /** Calls `listener` after each change; answers how to stop that. */
  onChange(listener: RouteListener): () => void;
}

/** Makes the route table of the servers in store, with the headers that `credentialsOf` prepares at each change. */
export function createRoutes(rows: Iterable<ServerRow>, credentialsOf: CredentialsOf): Routes {
  const routes = new Map<string, Route>();
  const listeners = new Set<RouteListener>();
  for (const row of rows) routes.set(nameOfPath(row.path), routeOf(row, credentialsOf));
  return {
    find: (name) => routes.get(name),
    all: () => routes.values(),
    put(row) {
      const route = routeOf(row, credentialsOf);
      routes.set(route.name, route);
      for (const listener of listeners) listener(route.name, route);
    },
    drop(path) {
      const name = nameOfPath(path);
      if (routes.delete(name)) for (const listener of listeners) listener(name, undefined);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function routeOf(row: ServerRow, credentialsOf: CredentialsOf): Route {
  return {
    id: row.id,
    name: nameOfPath(row.path),
    enabled: row.isEnabled,
    ...endpointsOf(row.definition),
    tools: row.tools?.tools ?? [],
    offers: row.tools?.offers ?? null,
    protocolVersion: row.health?.protocolVersion ?? null,
    version: row.definition.version,
    health: healthOf(row),
    credentials: credentialsOf(row),
  };
}
