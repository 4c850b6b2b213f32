import { type UiPermission, uiPermissions } from '../../contract/permissions.ts';
import { agentActions } from '../../contract/scopes.ts';
import { trimSlashes } from '../../contract/values/names.ts';
import { faultOfName, type NameList, resourceName } from './names.ts';
import { type FileMembers, type FileReader, readMembers, readNames, required } from './reader.ts';
import { faultOfResource } from './resource-names.ts';

/** What a scope allows on agents: one action on the agents with these paths, or on `all`. */
export interface AgentRule {
  readonly action: (typeof agentActions)[number];
  readonly resources: NameList;
}

/** Reads the value of `agents` in a rule: `{actions: [{action, resources}]}`. */
function readAgents<P>(reader: FileReader<P>, place: P): AgentRule[] {
  const members = readMembers(reader, place, 'agents', ['actions']);
  const actions = members && required(reader, place, members, 'actions');
  const items = actions ? reader.items(actions, 'actions') : [];
  return items.map((item) => readAction(reader, item)).filter((rule) => rule !== undefined);
}

function readAction<P>(reader: FileReader<P>, item: P): AgentRule | undefined {
  const members = readMembers(reader, item, 'an action', ['action', 'resources']);
  if (!members) return undefined;
  const place = required(reader, item, members, 'action');
  const name = place && reader.text(place, 'action');
  const action = agentActions.find((one) => one === name);
  if (place && name !== undefined && !action) reader.fault(place, notAnAction(name));
  const resources = readNames(reader, required(reader, item, members, 'resources'), 'resources');
  return (
    action && { action, resources: resources === 'all' ? 'all' : [...new Set(resources.map(agentPath))] }
  );
}

/** Reads a rule `{agent, actions}`: actions on one agent, or on `all`; `all` and `*` stand for every action. */
function readAgent<P>(reader: FileReader<P>, item: P): AgentRule[] {
  const members = readMembers(reader, item, 'a rule for an agent', ['agent', 'actions']);
  if (!members) return [];
  const place = required(reader, item, members, 'agent');
  const agent = place && readAgentPath(reader, place, 'agent');
  const list = required(reader, item, members, 'actions');
  const names = new Set<(typeof agentActions)[number]>();
  for (const action of list === undefined ? [] : reader.items(list, 'actions')) {
    const name = reader.text(action, 'an entry of actions');
    const known = agentActions.find((one) => one === name);
    if (known) names.add(known);
    else if (name === 'all' || name === '*') for (const one of agentActions) names.add(one);
    else if (name !== undefined) reader.fault(action, notAnAction(name));
  }
  if (agent === undefined) return [];
  return [...names].map((action) => ({ action, resources: agent === every ? 'all' : [agent] }));
}

/** Reads the agents that a scope may see: paths, or `all`. */
export function readAgentAccess<P>(reader: FileReader<P>, place: P): NameList {
  const paths = reader
    .items(place, 'agent_access')
    .map((item) => readAgentPath(reader, item, 'an entry of agent_access'));
  if (paths.includes(every)) return 'all';
  return [...new Set(paths.filter((path) => typeof path === 'string'))];
}

/** Stands for every agent while an entry is read. */
const every = Symbol('every agent');

function readAgentPath<P>(reader: FileReader<P>, place: P, what: string): string | typeof every | undefined {
  const text = reader.text(place, what);
  if (text === 'all' || text === '*') return every;
  const path = text === undefined ? undefined : agentPath(text);
  const fault = text === undefined ? undefined : faultOfName(text, 'all');
  if (fault) reader.fault(place, fault);
  else if (path === '/') reader.fault(place, `'${text}' names no agent`);
  else if (path?.includes('*'))
    reader.fault(place, `'${text}' is not a path; write the whole path, or all for every agent`);
  else return path;
  return undefined;
}

function notAnAction(name: string): string {
  return `'${name}' is not an action on agents; there are: ${agentActions.join(', ')}`;
}

function agentPath(resource: string): string {
  return `/${trimSlashes(resource)}`;
}

/** Reads the UI permissions of one scope: each a list of servers or agents, in which only `all` stands for every one. */
export function readUiPermissions<P>(
  reader: FileReader<P>,
  place: P,
  scope: string,
): Partial<Record<UiPermission, NameList>> {
  const read: Partial<Record<UiPermission, NameList>> = {};
  for (const { key, at, value } of reader.entries(place, `the UI permissions of '${scope}'`) ?? []) {
    const permission = uiPermissions.find((known) => known === key);
    if (permission) read[permission] = readThings(reader, value, permission);
    else reader.fault(at, `'${key}' is not a UI permission; there are: ${uiPermissions.join(', ')}`);
  }
  return read;
}

function readThings<P>(reader: FileReader<P>, place: P, permission: UiPermission): NameList {
  const text = reader.peek(place);
  if (text !== undefined) {
    reader.fault(place, `${permission} must be a list; write [${text === '*' ? 'all' : text}]`);
    return [];
  }
  let every = false;
  const names = new Set<string>();
  for (const item of reader.items(place, permission)) {
    const entry = reader.text(item, `an entry of ${permission}`);
    if (entry === undefined) continue;
    if (entry === 'all') {
      every = true;
      continue;
    }
    const name = resourceName(permission, entry);
    const fault = name.includes('*') ? undefined : faultOfName(entry, 'all');
    if (fault) reader.fault(item, fault);
    else if (name.includes('*'))
      reader.fault(item, `'${entry}' is not a name; in UI permissions 'all' stands for every one`);
    else if (name === '' || name === '/') reader.fault(item, `'${entry}' names nothing`);
    else names.add(name);
  }
  if (permission === 'read_audit' && names.size > 0 && !every)
    reader.fault(place, `${permission} is about everything that happens; write [all]`);
  return every ? 'all' : [...names];
}

/**
 * What a scope allows on a server: these methods and, for `tools/call`, these tools.
 * `prompts` and `resources` narrow the methods that are about one of them; absent, they narrow nothing.
 */
export interface ServerRule {
  /** The server's name without slashes at its ends, or `*` for every server: no name has that character. */
  readonly server: string;
  readonly methods: NameList;
  readonly tools: NameList;
  /** Names of prompts. */
  readonly prompts?: NameList | undefined;
  /** URIs, and beginnings of URIs such as `file:///docs/*`. */
  readonly resources?: NameList | undefined;
}

/** The rules of one scope. */
export interface Rules {
  readonly serverRules: readonly ServerRule[];
  readonly agentRules: readonly AgentRule[];
}

/** Reads the rules of one scope: items `{server, methods, tools, prompts, resources}`, `{agents: ...}` and `{agent, actions}`. */
export function readRules<P>(reader: FileReader<P>, place: P, scope: string): Rules {
  const serverRules: ServerRule[] = [];
  const agentRules: AgentRule[][] = [];
  const known = ['server', 'methods', 'tools', 'prompts', 'resources', 'agents'];
  for (const item of reader.items(place, `scope '${scope}'`)) {
    if (reader.has(item, 'agent')) {
      agentRules.push(readAgent(reader, item));
      continue;
    }
    const members = readMembers(reader, item, `a rule of '${scope}'`, known);
    if (!members) continue;
    const agents = members.get('agents');
    if (agents) agentRules.push(readAgents(reader, agents.value));
    if (agents && members.size === 1) continue;
    const rule = readServerRule(reader, item, members);
    if (rule) serverRules.push(rule);
  }
  return { serverRules, agentRules: agentRules.flat() };
}

function readServerRule<P>(reader: FileReader<P>, item: P, members: FileMembers<P>): ServerRule | undefined {
  const place = required(reader, item, members, 'server');
  const server = place && readServerName(reader, place);
  const methods = readNames(reader, required(reader, item, members, 'methods'), 'methods');
  const tools = readNames(reader, members.get('tools')?.value, 'tools');
  const prompts = members.get('prompts');
  const resources = members.get('resources');
  if (server === undefined) return undefined;
  return {
    ...{ server, methods, tools },
    ...(prompts ? { prompts: readPrompts(reader, prompts.value) } : {}),
    ...(resources ? { resources: readResources(reader, resources.value) } : {}),
  };
}

function readPrompts<P>(reader: FileReader<P>, place: P): NameList {
  const names = readNames(reader, place, 'prompts');
  for (const name of names === 'all' ? [] : names)
    if (name.includes('*'))
      reader.fault(place, `'${name}' is not a name; write the whole name, or '*' for every prompt`);
  return names;
}

function readResources<P>(reader: FileReader<P>, place: P): NameList {
  const entries = readNames(reader, place, 'resources');
  for (const entry of entries === 'all' ? [] : entries) {
    const fault = faultOfResource(entry);
    if (fault) reader.fault(place, fault);
  }
  return entries;
}

function readServerName<P>(reader: FileReader<P>, place: P): string | undefined {
  const text = reader.text(place, 'server');
  if (text === undefined || text === '*') return text;
  const name = trimSlashes(text);
  const fault = faultOfName(text, "'*'");
  // Names are compared, never matched: a pattern would grant less than its writer thinks.
  if (fault) reader.fault(place, fault);
  else if (name.includes('*'))
    reader.fault(place, `'${text}' is not a name; write the whole name, or '*' for every server`);
  else if (name === '') reader.fault(place, `'${text}' names no server`);
  else return name;
  return undefined;
}
