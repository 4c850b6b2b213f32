import type { Connection } from '../../contract/servers/connections.ts';
import { type AddCommands, addCommand, pathOption, type Run, wholeNumber } from '../command.ts';
import { allOf, confirm } from '../input/confirm.ts';
import type { Paint } from '../output/output.ts';
import { fields, table } from '../output/table.ts';
import { misuse, Trouble } from '../trouble.ts';

interface PathFlag {
  path: string;
}

/** Between two looks at whether somebody is connected, in milliseconds. */
const looksMs = 2_000;

/** The commands about one's own credentials at servers. */
export const addConnectionCommands: AddCommands = (program, on) => {
  addCommand(program, 'connection-list', {
    summary: 'List the servers that need a credential of yours, and whether you are connected',
    examples: ['mcp-gateway connection-list', 'mcp-gateway connection-list --json'],
  }).action(on(list));
  addCommand(program, 'connection-connect', {
    summary: 'Connect to a server with your own account, in a browser',
    examples: [
      'mcp-gateway connection-connect --path /github',
      'mcp-gateway connection-connect --path /github --no-wait',
    ],
  })
    .addOption(pathOption('server', '/github'))
    .option('--no-browser', 'only print the address')
    .option('--no-wait', 'do not wait until you are connected')
    .action(on(connect));
  addCommand(program, 'connection-set-token', {
    summary: 'Store your token for a server for a limited time; reads standard input',
    examples: ['mcp-gateway connection-set-token --path /jira --days 30 < token'],
  })
    .addOption(pathOption('server', '/jira'))
    .option(
      '--days <number>',
      'how long to keep it; 30, or the most that the server allows',
      wholeNumber(1, 365),
    )
    .action(on(setToken));
  addCommand(program, 'connection-disconnect', {
    summary: 'Delete your credential for a server (asks first)',
    examples: ['mcp-gateway connection-disconnect --path /github --force'],
  })
    .addOption(pathOption('server', '/github'))
    .option('--force', 'do not ask for confirmation')
    .action(on(disconnect));
};

async function list({ api, output }: Run): Promise<void> {
  const answer = await (await api())('connections.list');
  const { connections } = answer;
  output.result(answer, (paint, room) =>
    connections.length === 0
      ? ''
      : table(
          connections,
          [
            { title: 'PATH', show: (one) => one.server_path, isKey: true },
            { title: 'HOST', show: (one) => one.host },
            { title: 'BY', show: (one) => one.egress_auth_mode },
            {
              title: 'STATUS',
              show: (one) => one.status,
              style: (one) => (one.status === 'connected' ? 'green' : 'yellow'),
            },
            { title: 'ACCOUNT', show: (one) => one.account ?? '' },
            { title: 'ENDS', show: (one) => one.ends_at ?? '' },
            { title: 'LAST USED', show: (one) => one.last_used_at ?? '' },
          ],
          room,
          paint,
        ),
  );
  if (!output.json && connections.length === 0)
    output.note('None of your servers needs a credential of your own.');
}

async function connect(
  { api, output, terminal, registryUrl }: Run,
  { path, browser, wait }: PathFlag & { browser: boolean; wait: boolean },
): Promise<void> {
  const ask = await api();
  const find = async () => ofPath((await ask('connections.list')).connections, path);
  const before = await find();
  if (before.egress_auth_mode === 'pat')
    throw misuse(
      `${before.server_path} takes a token that you enter.`,
      `Store it: mcp-gateway connection set-token ${before.server_path} < token`,
    );
  if (before.egress_auth_mode === 'obo_exchange')
    throw misuse(
      `${before.server_path} is connected automatically when you call it.`,
      'There is nothing to do.',
    );
  const url = new URL('/oauth2/egress/connect', registryUrl);
  url.searchParams.set('server', before.server_path);
  output.note(`Open ${url.href} in a browser where you are signed in, and connect there.`);
  if (browser) terminal.openUrl(url.href);
  if (!wait) return output.result({ connect_url: url.href }, () => url.href);
  const connected = await terminal.untilInterrupted(async (signal) => {
    while (!signal.aborted) {
      const now = await find();
      if (now.status === 'connected' && now.connected_at !== before.connected_at) return now;
      await terminal.clock.pause(looksMs, signal);
    }
    return undefined;
  });
  if (!connected) throw new Trouble('You were not connected before this ended.', { remedy: 'Run it again.' });
  output.result(connected, (paint) => shown(connected, paint));
}

async function setToken(
  { api, output, terminal }: Run,
  { path, days }: PathFlag & { days?: number },
): Promise<void> {
  const token = (await allOf(terminal.stdin)).trim();
  if (token === '')
    throw misuse('Standard input holds no token.', 'Pipe it in, for instance from a file: < token.');
  const ask = await api();
  const found = ofPath((await ask('connections.list')).connections, path);
  const stored = await ask('connections.enter', {
    body: {
      server_path: found.server_path,
      token,
      ttl_value: days ?? Math.min(30, found.max_days),
      ttl_unit: 'days',
    },
  });
  output.result(stored, (paint) => shown(stored, paint));
}

async function disconnect(
  { api, output, terminal }: Run,
  { path, force = false }: PathFlag & { force?: boolean },
): Promise<void> {
  const ask = await api();
  const found = ofPath((await ask('connections.list')).connections, path);
  const { server_path, egress_provider: provider } = found;
  const disconnected = force || (await confirm(`Delete your credential at ${server_path}?`, terminal));
  if (disconnected) await ask('connections.remove', { params: { provider, path: server_path } });
  output.result({ path: server_path, disconnected }, () =>
    disconnected ? `Disconnected from ${server_path}.` : '',
  );
  if (!disconnected) output.note('Nothing was deleted.');
}

function ofPath(connections: readonly Connection[], path: string): Connection {
  const wanted = `/${path.replace(/^\/+|\/+$/g, '')}`;
  const found = connections.find(({ server_path }) => server_path === wanted);
  if (found) return found;
  throw new Trouble(`${wanted} does not need a credential of yours, or you cannot use it.`, {
    remedy: 'Run `mcp-gateway connection list` to see your connections.',
  });
}

function shown(one: Connection, paint: Paint): string {
  return fields(
    [
      ['Server', one.server_path],
      ['Host', one.host],
      ['Status', one.status],
      ['Account', one.account],
      ['Rights', one.scopes.join(' ') || null],
      ['Ends', one.ends_at],
      ['Last used', one.last_used_at],
    ],
    paint,
  );
}
