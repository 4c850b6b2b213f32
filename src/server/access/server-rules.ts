import { trimSlashes } from '../../contract/values/names.ts';
import { type AgentRule, readAgent, readAgents } from './agent-rules.ts';
import { faultOfName, type NameList } from './names.ts';
import type { Reader } from './reader.ts';
import { faultOfResource } from './resource-names.ts';
import { type Members, readMembers, readNames, required } from './rule-parts.ts';

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
export function readRules<P>(reader: Reader<P>, place: P, scope: string): Rules {
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

function readServerRule<P>(reader: Reader<P>, item: P, members: Members<P>): ServerRule | undefined {
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

function readPrompts<P>(reader: Reader<P>, place: P): NameList {
  const names = readNames(reader, place, 'prompts');
  for (const name of names === 'all' ? [] : names)
    if (name.includes('*'))
      reader.fault(place, `'${name}' is not a name; write the whole name, or '*' for every prompt`);
  return names;
}

function readResources<P>(reader: Reader<P>, place: P): NameList {
  const entries = readNames(reader, place, 'resources');
  for (const entry of entries === 'all' ? [] : entries) {
    const fault = faultOfResource(entry);
    if (fault) reader.fault(place, fault);
  }
  return entries;
}

function readServerName<P>(reader: Reader<P>, place: P): string | undefined {
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
