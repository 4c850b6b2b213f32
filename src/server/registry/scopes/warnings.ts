import { factsOf } from '../../../contract/permissions.ts';
import { nameOfPath } from '../../../contract/servers/servers.ts';
import { hasName, type NameList } from '../../access/names.ts';
import type { ServerRule } from '../../access/rules.ts';
import type { Scope } from '../../access/scope-set.ts';
import type { Db } from '../../db/tables.ts';

/** What is registered, as scopes name it. */
export interface Registered {
  readonly servers: ReadonlySet<string>;
  /** Paths with a slash in front; undefined where nobody knows of agents. */
  readonly agents: ReadonlySet<string> | undefined;
}

/** The names of the registered servers. */
export async function serverNames(db: Db): Promise<ReadonlySet<string>> {
  const rows = await db.selectFrom('servers').select('path').execute();
  return new Set(rows.map(({ path }) => nameOfPath(path)));
}

/** What of a scope will not work as its writer may think, in words. Nothing of it is wrong in itself. */
export function warningsOf(scope: Scope, registered: Registered, groupsAreIds: boolean): string[] {
  return [
    ...new Set([
      ...scope.serverRules.flatMap((rule) => ofRule(rule, registered)),
      ...ofPermissions(scope, registered),
      ...ofAgents(scope, registered),
      ...(groupsAreIds ? ofMappings(scope) : []),
    ]),
  ];
}

function ofRule({ server, methods, tools }: ServerRule, { servers }: Registered): string[] {
  const said: string[] = [];
  if (server === 'api')
    return [
      "the rule for the server 'api' has no effect: ui_permissions say what may be done in the registry",
    ];
  if (server !== '*' && !servers.has(server)) said.push(`no server '${server}' is registered`);
  if (tools.length > 0 && !hasName(methods, 'tools/call'))
    said.push(`the tools of the rule for '${server}' cannot be called: its methods lack tools/call`);
  return said;
}

function ofPermissions({ uiPermissions }: Scope, { servers }: Registered): string[] {
  return Object.entries(uiPermissions)
    .filter(([permission]) => factsOf(permission)?.of === 'server')
    .flatMap(([, names]) => namedIn(names))
    .filter((name) => !servers.has(name))
    .map((name) => `no server '${name}' is registered`);
}

function ofAgents({ agentRules, agentAccess = [], uiPermissions }: Scope, { agents }: Registered): string[] {
  if (!agents) return [];
  const named = [
    ...agentRules.flatMap(({ resources }) => namedIn(resources)),
    ...namedIn(agentAccess),
    ...Object.entries(uiPermissions).flatMap(([permission, names]) =>
      factsOf(permission)?.of === 'agent' ? namedIn(names) : [],
    ),
  ];
  return named.filter((path) => !agents.has(path)).map((path) => `no agent '${path}' is registered`);
}

/** The names that a list spells out. */
function namedIn(names: NameList = []): readonly string[] {
  return names === 'all' ? [] : names;
}

/** Entra ID names groups by Object ID in its tokens: a name there is a mapping that nobody has. */
function ofMappings(scope: Scope): string[] {
  return namesWithoutId(scope).map(
    (group) => `no one in Entra ID is in '${group}': its groups are mapped by Object ID`,
  );
}

/** What a scope is assigned to and is neither an Object ID nor an app role, but for its own name beside an id. */
export function namesWithoutId({ name, groupMappings }: Pick<Scope, 'name' | 'groupMappings'>): string[] {
  const groups = groupMappings.map((group) => group.replace(/^entra:/, ''));
  const hasId = groups.some(isId);
  return groups.filter((group) => !isId(group) && !group.startsWith('role:') && !(group === name && hasId));
}

function isId(group: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(group);
}
