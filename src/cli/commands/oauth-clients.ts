import { Option } from 'commander';
import type { Output } from '../../contract/endpoint.ts';
import type { oauthEndpoints } from '../../contract/oauth.ts';
import { plainLine } from '../../contract/values/plain-text.ts';
import { type AddCommands, addCommand, type Run, wholeNumber } from '../command.ts';
import { confirm } from '../input/confirm.ts';
import { namesIn } from '../input/group-names.ts';
import { orNotFound } from '../not-found.ts';
import type { Paint } from '../output/output.ts';
import { fields, table } from '../output/table.ts';

type Client = Output<(typeof oauthEndpoints)['oauthClients.get']>;
type Connected = Output<(typeof oauthEndpoints)['connectedClients.list']>['connected_clients'][number];

interface ClientFlag {
  clientId: string;
}

/** The commands about programs that people sign in from. */
export const addOauthClientCommands: AddCommands = (program, on) => {
  addCommand(program, 'connected-client-list', {
    summary: 'List the programs that can act for you',
    examples: ['mcp-gateway connected-client-list', 'mcp-gateway connected-client-list --json'],
  })
    .option('--client-id <id>', 'list everyone who uses this client (for administrators)')
    .action(on(listConnected));
  addCommand(program, 'connected-client-end', {
    summary: 'End the access of a program, immediately',
    examples: ['mcp-gateway connected-client-end --id 1rT9...'],
  })
    .requiredOption('--id <id>', 'id of the connection, from `client connected`')
    .action(on(endConnected));
  addCommand(program, 'oauth-client-list', {
    summary: 'List the programs that people sign in from (for administrators)',
    examples: ['mcp-gateway oauth-client-list', 'mcp-gateway oauth-client-list --status pending'],
  })
    .addOption(
      new Option('--status <status>', 'only those').choices(['open', 'pending', 'approved', 'blocked']),
    )
    .option('--search <text>', 'part of the name, alias or client id')
    .option('--limit <number>', 'how many at most', wholeNumber(1, 1000), 200)
    .option('--skip <number>', 'how many to skip', wholeNumber(0), 0)
    .action(on(list));
  addChanges(program, on);
};

const addChanges: AddCommands = (program, on) => {
  addCommand(program, 'oauth-client-create', {
    summary:
      'Create a client for a program that people sign in from, or for an agent with client credentials',
    examples: [
      'mcp-gateway oauth-client-create --client-name "Build robot" --alias build-robot --client-credentials --groups builders',
      'mcp-gateway oauth-client-create --client-name Portal --redirect-uri https://portal.example.com/callback',
    ],
  })
    .requiredOption('--client-name <name>', 'name to show')
    .option('--alias <name>', 'its client id, and its name in scopes')
    .option('--redirect-uri <uri...>', 'allowed redirect URI', [])
    .addOption(
      new Option(
        '--auth-method <method>',
        'how it authenticates (default: with a secret if it has its own permissions)',
      ).choices(['none', 'client_secret_basic', 'client_secret_post']),
    )
    .option('--client-credentials', 'allow client credentials, with the permissions of --groups')
    .option('--token-exchange', 'allow token exchange: it can act for people who gave it a token')
    .option('--jwt-bearer', 'allow assertions of trusted issuers about people (ID-JAG)')
    .option('--groups <a,b>', 'groups of the client itself, separated by commas', '')
    .action(on(create));
  addCommand(program, 'oauth-client-approve', {
    summary: 'Allow people to sign in from a program',
    examples: ['mcp-gateway oauth-client-approve --client-id client_4f1c --alias portal'],
  })
    .addOption(clientOption())
    .option('--alias <name>', 'its name in scopes')
    .action(on(approve));
  addCommand(program, 'oauth-client-block', {
    summary: 'Block a program: no one can sign in from it, and its access ends immediately',
    examples: ['mcp-gateway oauth-client-block --client-id client_4f1c'],
  })
    .addOption(clientOption())
    .action(on(block));
  addCommand(program, 'oauth-client-delete', {
    summary: 'Remove a program and end its access (asks first)',
    examples: ['mcp-gateway oauth-client-delete --client-id client_4f1c --force'],
  })
    .addOption(clientOption())
    .option('--force', 'do not ask')
    .action(on(remove));
};

function clientOption(): Option {
  return new Option('--client-id <id>', 'client id of the program').makeOptionMandatory();
}

const whichThereAre = orNotFound('Run `mcp-gateway client list` to see the clients.');

async function listConnected({ api, output }: Run, { clientId }: Partial<ClientFlag>): Promise<void> {
  const query = clientId === undefined ? {} : { client_id: clientId };
  const found = await (await api())('connectedClients.list', { query });
  output.result(found, (paint, room) =>
    found.connected_clients.length === 0 ? '' : connectedTable(found.connected_clients, room, paint),
  );
  if (!output.json && found.connected_clients.length === 0) output.note('No connected programs.');
}

async function endConnected({ api, output }: Run, { id }: { id: string }): Promise<void> {
  const call = await api();
  await call('connectedClients.end', { params: { id } }).catch(
    orNotFound('Run `mcp-gateway client connected` to see the connected clients.'),
  );
  output.result({ ended: id }, () => plainLine(`Ended ${id}.`));
}

interface ListFlags {
  status?: Client['status'];
  search?: string;
  limit: number;
  skip: number;
}

async function list({ api, output }: Run, { status, search, limit, skip }: ListFlags): Promise<void> {
  const query = { ...(status ? { status } : {}), ...(search ? { search } : {}), limit, skip };
  const page = await (await api())('oauthClients.list', { query });
  output.result(page, (paint, room) => (page.items.length ? clientTable(page.items, room, paint) : ''));
  if (output.json) return;
  const last = skip + page.items.length;
  if (page.items.length === 0) output.note('No MCP clients.');
  else if (last < page.total)
    output.note(`${skip + 1} to ${last} of ${page.total}; for more: --skip ${last}`);
}

interface NewClient {
  clientName: string;
  alias?: string;
  redirectUri: string[];
  authMethod?: 'none' | 'client_secret_basic' | 'client_secret_post';
  clientCredentials?: true;
  tokenExchange?: true;
  jwtBearer?: true;
  groups: string;
}

async function create({ api, output }: Run, flags: NewClient): Promise<void> {
  const forItself = Boolean(flags.clientCredentials || flags.tokenExchange || flags.jwtBearer);
  const body = {
    client_name: flags.clientName,
    ...(flags.alias === undefined ? {} : { alias: flags.alias }),
    redirect_uris: flags.redirectUri,
    token_endpoint_auth_method: flags.authMethod ?? (forItself ? 'client_secret_basic' : 'none'),
    client_credentials: Boolean(flags.clientCredentials),
    token_exchange: Boolean(flags.tokenExchange),
    jwt_bearer: Boolean(flags.jwtBearer),
    groups: namesIn(flags.groups, 'none'),
  } as const;
  const client = await (await api())('oauthClients.create', { body });
  output.result(client, (paint) => clientFields(client, paint));
  if (!output.json && client.client_secret) output.note('The secret is shown only once; save it now.');
}

async function approve({ api, output }: Run, { clientId, alias }: ClientFlag & { alias?: string }) {
  const body = { status: 'approved', ...(alias === undefined ? {} : { alias }) } as const;
  const call = await api();
  const client = await call('oauthClients.change', { params: { client_id: clientId }, body }).catch(
    whichThereAre,
  );
  output.result(client, (paint) => clientFields(client, paint));
}

async function block({ api, output }: Run, { clientId }: ClientFlag): Promise<void> {
  const body = { status: 'blocked' } as const;
  const call = await api();
  const client = await call('oauthClients.change', { params: { client_id: clientId }, body }).catch(
    whichThereAre,
  );
  output.result(client, (paint) => clientFields(client, paint));
}

async function remove(
  { api, output, terminal }: Run,
  { clientId, force }: ClientFlag & { force?: true },
): Promise<void> {
  const question = `Forget ${clientId} and end everyone's access through it?`;
  if (!force && !(await confirm(question, terminal))) return;
  const call = await api();
  await call('oauthClients.remove', { params: { client_id: clientId } }).catch(whichThereAre);
  output.result({ removed: clientId }, () => plainLine(`Forgot ${clientId}.`));
}

function connectedTable(found: readonly Connected[], room: number | undefined, paint: Paint): string {
  return table(
    found,
    [
      { title: 'ID', show: ({ id }) => id },
      { title: 'PROGRAM', show: ({ client_name }) => client_name },
      { title: 'FOR', show: ({ username }) => username },
      {
        title: 'REACHES',
        show: ({ resource, only_at }) => (only_at ? `${only_at} of ${resource}` : resource),
      },
      { title: 'MAY', show: ({ scopes }) => scopes.join(' ') },
      { title: 'BY', show: ({ via, actors }) => [via, ...actors].join(' ') },
      { title: 'LAST USED', show: ({ last_used_at }) => last_used_at ?? 'never' },
    ],
    room,
    paint,
  );
}

function clientTable(clients: readonly Client[], room: number | undefined, paint: Paint): string {
  return table(
    clients,
    [
      { title: 'CLIENT ID', show: ({ client_id }) => client_id },
      { title: 'CALLS ITSELF', show: ({ client_name }) => client_name },
      { title: 'ALIAS', show: ({ alias }) => alias ?? '-' },
      { title: 'STATUS', show: ({ status }) => status },
      { title: 'PEOPLE', show: ({ people }) => String(people) },
      { title: 'LAST USED', show: ({ last_used_at }) => last_used_at ?? 'never' },
    ],
    room,
    paint,
  );
}

function clientFields(client: Client & { client_secret?: string | null }, paint: Paint): string {
  return fields(
    [
      ['Client ID', client.client_id],
      ...(client.client_secret ? [['Secret', client.client_secret] as const] : []),
      ['Calls itself', client.client_name],
      ['Alias', client.alias ?? 'none'],
      ['Status', client.status],
      ['Redirects', client.redirect_uris.join(', ') || 'none'],
      ['Proves itself by', client.token_endpoint_auth_method],
      ['Groups', client.groups.join(', ') || 'none'],
      ['People', client.people],
      ['Last used', client.last_used_at ?? 'never'],
      ['Known since', `${client.created_at}, by ${client.created_by}`],
    ],
    paint,
  );
}
