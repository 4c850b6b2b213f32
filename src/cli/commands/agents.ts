import type { Option } from 'commander';
import type { Agent } from '../../contract/agents/agents.ts';
import type { Call } from '../../contract/client.ts';
import type { endpoints } from '../../contract/index.ts';
import { memberText } from '../../contract/values/json-member.ts';
import {
  type AddCommands,
  addCommand,
  enabledOption,
  pathOption,
  type Run,
  wantedState,
  wholeNumber,
} from '../command.ts';
import { confirm } from '../input/confirm.ts';
import { readJsonFile } from '../input/json-file.ts';
import { agentFields, agentTable } from '../output/agent-view.ts';
import type { Terminal } from '../terminal.ts';
import { Trouble } from '../trouble.ts';

interface PathFlag {
  path: string;
}

const agentPath = (): Option => pathOption('agent', '/flight-booking');

/** The commands about A2A agents. */
export const addAgentCommands: AddCommands = (program, on) => {
  addLooks(program, on);
  addChanges(program, on);
  addEnds(program, on);
};

const addLooks: AddCommands = (program, on) => {
  addCommand(program, 'agent-list', {
    summary: 'List the A2A agents that you can see',
    examples: ['mcp-gateway agent-list --query flight', 'mcp-gateway agent-list --enabled-only --json'],
  })
    .option('--query <text>', 'only agents whose name, path, description, skills or tags contain this')
    .option('--enabled-only', 'only agents that are enabled')
    .option('--limit <number>', 'how many at most', wholeNumber(1, 2000), 20)
    .option('--offset <number>', 'how many to skip', wholeNumber(0), 0)
    .action(on(list));

  addCommand(program, 'agent-get', {
    summary: 'Show one agent; with --json also its card',
    examples: [
      'mcp-gateway agent-get --path /flight-booking',
      'mcp-gateway agent-get --path /flight-booking --json',
    ],
  })
    .addOption(agentPath())
    .action(on(get));
};

const addChanges: AddCommands = (program, on) => {
  addCommand(program, 'agent-register', {
    summary: 'Register an agent from a JSON file: its A2A card, or the card with path and tags',
    examples: [
      'mcp-gateway agent-register --config examples/agent.json',
      'curl -s https://agent.example/.well-known/agent-card.json | mcp-gateway agent-register --config -',
    ],
  })
    .requiredOption('--config <file>', 'JSON file with the card; - reads standard input')
    .action(on(register));

  addCommand(program, 'agent-update', {
    summary: 'Replace the card and the registration of an agent from a JSON file',
    examples: ['mcp-gateway agent-update --path /flight-booking --config examples/agent.json'],
  })
    .addOption(agentPath())
    .requiredOption('--config <file>', 'JSON file with the card; - reads standard input')
    .action(on(update));

  addCommand(program, 'agent-patch', {
    summary: 'Change fields of an agent with a JSON merge patch (RFC 7396)',
    examples: [
      'mcp-gateway agent-patch --path /flight-booking --config patch.json',
      'echo \'{"tags": ["travel"]}\' | mcp-gateway agent-patch --path /flight-booking --config - --if-match 3',
    ],
  })
    .addOption(agentPath())
    .requiredOption('--config <file>', 'JSON file with the patch; - reads standard input')
    .option('--if-match <revision>', 'only if the agent still has this revision', revisionTag)
    .action(on(patch));
};

const addEnds: AddCommands = (program, on) => {
  addCommand(program, 'agent-toggle', {
    summary: 'Enable or disable an agent',
    examples: ['mcp-gateway agent-toggle --path /flight-booking --enabled true'],
  })
    .addOption(agentPath())
    .addOption(enabledOption())
    .action(on(toggle));

  addCommand(program, 'agent-delete', {
    summary: 'Remove an agent from the registry (asks first)',
    examples: [
      'mcp-gateway agent-delete --path /flight-booking',
      'mcp-gateway agent-delete --path /flight-booking --force',
    ],
  })
    .addOption(agentPath())
    .option('--force', 'do not ask')
    .action(on(remove));
};

/** `3`, `"3"` and `W/"3"` are the entity tag of revision 3; everything else goes as it is, for the registry to judge. */
function revisionTag(text: string): string {
  return /^\d+$/.test(text) ? `"${text}"` : text;
}

async function list(
  { api, output }: Run,
  asked: { query?: string; enabledOnly?: boolean; limit: number; offset: number },
): Promise<void> {
  const { query, enabledOnly = false, limit, offset } = asked;
  const page = await (await api())('agents.list', {
    query: {
      ...(query === undefined ? {} : { query }),
      ...(enabledOnly ? { enabled_only: 'true' as const } : {}),
      ...{ limit, offset },
    },
  });
  output.result(page, (paint, room) => (page.agents.length ? agentTable(page.agents, room, paint) : ''));
  if (output.json) return;
  const last = offset + page.agents.length;
  if (page.agents.length === 0) output.note(page.total_count ? 'No more agents.' : 'No agents.');
  else if (page.has_next)
    output.note(`${offset + 1} to ${last} of ${page.total_count}; for more: --offset ${last}`);
}

async function get({ api, output }: Run, { path }: PathFlag): Promise<void> {
  const agent = await (await api())('agents.get', { params: { path } });
  output.result(agent, (paint) => agentFields(agent, paint));
}

async function register({ api, output, terminal }: Run, { config }: { config: string }): Promise<void> {
  const body = await readAgentFile(config, terminal);
  const agent = await (await api())('agents.register', { body });
  show(output, agent, `Registered ${agent.path}.`);
  if (!agent.is_enabled && !output.json)
    output.note(`It is disabled. Enable it with: mcp-gateway agent enable ${agent.path}`);
}

async function update(
  { api, output, terminal }: Run,
  { path, config }: PathFlag & { config: string },
): Promise<void> {
  const body = await readAgentFile(config, terminal);
  const agent = await (await api())('agents.replace', { params: { path }, body });
  show(output, agent, `Replaced ${agent.path}.`);
}

async function patch(
  { api, output, terminal }: Run,
  { path, config, ifMatch }: PathFlag & { config: string; ifMatch?: string },
): Promise<void> {
  // What comes out of JSON.parse is JSON.
  const body = (await readPatchFile(config, terminal)) as NonNullable<PatchCall['body']>;
  const headers: Record<string, string> = ifMatch === undefined ? {} : { 'if-match': ifMatch };
  const agent = await (await api())('agents.patch', { params: { path }, body, headers });
  show(output, agent, `Changed ${agent.path}.`);
}

type PatchCall = Call<(typeof endpoints)['agents.patch']>;

async function toggle(
  { api, output }: Run,
  { path, enabled }: PathFlag & { enabled?: string },
): Promise<void> {
  const body = { enabled: wantedState(enabled) };
  const agent = await (await api())('agents.toggle', { params: { path }, body });
  output.result(agent, () => `${agent.path} is ${agent.is_enabled ? 'enabled' : 'disabled'}.`);
}

async function remove(
  { api, output, terminal }: Run,
  { path, force = false }: PathFlag & { force?: boolean },
): Promise<void> {
  const call = await api();
  const removed = force || (await confirm(`Remove the agent ${path} from the registry?`, terminal));
  if (removed) await call('agents.remove', { params: { path } });
  output.result({ path, removed }, () => (removed ? `Removed ${path}.` : ''));
  if (!removed) output.note('Nothing was removed.');
}

function show(output: Run['output'], agent: Agent, done: string): void {
  output.result(agent, (paint) => agentFields(agent, paint));
  if (!output.json) output.note(done);
}

type Members = Record<string, unknown>;

/** Members that make a flat file more than a card, so that the registry has to take it apart. */
const beside = [
  'path',
  'tags',
  'license',
  'metadata',
  'is_enabled',
  'supportedProtocol',
  'supported_protocol',
];

/** Reads the registration in a JSON file, with the card as the text that stands there, so that it is kept to the byte. */
async function readAgentFile(file: string, terminal: Terminal): Promise<Members> {
  const { text, value } = await readObject(file, terminal);
  if (typeof value.card === 'object' && value.card !== null)
    return { ...value, card: memberText(text, 'card') };
  return 'card' in value || beside.some((name) => name in value) ? value : { card: text };
}

/** Reads the merge patch in a JSON file. */
async function readPatchFile(file: string, terminal: Terminal): Promise<Members> {
  return (await readObject(file, terminal)).value;
}

async function readObject(file: string, terminal: Terminal): Promise<{ text: string; value: Members }> {
  const { name, text, value } = await readJsonFile(file, terminal);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Trouble(`${name} does not describe an agent: it is not a JSON object.`, {
      remedy: 'examples/agent.json shows a complete one; the card of an A2A agent does as well.',
    });
  return { text, value: value as Members };
}
