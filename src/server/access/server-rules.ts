import { type AgentRule, readAgent, readAgents } from './agent-rules.ts';
import { trimSlashes } from './names.ts';
import type { Reader } from './reader.ts';
import { type Members, readMembers, readNames, required } from './rule-parts.ts';

/** What a scope allows on a server: these methods and, for `tools/call`, these tools; `*` and `all` stand for every one. */
export interface ServerRule {
  /** The server's name without slashes at its ends, or `*` for every server. */
  readonly server: string;
  readonly methods: readonly string[];
  readonly tools: readonly string[];
}

/** The rules of one scope. */
export interface Rules {
  readonly serverRules: readonly ServerRule[];
  readonly agentRules: readonly AgentRule[];
}

/** Reads the rules of one scope: items `{server, methods, tools}`, `{agents: ...}` and `{agent, actions}`. */
export function readRules<P>(reader: Reader<P>, place: P, scope: string): Rules {
  const serverRules: ServerRule[] = [];
  const agentRules: AgentRule[][] = [];
  const known = ['server', 'methods', 'tools', 'agents'];
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
  return server === undefined ? undefined : { server, methods, tools };
}

function readServerName<P>(reader: Reader<P>, place: P): string | undefined {
  const text = reader.text(place, 'server');
  if (text === undefined || text === '*') return text;
  const name = trimSlashes(text);
  // Names are compared, never matched: a pattern would grant less than its writer thinks.
  if (name.includes('*'))
    reader.fault(place, `'${text}' is not a name; write the whole name, or '*' for every server`);
  else if (name === '') reader.fault(place, `'${text}' names no server`);
  else return name;
  return undefined;
}
