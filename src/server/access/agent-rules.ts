import { agentActions } from '../../contract/scopes.ts';
import { trimSlashes } from '../../contract/values/names.ts';
import { faultOfName, type NameList } from './names.ts';
import type { Reader } from './reader.ts';
import { readMembers, readNames, required } from './rule-parts.ts';

/** What a scope allows on agents: one action on the agents with these paths, or on `all`. */
export interface AgentRule {
  readonly action: (typeof agentActions)[number];
  readonly resources: NameList;
}

/** Reads the value of `agents` in a rule: `{actions: [{action, resources}]}`. */
export function readAgents<P>(reader: Reader<P>, place: P): AgentRule[] {
  const members = readMembers(reader, place, 'agents', ['actions']);
  const actions = members && required(reader, place, members, 'actions');
  const items = actions ? reader.items(actions, 'actions') : [];
  return items.map((item) => readAction(reader, item)).filter((rule) => rule !== undefined);
}

function readAction<P>(reader: Reader<P>, item: P): AgentRule | undefined {
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
export function readAgent<P>(reader: Reader<P>, item: P): AgentRule[] {
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
export function readAgentAccess<P>(reader: Reader<P>, place: P): NameList {
  const paths = reader
    .items(place, 'agent_access')
    .map((item) => readAgentPath(reader, item, 'an entry of agent_access'));
  if (paths.includes(every)) return 'all';
  return [...new Set(paths.filter((path) => typeof path === 'string'))];
}

/** Stands for every agent while an entry is read. */
const every = Symbol('every agent');

function readAgentPath<P>(reader: Reader<P>, place: P, what: string): string | typeof every | undefined {
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
