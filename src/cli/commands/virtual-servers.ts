import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option } from 'commander';
import type { Call } from '../../contract/client.ts';
import type { endpoints } from '../../contract/index.ts';
import type { VirtualServer, VirtualServerSummary } from '../../contract/servers/virtual-servers.ts';
import { isObject } from '../../contract/values/json.ts';
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
import type { Paint } from '../output/output.ts';
import { fields, table } from '../output/table.ts';
import { Trouble } from '../trouble.ts';

interface PathFlag {
  path: string;
}

const virtualPath = (): Option => pathOption('virtual server', '/virtual/research');
const configOption = (): Option =>
  new Option('--config <file>', 'JSON file; - reads standard input').makeOptionMandatory();

/** The commands about virtual servers. */
export const addVirtualServerCommands: AddCommands = (program, on) => {
  addCommand(program, 'vs-list', {
    summary: 'List the virtual servers that you can see, including your own',
    examples: ['mcp-gateway vs-list', 'mcp-gateway vs-list --query research --json'],
  })
    .option('--query <text>', 'only those whose name, path, description or tags contain this')
    .option('--limit <number>', 'how many at most', wholeNumber(1, 2000), 50)
    .option('--offset <number>', 'how many to skip', wholeNumber(0), 0)
    .action(on(list));

  addCommand(program, 'vs-get', {
    summary: 'Show one virtual server; with --json all of it',
    examples: ['mcp-gateway vs-get --path /virtual/research'],
  })
    .addOption(virtualPath())
    .action(on(get));

  addCommand(program, 'vs-tools', {
    summary: 'List the tools that you can call through a virtual server, and the server of each',
    examples: ['mcp-gateway vs-tools --path /virtual/research'],
  })
    .addOption(virtualPath())
    .action(on(tools));

  addChanges(program, on);
  addFiles(program, on);
};

const addChanges: AddCommands = (program, on) => {
  addCommand(program, 'vs-create', {
    summary: 'Create a virtual server from a JSON file, or a personal one below /virtual/me/',
    examples: [
      'mcp-gateway vs-create --config examples/virtual-server.json',
      'echo \'{"server_name": "Mine", "path": "/virtual/me/mine", "members": [{"backend_server_path": "/currenttime"}]}\' | mcp-gateway vs-create --config -',
    ],
  })
    .addOption(configOption())
    .action(on(create));

  addCommand(program, 'vs-update', {
    summary: 'Change a virtual server: what the JSON file gives replaces what was there, the rest stays',
    examples: ['mcp-gateway vs-update --path /virtual/research --config examples/virtual-server.json'],
  })
    .addOption(virtualPath())
    .addOption(configOption())
    .action(on(update));

  addCommand(program, 'vs-rate', {
    summary: 'Rate a virtual server with 1 to 5 stars, in the place of your earlier rating',
    examples: ['mcp-gateway vs-rate --path /virtual/research --stars 5'],
  })
    .addOption(virtualPath())
    .addOption(
      new Option('--stars <number>', '1 to 5').choices(['1', '2', '3', '4', '5']).makeOptionMandatory(),
    )
    .action(on(rate));

  addCommand(program, 'vs-toggle', {
    summary: 'Enable or disable a virtual server',
    examples: ['mcp-gateway vs-toggle --path /virtual/research --enabled false'],
  })
    .addOption(virtualPath())
    .addOption(enabledOption())
    .action(on(toggle));

  addCommand(program, 'vs-delete', {
    summary: 'Remove a virtual server but not its servers (asks first)',
    examples: ['mcp-gateway vs-delete --path /virtual/research --force'],
  })
    .addOption(virtualPath())
    .option('--force', 'do not ask')
    .action(on(remove));
};

const addFiles: AddCommands = (program, on) => {
  addCommand(program, 'vs-export', {
    summary: 'Write the virtual servers that you can change to a JSON file for virtual import',
    examples: ['mcp-gateway vs-export --output virtual-servers.json'],
  })
    .option('--output <file>', 'file to write (default: standard output)')
    .action(on(exportAll));

  addCommand(program, 'vs-import', {
    summary: 'Create or replace the virtual servers in a JSON file: all of them, or none',
    examples: ['mcp-gateway vs-import --config virtual-servers.json'],
  })
    .addOption(configOption())
    .action(on(importAll));
};

async function list(
  { api, output }: Run,
  { query, limit, offset }: { query?: string; limit: number; offset: number },
): Promise<void> {
  const asked = { ...(query === undefined ? {} : { query }), limit, offset };
  const page = await (await api())('virtualServers.list', { query: asked });
  const { virtual_servers: servers, total_count } = page;
  output.result(page, (paint, room) => (servers.length ? virtualTable(servers, room, paint) : ''));
  if (output.json) return;
  const last = offset + servers.length;
  if (servers.length === 0) output.note(total_count ? 'No more virtual servers.' : 'No virtual servers.');
  else if (page.has_next)
    output.note(`${offset + 1} to ${last} of ${total_count}; for more: --offset ${last}`);
}

async function get({ api, output }: Run, { path }: PathFlag): Promise<void> {
  const one = await (await api())('virtualServers.get', { params: { path } });
  output.result(one, (paint) => virtualFields(one, paint));
}

async function tools({ api, output }: Run, { path }: PathFlag): Promise<void> {
  const shown = await (await api())('virtualServers.tools', { params: { path } });
  output.result(shown, (paint, room) =>
    shown.tools.length === 0
      ? ''
      : table(
          shown.tools,
          [
            { title: 'TOOL', show: (tool) => tool.name },
            { title: 'SERVER', show: (tool) => tool.backend_server_path },
            { title: 'THERE', show: (tool) => tool.original_name },
            { title: 'TOKENS', show: (tool) => String(tool.tokens) },
            { title: 'DESCRIPTION', show: (tool) => tool.description },
          ],
          room,
          paint,
        ),
  );
  if (output.json) return;
  const word = shown.total_count === 1 ? 'tool' : 'tools';
  output.note(`${shown.total_count} ${word}, about ${shown.list_tokens} tokens in a list.`);
  for (const { backend_server_path, reason } of shown.unavailable)
    output.note(`Without the tools of ${backend_server_path}: ${reason}.`);
}

async function create({ api, output, terminal }: Run, { config }: { config: string }): Promise<void> {
  const body = (await readObject(config, terminal)) as Call<
    (typeof endpoints)['virtualServers.create']
  >['body'];
  show(output, await (await api())('virtualServers.create', { body }), 'Created');
}

async function update(
  { api, output, terminal }: Run,
  { path, config }: PathFlag & { config: string },
): Promise<void> {
  const body = (await readObject(config, terminal)) as Call<
    (typeof endpoints)['virtualServers.change']
  >['body'];
  show(output, await (await api())('virtualServers.change', { params: { path }, body }), 'Changed');
}

async function rate({ api, output }: Run, { path, stars }: PathFlag & { stars: string }): Promise<void> {
  const done = await (await api())('virtualServers.rate', {
    params: { path },
    body: { rating: Number(stars) },
  });
  output.result(done, () => `${done.message} Its mean is ${done.average_rating.toFixed(1)} now.`);
}

async function toggle(
  { api, output }: Run,
  { path, enabled }: PathFlag & { enabled?: string },
): Promise<void> {
  const body = { enabled: wantedState(enabled) };
  const one = await (await api())('virtualServers.toggle', { params: { path }, body });
  output.result(one, () => `${one.path} is ${one.is_enabled ? 'enabled' : 'disabled'}.`);
}

async function remove(
  { api, output, terminal }: Run,
  { path, force = false }: PathFlag & { force?: boolean },
): Promise<void> {
  const call = await api();
  const removed = force || (await confirm(`Remove the virtual server ${path}?`, terminal));
  if (removed) await call('virtualServers.remove', { params: { path } });
  output.result({ path, removed }, () => (removed ? `Removed ${path}.` : ''));
  if (!removed) output.note('Nothing was removed.');
}

async function exportAll(
  { api, output, terminal }: Run,
  { output: file }: { output?: string },
): Promise<void> {
  const all = await (await api())('virtualServers.export', {});
  const text = JSON.stringify(all, null, 2);
  if (file === undefined) return output.result(all, () => text);
  await writeFile(resolve(terminal.cwd, file), `${text}\n`);
  output.result(
    { file, count: all.virtual_servers.length },
    () => `Wrote ${all.virtual_servers.length} to ${file}.`,
  );
}

async function importAll({ api, output, terminal }: Run, { config }: { config: string }): Promise<void> {
  const body = (await readObject(config, terminal)) as Call<
    (typeof endpoints)['virtualServers.import']
  >['body'];
  const done = await (await api())('virtualServers.import', { body });
  output.result(done, () =>
    [
      ...done.created.map((path) => `Created ${path}.`),
      ...done.replaced.map((path) => `Replaced ${path}.`),
    ].join('\n'),
  );
}

async function readObject(file: string, terminal: Run['terminal']): Promise<object> {
  const { name, value } = await readJsonFile(file, terminal);
  if (isObject(value)) return value;
  throw new Trouble(`${name} does not describe a virtual server: it is not a JSON object.`, {
    remedy: 'examples/virtual-server.json shows a complete one.',
  });
}

function show(output: Run['output'], one: VirtualServer, done: string): void {
  output.result(one, (paint) => virtualFields(one, paint));
  if (output.json) return;
  output.note(`${done} ${one.path}.`);
  for (const conflict of one.conflicts) output.note(conflict);
}

function virtualTable(rows: readonly VirtualServerSummary[], room: number | undefined, paint: Paint): string {
  return table(
    rows,
    [
      { title: 'PATH', show: (one) => one.path },
      { title: 'NAME', show: (one) => one.server_name },
      {
        title: 'ENABLED',
        show: (one) => (one.is_enabled ? 'yes' : 'no'),
        style: (one) => (one.is_enabled ? 'green' : 'dim'),
      },
      { title: 'TOOLS', show: (one) => String(one.num_tools) },
      { title: 'TOKENS', show: (one) => String(one.list_tokens) },
      { title: 'SERVERS', show: (one) => String(one.backend_count) },
      { title: 'DESCRIPTION', show: (one) => one.description },
    ],
    room,
    paint,
  );
}

function virtualFields(one: VirtualServer, paint: Paint): string {
  return fields(
    [
      ['Name', one.server_name],
      ['Path', one.path],
      ['Connect to', one.endpoint_url],
      ['Description', one.description],
      ['Personal', one.is_personal],
      ['Members', one.members.map(({ backend_server_path }) => backend_server_path).join(', ')],
      ['Mapped tools', one.tool_mappings.map(({ alias, tool_name }) => alias ?? tool_name).join(', ')],
      ['Tools that you can call', one.num_tools],
      ['Tokens in a list, about', one.list_tokens],
      ['Required scopes', one.required_scopes.join(', ')],
      [
        'Not there now',
        one.unavailable
          .map(({ backend_server_path, reason }) => `${backend_server_path}: ${reason}`)
          .join('; '),
      ],
      ['Conflicts', one.conflicts.join(' ')],
      ['Tags', one.tags.join(', ')],
      ['Rating', one.rating_details.length === 0 ? '' : `${one.num_stars.toFixed(1)} of 5`],
      ['Enabled', one.is_enabled],
      ['Created', `${one.created_at} by ${one.created_by}`],
      ['Changed', one.updated_at],
      ['Revision', one.revision],
    ],
    paint,
  );
}
