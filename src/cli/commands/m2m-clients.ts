import { Option } from 'commander';
import type { z } from 'zod';
import type { Api } from '../../contract/client.ts';
import type { m2mClientEndpoints } from '../../contract/people/m2m-clients.ts';
import { plainLine } from '../../contract/values/plain-text.ts';
import { type AddCommands, addCommand, type Run, wholeNumber } from '../command.ts';
import { confirm } from '../input/confirm.ts';
import { namesIn } from '../input/group-names.ts';
import { orNotFound } from '../not-found.ts';
import { clientFields, clientTable } from '../output/user-view.ts';
import { misuse, Trouble } from '../trouble.ts';

type Client = z.output<(typeof m2mClientEndpoints)['m2mClients.get']['output']>;

interface ClientFlag {
  clientId: string;
  identityProvider?: string;
}

/** The commands about applications that the registry gives groups to, without the directory. */
export const addM2mClientCommands: AddCommands = (program, on) => {
  addCommand(program, 'm2m-client-create', {
    summary:
      'Register an existing application by its client id and give it groups; changes nothing in the directory',
    examples: [
      'mcp-gateway m2m-client-create --client-id 6b1f0c1e-0000-4000-8000-000000000001 --client-name robot --groups team',
    ],
  })
    .addOption(clientOption())
    .addOption(providerOption())
    .requiredOption('--client-name <name>', 'name to show')
    .option('--groups <a,b>', 'groups, separated by commas', '')
    .option('--description <text>', 'what it is for')
    .action(on(create));
  addLooks(program, on);
  addChanges(program, on);
};

const addLooks: AddCommands = (program, on) => {
  addCommand(program, 'm2m-client-list', {
    summary: 'List applications: those that the gateway created, and those registered by client id',
    examples: ['mcp-gateway m2m-client-list', 'mcp-gateway m2m-client-list --provider manual --json'],
  })
    .option('--provider <name>', 'only those of this provider; manual for those registered here')
    .option('--limit <number>', 'how many at most', wholeNumber(1, 1000), 500)
    .option('--skip <number>', 'how many to skip', wholeNumber(0), 0)
    .action(on(list));

  addCommand(program, 'm2m-client-get', {
    summary: 'Show one application, by client id or name',
    examples: ['mcp-gateway m2m-client-get --client-id 6b1f0c1e-0000-4000-8000-000000000001'],
  })
    .addOption(clientOption())
    .addOption(providerOption())
    .action(on(get));
};

const addChanges: AddCommands = (program, on) => {
  addCommand(program, 'm2m-client-update', {
    summary: 'Change an application that was registered by its client id',
    examples: [
      "mcp-gateway m2m-client-update --client-id 6b1f0c1e-0000-4000-8000-000000000001 --groups ''",
      'mcp-gateway m2m-client-update --client-id 6b1f0c1e-0000-4000-8000-000000000001 --enabled false',
    ],
  })
    .addOption(clientOption())
    .addOption(providerOption())
    .option('--client-name <name>', 'name to show')
    .option('--groups <a,b>', "groups, separated by commas, replacing the current ones; '' for none")
    .option('--description <text>', 'what it is for')
    .addOption(new Option('--enabled <state>', 'whether its groups count').choices(['true', 'false']))
    .action(on(change));

  addCommand(program, 'm2m-client-delete', {
    summary: 'Remove an application, and the account that `app create` created for it (asks first)',
    examples: ['mcp-gateway m2m-client-delete --client-id 6b1f0c1e-0000-4000-8000-000000000001 --force'],
  })
    .addOption(clientOption())
    .addOption(providerOption())
    .option('--force', 'do not ask')
    .action(on(remove));
};

function clientOption(): Option {
  return new Option('--client-id <id>', 'client id of the application, or its name').makeOptionMandatory();
}

function providerOption(): Option {
  return new Option(
    '--identity-provider <name>',
    'whose tokens it is for, where there are several providers',
  );
}

/** Left out where it is not given: older registries do not know it. */
function forTokensOf({ identityProvider }: ClientFlag): { identity_provider?: string } {
  return identityProvider === undefined ? {} : { identity_provider: identityProvider };
}

const whichThereAre = orNotFound('Run `mcp-gateway app list` to see the applications.');

interface NewClient extends ClientFlag {
  clientName: string;
  groups: string;
  description?: string;
}

async function create({ api, output }: Run, flags: NewClient): Promise<void> {
  const { clientId: client_id, clientName: client_name, description } = flags;
  const groups = namesIn(flags.groups, 'none');
  const body = {
    ...{ client_id, client_name, groups, ...forTokensOf(flags) },
    ...(description === undefined ? {} : { description }),
  };
  const client = await (await api())('m2mClients.create', { body });
  output.result(client, (paint) => clientFields(client, paint));
}

async function list(
  { api, output }: Run,
  { provider, limit, skip }: { provider?: string; limit: number; skip: number },
): Promise<void> {
  const page = await (await api())('m2mClients.list', {
    query: { ...(provider === undefined ? {} : { provider }), limit, skip },
  });
  output.result(page, (paint, room) => (page.items.length ? clientTable(page.items, room, paint) : ''));
  if (output.json) return;
  const last = skip + page.items.length;
  if (page.items.length === 0) output.note(page.total ? 'No more applications.' : 'No applications.');
  else if (last < page.total)
    output.note(`${skip + 1} to ${last} of ${page.total}; for more: --skip ${last}`);
}

async function get({ api, output }: Run, flags: ClientFlag): Promise<void> {
  const client = await find(await api(), flags);
  output.result(client, (paint) => clientFields(client, paint));
}

/** The application of a client id or, where none has that id, the only one of that name. */
async function find(call: Api, flags: ClientFlag): Promise<Client> {
  const [params, query] = [{ client_id: flags.clientId }, forTokensOf(flags)];
  return call('m2mClients.get', { params, query }).catch(async (error: unknown) => {
    if (!(error instanceof Trouble) || error.about.code !== 'not_found') throw error;
    const { items } = await call('m2mClients.list', { query: { limit: 1000, skip: 0 } });
    const [found, another] = items.filter(({ client_name }) => client_name === flags.clientId);
    if (!found || another) return whichThereAre(error);
    return found;
  });
}

interface ClientChange extends ClientFlag {
  clientName?: string;
  groups?: string;
  description?: string;
  enabled?: 'true' | 'false';
}

async function change({ api, output }: Run, flags: ClientChange): Promise<void> {
  const { clientId: client_id, clientName, groups, description, enabled } = flags;
  const body = {
    ...(clientName === undefined ? {} : { client_name: clientName }),
    ...(groups === undefined ? {} : { groups: namesIn(groups, 'none') }),
    ...(description === undefined ? {} : { description }),
    ...(enabled === undefined ? {} : { enabled: enabled === 'true' }),
  };
  if (Object.keys(body).length === 0)
    throw misuse('Nothing to change is given.', 'Run `mcp-gateway app update --help` for usage.');
  const call = await api();
  const client = await call('m2mClients.change', {
    params: { client_id },
    query: forTokensOf(flags),
    body,
  }).catch(whichThereAre);
  output.result(client, (paint) => clientFields(client, paint));
}

async function remove(
  { api, output, terminal }: Run,
  flags: ClientFlag & { force?: boolean },
): Promise<void> {
  const call = await api();
  const { client_id, client_name, provider } = await find(call, flags);
  // What `app create` made is an account in the directory; what `app register` made is only known here.
  const isHere = provider === 'manual';
  const also = isHere ? '' : ` and its account in ${provider}`;
  const deleted =
    flags.force === true ||
    (await confirm(`Remove the application ${client_name} (${client_id})${also}?`, terminal));
  if (deleted && isHere)
    await call('m2mClients.remove', { params: { client_id }, query: forTokensOf(flags) });
  else if (deleted) await call('users.remove', { params: { username: client_id } });
  output.result({ client_id, deleted }, () => (deleted ? plainLine(`Removed ${client_name}${also}.`) : ''));
  if (!deleted) output.note('Nothing was removed.');
}
