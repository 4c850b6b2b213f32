import { nameOfPath, normalizePath } from '../../../contract/servers/servers.ts';
import { safeName, type VirtualServerDefinition } from '../../../contract/servers/virtual-servers.ts';
import { type Fault, invalidInput } from '../../failure/errors.ts';
import type { FindRoute } from '../servers/route.ts';
import { exposedName, namespaceOf, prefixOf } from './resolve.ts';

/** What its maker may put into a virtual server. */
export interface Reach {
  /** Whether they may see the server of that name. */
  maySee(server: string): boolean;
  /** Whether they may call a tool of it. */
  mayCall(server: string, tool: string): boolean;
}

/**
 * Refuses a virtual server that would not work as it is meant; every fault is named with its place. What its maker may
 * not see looks as if it were not there.
 */
export function assertWorks(
  definition: VirtualServerDefinition,
  findRoute: FindRoute,
  { maySee, mayCall }: Reach,
): void {
  const faults: Fault[] = [];
  const fault = (at: string, message: string): void => void faults.push({ at: `body.${at}`, message });
  const { tool_mappings, members, tool_scope_overrides } = definition;
  if (tool_mappings.length + members.length === 0)
    fault('tool_mappings', 'map at least one tool, or name at least one member');
  const names = new Map<string, string>();
  const take = (name: string, at: string, what: string): void => {
    const before = names.get(name);
    if (before !== undefined)
      fault(
        at,
        `'${name}' would be the name of ${what} and of ${before}; give one an alias or another prefix`,
      );
    else names.set(name, what);
  };
  const backend = (path: string, version: string | null, at: string) => {
    const route = findRoute(nameOfPath(path));
    if (!route || !maySee(route.name))
      fault(at, `there is no server '${normalizePath(path)}' or you do not have access to it`);
    else if (!route.enabled) fault(at, `the server '${normalizePath(path)}' is disabled; enable it first`);
    else if (version !== null && version !== (route.version ?? null))
      fault(
        at,
        route.version
          ? `the registry has version ${route.version} of '${normalizePath(path)}', not ${version}`
          : `the registry has no version of '${normalizePath(path)}'; leave backend_version out, or give the server a version`,
      );
    else return route;
    return undefined;
  };
  tool_mappings.forEach((mapping, index) => {
    const at = `tool_mappings.${index}`;
    const route = backend(mapping.backend_server_path, mapping.backend_version, `${at}.backend_server_path`);
    const { tool_name } = mapping;
    if (route && !(mayCall(route.name, tool_name) && route.tools.some(({ name }) => name === tool_name)))
      fault(
        `${at}.tool_name`,
        `'${mapping.backend_server_path}' has no tool '${tool_name}' or you are not allowed to call it`,
      );
    const name = mapping.alias ?? tool_name;
    if (!safeName.test(name) || name === 'all')
      fault(
        `${at}.alias`,
        `'${name}' cannot be a name; give an alias of 1 to 64 letters, digits, '_' and '-'`,
      );
    else take(name, at, `'${tool_name}' of '${mapping.backend_server_path}'`);
  });
  const prefixes = new Set<string>();
  members.forEach((member, index) => {
    const at = `members.${index}`;
    const route = backend(member.backend_server_path, member.backend_version, `${at}.backend_server_path`);
    const prefix = prefixOf(member);
    // Otherwise `b1` + `x__y` and `b1__x` + `y` would be one name.
    if (prefix.includes(definition.separator))
      fault(
        `${at}.prefix`,
        `'${prefix}' has the separator '${definition.separator}' in it; choose another prefix`,
      );
    if (prefix !== '' && prefixes.has(prefix.toLowerCase()))
      fault(`${at}.prefix`, `'${prefix}' is the prefix of another member`);
    prefixes.add(prefix.toLowerCase());
    if (!route || !member.include.includes('tools')) return;
    const { separator } = definition;
    for (const { name } of route.tools) {
      if (!mayCall(route.name, name)) continue;
      const shown = exposedName(name, prefix, separator);
      const of = namespaceOf(shown, definition, member);
      if (of === undefined) take(shown, at, `'${name}' of '${member.backend_server_path}'`);
      else
        fault(`${at}.prefix`, `'${name}' would look like a tool of '${of}'; give this member another prefix`);
    }
  });
  tool_scope_overrides.forEach(({ tool_alias }, index) => {
    if (!names.has(tool_alias))
      fault(
        `tool_scope_overrides.${index}.tool_alias`,
        `there is no tool '${tool_alias}' in this virtual server`,
      );
  });
  if (faults.length > 0) throw invalidInput(faults);
}
