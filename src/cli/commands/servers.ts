import { Option } from 'commander';
import type { Api } from '../../contract/client.ts';
import { openApi } from '../api.ts';
import {
  type AddCommands,
  addCommand,
  enabledOption,
  pathOption,
  type Run,
  wantedState,
  wholeNumber,
} from '../command.ts';
import { addConnectCommand, connectConfig } from '../connect/connect.ts';
import { register } from '../files/register.ts';
import { checkHealth } from '../health.ts';
import { confirm } from '../input/confirm.ts';
import { updateCredential } from '../input/credential.ts';
import { healthStyle, serverFields, serverTable, toolTable } from '../output/server-view.ts';
import { fields } from '../output/table.ts';
import { addServerUpdates } from '../server-updates.ts';

interface PathFlag {
  path: string;
}

/** The commands about the registry's servers. */
export const addServerCommands: AddCommands = (program, on) => {
  addLooks(program, on);
  addChanges(program, on);
  addServerUpdates(program, on);
  addCredential(program, on);
  addConnectCommand(program, on);
};

const addLooks: AddCommands = (program, on) => {
  addCommand(program, 'list', {
    summary: 'List the servers that you can access',
    examples: ['mcp-gateway list --query time', 'mcp-gateway list --limit 50 --offset 50 --json'],
  })
    .option('--query <text>', 'only servers whose name, path, description or tags contain this')
    .option('--limit <number>', 'how many at most', wholeNumber(1, 2000), 20)
    .option('--offset <number>', 'how many to skip', wholeNumber(0), 0)
    .action(on(list));

  addCommand(program, 'server-get', {
    summary: 'Show one server',
    examples: ['mcp-gateway server-get --path /currenttime'],
  })
    .addOption(pathOption())
    .action(on(get));

  addCommand(program, 'tools', {
    summary: 'List the tools of a server that you can call',
    examples: ['mcp-gateway tools --path /currenttime', 'mcp-gateway tools --path /currenttime --json'],
  })
    .addOption(pathOption())
    .action(on(tools));

  addCommand(program, 'healthcheck', {
    summary: 'Check the health of servers now; exit code 1 if one is not healthy',
    examples: ['mcp-gateway healthcheck', 'mcp-gateway healthcheck --path /currenttime --json'],
  })
    .option('--path <path>', 'only this server; by default all enabled servers that you are allowed to check')
    .action(on(checkHealth));

  addCommand(program, 'server-connect-config', {
    summary: 'Print the client configuration for connecting to a server',
    examples: ['mcp-gateway server-connect-config --path /currenttime > .mcp.json'],
  })
    .addOption(pathOption())
    .action(on(connectConfig));

  addCommand(program, 'config', {
    summary: 'Show version, mode and sign-in methods of the registry; needs no token',
    examples: ['mcp-gateway config', 'mcp-gateway config --json'],
  }).action(on(showConfig));
};

const addChanges: AddCommands = (program, on) => {
  addCommand(program, 'register', {
    summary:
      'Register the servers in a file (registration, client configuration or server.json), disabled unless is_enabled is true',
    examples: [
      'mcp-gateway register --config examples/server.json',
      'mcp-gateway register --config .vscode/mcp.json --only docs',
      'mcp-gateway register --config - --overwrite < server.json',
    ],
  })
    .requiredOption('--config <file>', 'the file (JSON, JSON with comments or TOML); - reads standard input')
    .option('--only <name>', 'only the server of this name in the file')
    .option('--path <path>', 'the path to register it at, instead of the one in the file')
    .option('--overwrite', 'replace a server that is registered at the same path')
    .action(on(register));

  addCommand(program, 'toggle', {
    summary: 'Enable or disable a server',
    examples: [
      'mcp-gateway toggle --path /currenttime --enabled true',
      'mcp-gateway toggle --path /currenttime --enabled false',
    ],
  })
    .addOption(pathOption())
    .addOption(enabledOption())
    .action(on(toggle));

  addCommand(program, 'remove', {
    summary: 'Remove a server from the registry (asks first)',
    examples: ['mcp-gateway remove --path /currenttime', 'mcp-gateway remove --path /currenttime --force'],
  })
    .addOption(pathOption())
    .option('--force', 'do not ask')
    .action(on(remove));
};

const addCredential: AddCommands = (program, on) => {
  addCommand(program, 'server-update-credential', {
    summary: 'Set or remove the credential that the gateway sends to a server (stored encrypted)',
    examples: [
      'mcp-gateway server-update-credential --path /github --auth-scheme bearer --credential-stdin < token',
      'mcp-gateway server-update-credential --path /github --auth-scheme none --custom-header X-Tenant=acme',
    ],
  })
    .addOption(pathOption())
    .addOption(
      new Option('--auth-scheme <scheme>', 'how the gateway authenticates to the server')
        .choices(['none', 'bearer', 'api_key'])
        .makeOptionMandatory(),
    )
    .option('--credential <value>', 'the token or key; visible to others on this machine')
    .option(
      '--credential-stdin',
      'read the token or key from standard input; if left out, the stored one is kept',
    )
    .option(
      '--auth-header-name <name>',
      'header for it (default Authorization for bearer, X-API-Key for api_key)',
    )
    .option('--custom-header <name=value...>', 'an additional header, repeatable; replaces the stored ones')
    .action(on(updateCredential));
};

async function list(
  { api, output }: Run,
  { query, limit, offset }: { query?: string; limit: number; offset: number },
): Promise<void> {
  const call = await api();
  const page = await call('servers.list', {
    query: { ...(query === undefined ? {} : { query }), limit, offset },
  });
  output.result(page, (paint, room) => (page.servers.length ? serverTable(page.servers, room, paint) : ''));
  if (output.json) return;
  const last = offset + page.servers.length;
  if (page.servers.length === 0)
    output.note(page.total_count ? 'No more servers.' : await whyNone(call, query !== undefined));
  else if (page.has_next)
    output.note(`${offset + 1} to ${last} of ${page.total_count}; for more: --offset ${last}`);
}

/** Why a person sees no server at all. */
async function whyNone(call: Api, isSearch: boolean): Promise<string> {
  if (isSearch) return 'No servers match. Leave --query out to see every server that you can access.';
  const me = await call('auth.me').catch(() => undefined);
  if (!me) return 'No servers.';
  if (me.is_admin)
    return 'No servers are registered yet. Register one with `mcp-gateway server register FILE`.';
  const who = `You are signed in as ${me.username}`;
  if (me.groups.length === 0)
    return `No servers. ${who}, and the identity provider reported no groups for this account: access is granted only through groups. Ask an administrator.`;
  return `No servers. ${who}, and none of your groups (${me.groups.join(', ')}) grants access to a server. Ask an administrator.`;
}

async function get({ api, output }: Run, { path }: PathFlag): Promise<void> {
  const server = await (await api())('servers.get', { params: { path } });
  output.result(server, (paint) => serverFields(server, paint));
}

async function tools({ api, output }: Run, { path }: PathFlag): Promise<void> {
  const answer = await (await api())('servers.tools', { params: { path } });
  output.result(answer, (paint, room) => (answer.tools.length ? toolTable(answer.tools, room, paint) : ''));
  if (answer.cached)
    output.warn(
      `as last seen ${answer.fetched_at ?? 'never'}: ${answer.stale_reason ?? 'the server could not be asked'}`,
    );
  else if (answer.tools.length === 0) output.note('No tools that you can call.');
}

async function toggle(
  { api, output }: Run,
  { path, enabled }: PathFlag & { enabled?: string },
): Promise<void> {
  const body = { enabled: wantedState(enabled) };
  const server = await (await api())('servers.toggle', { params: { path }, body });
  output.result(server, (paint) =>
    server.is_enabled
      ? `${server.path} is enabled and ${paint(healthStyle(server), server.health_status)}.`
      : `${server.path} is disabled.`,
  );
  if (server.is_enabled && server.health_detail) output.note(server.health_detail);
}

async function remove(
  { api, output, terminal }: Run,
  { path, force = false }: PathFlag & { force?: boolean },
): Promise<void> {
  const call = await api();
  const removed = force || (await confirm(`Remove the server ${path} from the registry?`, terminal));
  if (removed) await call('servers.remove', { params: { path } });
  output.result({ path, removed }, () => (removed ? `Removed ${path}.` : ''));
  if (!removed) output.note('Nothing was removed.');
}

/** The action of `config`: what the registry tells anybody of itself. */
async function showConfig({ registryUrl, output }: Run): Promise<void> {
  const anybody = await openApi(registryUrl, () => ({}), output.debug);
  const [{ version }, { providers, evaluation }, { sign_in }] = await Promise.all([
    anybody('system.version'),
    anybody('auth.providers'),
    anybody('auth.commandLine'),
  ]);
  const config = { registry_url: registryUrl, version, evaluation, providers, command_line: sign_in };
  output.result(config, (paint) =>
    fields(
      [
        ['Registry', registryUrl],
        ['Version', version],
        ['Evaluation mode', evaluation],
        ['Sign-in', providers.map(({ display_name }) => display_name).join(', ') || 'none'],
        ['Command-line sign-in', sign_in ? `ready (${sign_in.provider})` : 'not set up'],
      ],
      paint,
    ),
  );
}
