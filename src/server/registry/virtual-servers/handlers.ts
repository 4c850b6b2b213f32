import { type Handlers, type Input, type Output, Reply } from '../../../contract/endpoint.ts';
import { nameOfPath } from '../../../contract/servers/servers.ts';
import {
  isPersonalPath,
  slugOf,
  type VirtualServerDefinition,
  type VirtualServerInput,
  virtualServerDefinition,
  type virtualServerEndpoints,
  virtualServerInput,
} from '../../../contract/servers/virtual-servers.ts';
import { withoutEndSlashes } from '../../../contract/values/names.ts';
import type { Caller } from '../../access/caller.ts';
import type { Grants } from '../../access/grants.ts';
import type { Db } from '../../db/tables.ts';
import { Failure, invalidInput } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { held } from '../input-faults.ts';
import { assertUnlimited } from '../limited.ts';
import { assertMatch, etagOf } from '../revision.ts';
import { select } from '../select.ts';
import type { FindRoute } from '../servers/route.ts';
import { assertWorks } from './check.ts';
import { rate, ratingsOf, starsOf } from './ratings.ts';
import {
  type DecideCall,
  gapsOf,
  present,
  shownItems,
  summaryOf,
  tokensOf,
  type VirtualViewpoint,
} from './shown.ts';
import { change, find, insert, listVirtualServers, ownerOf, remove, type VirtualServerRow } from './store.ts';
import type { VirtualTable } from './table.ts';

/** What the registry of virtual servers works with. */
export interface VirtualServersWorld {
  readonly db: Db;
  readonly table: VirtualTable;
  readonly findRoute: FindRoute;
  readonly decide: DecideCall;
  /** The gateway's own URL as clients know it. */
  readonly publicUrl: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
  readonly grants: () => Grants;
}

type Who = Caller<Identity>;
type Table = typeof virtualServerEndpoints;
type Answer = Reply<Output<Table['virtualServers.get']>>;

/**
 * The functions behind the endpoints of virtual servers. Shared ones are seen with `list_virtual_server` and made, changed
 * and removed with the permissions of those names; a personal one is its owner's alone, administrators included.
 */
export function virtualServerHandlers(world: VirtualServersWorld): Handlers<Table, Who> {
  return {
    'virtualServers.list': ({ query }, caller) => showAll(world, query, caller),
    async 'virtualServers.create'({ body }, caller) {
      const definition = placed(body);
      const row = await create(world, world.db, definition, caller);
      caller.note({ before: null, after: forRecord(row) });
      return reply(world, row, caller);
    },
    async 'virtualServers.export'(_, caller) {
      const rows = await listVirtualServers(world.db);
      return {
        virtual_servers: rows
          .filter((row) => mayDo('modify_virtual_server', row, caller))
          .map(({ definition }) => definition),
      };
    },
    'virtualServers.import': ({ body }, caller) => importAll(world, body.virtual_servers, caller),
    async 'virtualServers.tools'({ params }, caller) {
      const virtual = world.table.of(await known(world, params.path, caller));
      const view = viewOf(world, caller);
      const items = shownItems(view.decide, view.access, view.identity, virtual, 'tools');
      return {
        path: virtual.row.path,
        tools: items.map(({ name, original, server, text, scopes }) => {
          const { description = '', inputSchema } = JSON.parse(text);
          return {
            ...{ name, original_name: original, backend_server_path: `/${server}`, description, inputSchema },
            backend_version: world.findRoute(server)?.version ?? null,
            required_scopes: [...virtual.row.definition.required_scopes, ...scopes],
            tokens: tokensOf([text]),
          };
        }),
        total_count: items.length,
        list_tokens: tokensOf(items.map(({ text }) => text)),
        unavailable: gapsOf(virtual, view),
      };
    },
    async 'virtualServers.rate'({ params, body }, caller) {
      const { id, path } = await known(world, params.path, caller);
      await rate(world.db, id, { identity: caller.identity, rating: body.rating, at: at(world) });
      caller.note({ rating: body.rating });
      const { num_stars } = await ratingsOf(world.db, id);
      return { message: `Rated ${path}.`, average_rating: num_stars };
    },
    async 'virtualServers.rating'({ params }, caller) {
      const { id } = await known(world, params.path, caller);
      return ratingsOf(world.db, id);
    },
    async 'virtualServers.toggle'({ params, body }, caller) {
      const row = await mine(world, params.path, 'modify_virtual_server', caller);
      const definition = { ...row.definition, is_enabled: body.enabled };
      return save(world, row, definition, caller);
    },
    'virtualServers.get': async ({ params }, caller) =>
      reply(world, await known(world, params.path, caller), caller),
    async 'virtualServers.change'({ params, body, ifMatch }, caller) {
      const row = await mine(world, params.path, 'modify_virtual_server', caller);
      assertMatch(row, ifMatch);
      const merged = held(virtualServerDefinition, { ...row.definition, ...body });
      if (merged.path !== row.path)
        throw invalidInput([
          {
            at: 'body.path',
            message: `the path stays '${row.path}'; to move it, create another one and remove this`,
          },
        ]);
      assertWorks(merged, world.findRoute, reachOf(world, caller, row.path));
      return save(world, row, merged, caller);
    },
    async 'virtualServers.remove'({ params, ifMatch }, caller) {
      const row = await mine(world, params.path, 'delete_virtual_server', caller);
      assertMatch(row, ifMatch);
      await remove(world.db, row);
      caller.note({ before: forRecord(row), after: null });
      return undefined;
    },
  };
}

async function showAll(
  world: VirtualServersWorld,
  asked: Input<Table['virtualServers.list']>['query'],
  caller: Who,
): Promise<Output<Table['virtualServers.list']>> {
  const { limit, offset } = asked;
  const rows = (await listVirtualServers(world.db)).filter((row) => isSeen(row, caller));
  const { page, total } = select(rows, asked, {
    listed: ({ path, definition: { server_name, description, tags } }) => ({
      ...{ path, name: server_name, texts: [description, ...tags] },
    }),
    mayList: () => true,
  });
  const view = viewOf(world, caller);
  const stars = await starsOf(
    world.db,
    page.map(({ id }) => id),
  );
  return {
    virtual_servers: page.map((row) => ({
      ...summaryOf(world.table.of(row), view),
      num_stars: stars.get(row.id) ?? 0,
    })),
    total_count: total,
    limit,
    offset,
    has_next: offset + limit < total,
    can_create: caller.access.may('create_virtual_server'),
    can_create_personal: caller.identity.kind === 'person',
  };
}

async function create(
  world: VirtualServersWorld,
  db: Db,
  definition: VirtualServerDefinition,
  caller: Who,
): Promise<VirtualServerRow> {
  const { access, identity } = caller;
  const personal = isPersonalPath(definition.path);
  if (personal) assertMayArrange(world, caller);
  if (
    personal ? identity.kind !== 'person' : !access.may('create_virtual_server', nameOfPath(definition.path))
  )
    throw new Failure(
      'not_allowed',
      personal
        ? 'Only people have personal virtual servers; ask an administrator for a shared one.'
        : `Insufficient permissions. Required: create_virtual_server for ${nameOfPath(definition.path)}. Ask an administrator for a scope that grants it, or create a personal one below /virtual/me/.`,
    );
  assertWorks(definition, world.findRoute, reachOf(world, caller, definition.path));
  return insert(db, {
    ...{ id: world.newId(), definition, createdBy: identity.username, at: at(world) },
    owner: personal ? ownerOf(identity) : '',
  });
}

async function save(
  world: VirtualServersWorld,
  row: VirtualServerRow,
  definition: VirtualServerDefinition,
  caller: Who,
): Promise<Answer> {
  const changed = await change(world.db, row, { definition, at: at(world) });
  caller.note({ before: forRecord(row), after: forRecord(changed) });
  return reply(world, changed, caller);
}

async function importAll(
  world: VirtualServersWorld,
  definitions: readonly VirtualServerDefinition[],
  caller: Who,
): Promise<Output<Table['virtualServers.import']>> {
  const [created, replaced]: [string[], string[]] = [[], []];
  await world.db.transaction().execute(async (db) => {
    for (const definition of definitions) {
      const { path } = definition;
      const before = await find(db, path, isPersonalPath(path) ? ownerOf(caller.identity) : '');
      if (!before) {
        await create(world, db, definition, caller);
        created.push(path);
        continue;
      }
      if (!isSeen(before, caller)) throw unknown(path);
      if (before.owner !== '') assertMayArrange(world, caller);
      assertMay('modify_virtual_server', before, caller);
      assertWorks(definition, world.findRoute, reachOf(world, caller, path));
      await change(db, before, { definition, at: at(world) });
      replaced.push(path);
    }
  });
  caller.note({ created, replaced });
  return { created, replaced };
}

/** Where it will be: below its own path, or one made from its name. */
function placed(body: VirtualServerInput): VirtualServerDefinition {
  if (body.path !== undefined) return { ...body, path: body.path };
  const slug = slugOf(body.server_name);
  if (slug === '')
    throw invalidInput([{ at: 'body.path', message: 'give a path: none can be derived from this name' }]);
  return held(virtualServerDefinition, { ...virtualServerInput.parse(body), path: slug });
}

/** Shared ones are made of servers that their maker may list; personal ones of tools that their owner may call. */
function reachOf({ decide, findRoute }: VirtualServersWorld, { access, identity }: Who, path: string) {
  const personal = isPersonalPath(path);
  const mayCall = (server: string, tool: string): boolean =>
    !personal || decide(identity, { server, method: 'tools/call', tool }).allow;
  return {
    mayCall,
    maySee: (server: string): boolean =>
      access.may('list_service', server) ||
      (personal && (findRoute(server)?.tools ?? []).some(({ name }) => mayCall(server, name))),
  };
}

function isSeen(row: VirtualServerRow, { access, identity }: Who): boolean {
  if (row.owner !== '') return row.owner === ownerOf(identity);
  return access.may('list_virtual_server', nameOfPath(row.path));
}

type Doing = 'modify_virtual_server' | 'delete_virtual_server';

function mayDo(permission: Doing, row: VirtualServerRow, caller: Who): boolean {
  if (!isSeen(row, caller)) return false;
  return row.owner !== '' || caller.access.may(permission, nameOfPath(row.path));
}

function assertMay(permission: Doing, row: VirtualServerRow, caller: Who): void {
  if (mayDo(permission, row, caller)) return;
  throw new Failure(
    'not_allowed',
    `Insufficient permissions. Required: ${permission} for ${nameOfPath(row.path)}. Ask an administrator for a scope that grants it.`,
  );
}

async function known({ db }: VirtualServersWorld, path: string, caller: Who): Promise<VirtualServerRow> {
  const row = await find(db, path, isPersonalPath(path) ? ownerOf(caller.identity) : '');
  if (!row || !isSeen(row, caller)) throw unknown(path);
  return row;
}

async function mine(
  world: VirtualServersWorld,
  path: string,
  permission: Doing,
  caller: Who,
): Promise<VirtualServerRow> {
  const row = await known(world, path, caller);
  if (row.owner !== '') assertMayArrange(world, caller);
  assertMay(permission, row, caller);
  return row;
}

/** What stands behind a name there is called with all the rights of the owner: a limited token does not choose it. */
function assertMayArrange({ grants }: VirtualServersWorld, { identity }: Who): void {
  assertUnlimited(identity, grants(), 'change personal virtual servers');
}

function unknown(path: string): Failure {
  return new Failure('not_found', `'${nameOfPath(path)}' does not exist, or you do not have access to it.`);
}

function forRecord({ definition, isEnabled, revision }: VirtualServerRow): Record<string, unknown> {
  const { path, server_name, tool_mappings, members, required_scopes } = definition;
  return {
    ...{ path, server_name, required_scopes, is_enabled: isEnabled, revision },
    tools: tool_mappings.map(
      ({ tool_name, alias, backend_server_path }) =>
        `${alias ?? tool_name} = ${backend_server_path} ${tool_name}`,
    ),
    members: members.map(({ backend_server_path }) => backend_server_path),
  };
}

function viewOf({ decide, publicUrl }: VirtualServersWorld, { access, identity }: Who): VirtualViewpoint {
  return { access, identity, decide, publicUrl: withoutEndSlashes(publicUrl) };
}

async function reply(world: VirtualServersWorld, row: VirtualServerRow, caller: Who): Promise<Answer> {
  const shown = present(world.table.of(row), viewOf(world, caller));
  return new Reply({ ...shown, ...(await ratingsOf(world.db, row.id)) }, { etag: etagOf(row) });
}

function at(world: VirtualServersWorld): string {
  return new Date(world.now()).toISOString();
}
