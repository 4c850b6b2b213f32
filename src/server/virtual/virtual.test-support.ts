import { virtualServerDefinition } from '../../contract/servers/virtual-servers.ts';
import type { Access } from '../access/caller.ts';
import type { Db } from '../db/tables.ts';
import type { GatewayWorld } from '../gateway/world.ts';
import type { Route } from '../registry/servers/route.ts';
import { resolve } from '../registry/virtual-servers/resolve.ts';
import type { DecideCall } from '../registry/virtual-servers/shown.ts';
import type { OtherProcesses } from './call-member.ts';
import { decideThrough } from './locate.ts';
import { createVirtualServing } from './serve.ts';

/** A world with one virtual server `/virtual/v` of all routes, and the registry's own tools, where everybody may do everything. */
export function openToAll(
  routes: ReadonlyMap<string, Route>,
  db: Db,
  now: () => number,
  elsewhere?: OtherProcesses,
): Pick<GatewayWorld, 'findRoute' | 'decide' | 'rightsOf' | 'terminal'> {
  const definition = virtualServerDefinition.parse({
    ...{ server_name: 'v', path: '/virtual/v' },
    members: [...routes.keys()].map((name) => ({ backend_server_path: `/${name}` })),
  });
  const row = {
    ...{ id: 'v', path: '/virtual/v', owner: '', definition, isEnabled: true, revision: 1 },
    ...{ createdBy: 'x', createdAt: '', updatedAt: '' },
  };
  const findRoute = (name: string) => routes.get(name);
  const table = {
    find: (name: string) =>
      name === 'virtual/v'
        ? { name, isPersonal: false, row, resolved: resolve(definition, findRoute) }
        : undefined,
  };
  const accessOf = () => ({ scopes: ['s'], may: () => true }) as unknown as Access;
  const decide: DecideCall = () => ({ allow: true, scope: 's' });
  return {
    ...{ findRoute, rightsOf: (identity) => identity, decide: decideThrough(table, decide, accessOf) },
    terminal: createVirtualServing({
      ...{ table, db, key: Buffer.alloc(32, 3), now, accessOf, decide, findRoute },
      ...{ rightsOf: (identity) => identity, toolsChanged: () => undefined, onChange: () => () => true },
      ...(elsewhere ? { elsewhere } : {}),
      findTools: async () => ({ tools: [], total: 0 }),
      findAll: () => Promise.reject(new Error('not here')),
    }),
  };
}
