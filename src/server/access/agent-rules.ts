import { trimSlashes } from './names.ts';
import type { Reader } from './reader.ts';
import { readMembers, readNames, required } from './rule-parts.ts';

/** Actions that an agent rule may name. */
export const agentActions = [
  'list_agents',
  'get_agent',
  'invoke_agent',
  'publish_agent',
  'modify_agent',
  'delete_agent',
] as const;

/** What a scope allows on agents: one action on the agents with these paths, or on `all`. */
export interface AgentRule {
  readonly action: (typeof agentActions)[number];
  readonly resources: readonly string[];
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
  if (place && name !== undefined && !action)
    reader.fault(place, `'${name}' is not an action on agents; there are: ${agentActions.join(', ')}`);
  const resources = readNames(reader, required(reader, item, members, 'resources'), 'resources');
  return action && { action, resources: [...new Set(resources.map(agentPath))] };
}

function agentPath(resource: string): string {
  const path = trimSlashes(resource);
  return resource === 'all' || path === '*' ? 'all' : `/${path}`;
}
