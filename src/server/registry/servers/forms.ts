import { type Handlers, Reply } from '../../../contract/endpoint.ts';
import type { serverFormEndpoints } from '../../../contract/servers/server-forms.ts';
import { nameOfPath, type Tool } from '../../../contract/servers/servers.ts';
import type { Caller } from '../../access/caller.ts';
import type { Identity } from '../../identity/identity.ts';
import type { ServersWorld, serverHandlers } from './handlers.ts';
import { healthOf } from './present.ts';
import { find, type ServerRow, withHealth } from './store.ts';

type Who = Caller<Identity>;

/** The functions behind the forms of other clients: each hands over to the endpoint that it is another form of. */
export function serverFormHandlers(
  world: ServersWorld,
  servers: ReturnType<typeof serverHandlers>,
): Handlers<typeof serverFormEndpoints, Who> {
  const nothing = { params: undefined, query: undefined, body: undefined };
  return {
    async 'servers.registerForm'({ body }, caller) {
      const { overwrite, ...definition } = body;
      const { path, server_name: name } = definition;
      const isThere = overwrite && (await find(world.db, path)) !== undefined;
      // To those who may not change it, it is a path that is taken.
      if (!isThere || !caller.access.may('modify_service', nameOfPath(path))) {
        await servers['servers.register']({ ...nothing, body: definition }, caller);
        return { path, name, message: `Server ${name} registered successfully` };
      }
      const { is_enabled: _, credential, ...replacement } = definition;
      const both = joined(caller);
      await servers['servers.replace']({ ...nothing, params: { path }, body: replacement }, both);
      if (credential)
        await servers['servers.credential']({ ...nothing, params: { path }, body: credential }, both);
      return { path, name, message: `Server ${name} updated successfully` };
    },
    async 'servers.toggleForm'({ body: { path, new_state } }, caller) {
      const input = { ...nothing, params: { path }, body: { enabled: new_state } };
      const server = bodyOf(await servers['servers.toggle'](input, caller));
      return {
        message: `Server ${server.server_name} ${server.is_enabled ? 'enabled' : 'disabled'}`,
        service_path: server.path,
        new_enabled_state: server.is_enabled,
        status: server.health_status,
        last_checked_iso: server.last_checked_iso,
        num_tools: server.num_tools,
      };
    },
    async 'servers.removeForm'({ body: { path } }, caller) {
      await servers['servers.remove']({ ...nothing, params: { path } }, caller);
      return { path, message: `Server ${path} removed successfully` };
    },
    async 'servers.healthOfAll'(_, caller) {
      const rows = await withHealth(world.db, seen(world, caller));
      const enabled = rows.filter(({ isEnabled }) => isEnabled);
      const toolsOf = (row: ServerRow) => callable(world, row, caller).length;
      return {
        health_status: enabled.every((row) => healthOf(row) === 'healthy') ? 'healthy' : 'unhealthy',
        total_servers: rows.length,
        enabled_servers: enabled.length,
        total_tools: enabled.reduce((sum, row) => sum + toolsOf(row), 0),
        servers: Object.fromEntries(
          rows.map((row) => [
            row.path,
            {
              status: healthOf(row),
              last_checked_iso: row.health?.checkedAt ?? null,
              num_tools: toolsOf(row),
            },
          ]),
        ),
      };
    },
    'servers.toolsOfAll'(_, caller) {
      const enabled = seen(world, caller).filter(({ isEnabled }) => isEnabled);
      const found = enabled.map((row) => ({ row, tools: callable(world, row, caller) }));
      return {
        service_path: 'all' as const,
        tools: found.flatMap(({ row: { path, definition }, tools }) =>
          tools.map((tool) => ({ ...tool, server_path: path, server_name: definition.server_name })),
        ),
        servers: Object.fromEntries(found.map(({ row, tools }) => [row.path, tools])),
      };
    },
    'servers.toolsAt': ({ params }, caller) => servers['servers.tools']({ ...nothing, params }, caller),
  };
}

/** A caller whose changes are one in the audit trail: as it was before the first of them, and after the last. */
function joined(caller: Who): Who {
  const noted: Record<'before' | 'after', object> = { before: {}, after: {} };
  return {
    ...caller,
    note({ before, after }) {
      noted.before = { ...(before as object), ...noted.before };
      noted.after = { ...noted.after, ...(after as object) };
      caller.note(noted);
    },
  };
}

/** What a handler answered, without its headers. */
function bodyOf<T>(answer: T | Reply<T>): T {
  return answer instanceof Reply ? answer.body : answer;
}

/** The servers that the caller may see. */
function seen({ rows }: ServersWorld, { access }: Who): ServerRow[] {
  return rows().filter(({ path }) => access.may('list_service', nameOfPath(path)));
}

/** The tools of a server, as last read, that the caller may call. */
function callable({ decideTool }: ServersWorld, row: ServerRow, { identity }: Who): Tool[] {
  const name = nameOfPath(row.path);
  return (row.tools?.tools ?? []).filter((tool) => decideTool(identity, name, tool.name));
}
