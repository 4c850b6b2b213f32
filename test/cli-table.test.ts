import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { type Circumstances, cli, folderWith } from './cli-trial.ts';
import { freePort, startGateway, type TestGateway } from './harness.ts';
import { startProgram } from './program.ts';
import { agentToken, mintToken, signIn } from './sign-in.ts';

/** The command line against a running gateway, one invocation a row: what is typed, and what is seen. */
let gateway: TestGateway;
const tokens = { admin: '', user: '', nobody: '', expired: '', revoked: '' };
let closedPort = 0;

beforeAll(async () => {
  gateway = await startGateway();
  const { accounts } = shippedTenant;
  const mint = async (who: string) => mintToken(gateway.url, await signIn(gateway.url, who));
  tokens.admin = (await mint(accounts.admin.userPrincipalName)).token;
  tokens.user = (await mint(accounts.user.userPrincipalName)).token;
  tokens.nobody = (await mint(accounts.noGroup.userPrincipalName)).token;
  // A token of two hours ago, and one that nobody has used yet, so that nothing of it is in memory.
  await clock(Date.now() - 7_200_000);
  tokens.expired = await agentToken(gateway.emulatorUrl, shippedTenant.agents.user);
  await clock(Date.now());
  const gone = await mint(accounts.user.userPrincipalName);
  tokens.revoked = gone.token;
  const db = new DatabaseSync(join(gateway.dataDir, 'gateway.db'));
  db.prepare('update tokens set revoked_at = ? where id = ?').run(new Date().toISOString(), gone.id);
  db.close();
  closedPort = await freePort();
});
afterAll(() => gateway?.close());

async function clock(now: number): Promise<void> {
  const answer = await fetch(`${gateway.emulatorUrl}/_emulator/clock`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ now: new Date(now).toISOString() }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

interface Row {
  /** What is typed after `mcp-gateway`; `URL` and `CLOSED` stand for the gateway's port and one where nothing listens. */
  readonly type: string;
  readonly as?: keyof typeof tokens | 'no token';
  readonly code: number;
  readonly out?: RegExp;
  readonly err?: RegExp;
  /** What must not be seen on either stream. */
  readonly never?: RegExp;
  readonly stdin?: string;
  /** Columns of the terminal; without, it is a pipe. */
  readonly terminal?: number;
  /** Holds of the JSON that is printed. */
  readonly json?: (value: never) => void;
}

const server = JSON.stringify({
  server_name: 'Weather',
  path: '/weather-of-the-whole-wide-world',
  proxy_pass_url: 'http://127.0.0.1:9/mcp',
  description: 'Says what the weather is like, in more words than fit on a line of a terminal.',
});
const keyOfServer = '/weather-of-the-whole-wide-world';
const lists = (least: number) => (value: { items: unknown[]; total: number | null; next: unknown }) => {
  expect(Object.keys(value)).toEqual(['items', 'total', 'next']);
  expect(value.items.length).toBeGreaterThanOrEqual(least);
};

const rows: Row[] = [
  // Help and words that are no command.
  { type: '', code: 2, err: /^Usage: mcp-gateway <noun> <verb>/ },
  { type: '--help', code: 0, out: /Servers {2}server, agent, virtual[\s\S]*Access[\s\S]*Records/ },
  { type: 'help', code: 0, out: /^Usage: mcp-gateway <noun> <verb>/ },
  { type: 'help server', code: 0, out: /list[\s\S]*register \[file\]|register <file>/ },
  { type: 'help server list', code: 0, out: /mcp-gateway server list --query time/ },
  { type: 'help --all', code: 0, out: /import-group +the same as scope import/ },
  { type: '--version', code: 0, out: /^\d+\.\d+\.\d+\n$/ },
  { type: 'server', code: 2, err: /Usage: mcp-gateway server <verb>/ },
  { type: 'sever list', code: 2, err: /Did you mean `mcp-gateway server list`\?[\s\S]*--help/ },
  { type: 'server lst', code: 2, err: /Did you mean `mcp-gateway server list`\?/ },
  { type: 'servers-list', code: 2, err: /Did you mean `mcp-gateway server list`\?/ },
  { type: 'delete server', code: 2, err: /Did you mean `mcp-gateway server remove`\?/ },
  { type: 'role new', code: 2, err: /Did you mean `mcp-gateway scope create`\?/ },
  { type: 'frobnicate --help', code: 2, err: /unknown command 'mcp-gateway frobnicate'/ },
  { type: 'server lst --help', code: 2, err: /Did you mean `mcp-gateway server list`\?/ },
  { type: 'nope', code: 2, err: /unknown command/, never: /Did you mean/ },
  { type: 'version', code: 0, out: /^\d+\.\d+\.\d+/ },
  { type: 'server patch /x --body {}', code: 2, err: /unknown option '--body'\n\(Did you mean --patch\?\)/ },
  { type: 'audit list --since 1h', code: 2, err: /Did you mean --from\?/ },
  { type: 'token create --hours 2', code: 2, err: /Did you mean --expires-in-hours\?/ },
  { type: 'server list --limit 0', code: 2, err: /--limit cannot be '0'\. Give a whole number from 1/ },
  {
    type: 'completion powershell',
    code: 2,
    err: /<shell> cannot be 'powershell'\. Use one of: bash, zsh, fish/,
  },
  {
    type: 'scope explain nora@contoso.example --server currenttime --tool countdown',
    code: 1,
    out: /denied[\s\S]*Groups: +none/,
  },
  { type: 'scope explain stranger --server currenttime', code: 1, err: /mcp-gateway user list/ },
  { type: 'frobnicate', code: 2, err: /unknown command 'mcp-gateway frobnicate'/, never: /Did you mean/ },
  { type: 'server list --qery x', code: 2, err: /unknown option '--qery'[\s\S]*Did you mean --query\?/ },
  { type: 'server list -o yaml', code: 2, err: /-o cannot be 'yaml'\. Use one of: table, wide, json, name/ },
  { type: 'server list --limit many', code: 2, err: /--limit[\s\S]*Give a whole number from 1 to 2000/ },
  {
    type: 'server get',
    code: 2,
    err: /--path is missing. For example: mcp-gateway server get \/currenttime/,
  },
  { type: 'server get /a --path /b', code: 2, err: /'\/a' and --path say the same/ },
  // Reading, in every form.
  { type: 'server list', code: 0, out: /^PATH +NAME +ENABLED[\s\S]*\/currenttime/ },
  { type: 'servers ls', code: 0, out: /^PATH +NAME/ },
  { type: 'list', code: 0, out: /^PATH +NAME/ },
  { type: 'server list -o name', code: 0, out: /^(\/\S+\n)*\/currenttime\n/ },
  { type: 'server list -o wide', code: 0, out: /counts down with progress messages/, terminal: 40 },
  { type: 'server list -o json', code: 0, json: lists(1) },
  { type: 'list --json', code: 0, json: (value: object) => expect(value).toHaveProperty('total_count') },
  {
    type: 'server list --limit 1 -o json',
    code: 0,
    json: (value: { next: number }) => expect(value.next).toBe(1),
  },
  { type: 'server list --query nothing-has-this', code: 0, err: /No servers match/ },
  { type: 'server list', as: 'nobody', code: 0, err: /reported no groups for this account/ },
  { type: 'server get /currenttime', code: 0, out: /Name: +Current Time[\s\S]*Registered: +\d{4}-/ },
  { type: 'server get /currenttime', code: 0, out: /Changed.*(just now|ago)/, never: /\dT\d/, terminal: 200 },
  { type: 'server get /nowhere', code: 1, err: /mcp-gateway server list/ },
  {
    type: 'server get /nowhere -o json',
    code: 1,
    json: (value: { error: { code: string } }) => expect(value.error.code).toBe('not_found'),
  },
  { type: 'server tools /currenttime -o name', code: 0, out: /^\w[\w-]*\n/ },
  { type: 'server search time -o json', code: 0, json: lists(1) },
  { type: 'agent list -o json', code: 0, json: lists(1) },
  { type: 'virtual list -o json', code: 0, json: lists(0) },
  { type: 'scope list -o json', code: 0, json: lists(1) },
  { type: 'group list -o json', code: 0, json: lists(1) },
  { type: 'user list -o json', code: 0, json: lists(1) },
  { type: 'app list -o json', code: 0, json: lists(0) },
  { type: 'token list -o json', code: 0, json: lists(1) },
  { type: 'audit list --limit 2 -o json', code: 0, json: lists(1) },
  { type: 'client list -o json', code: 0, json: lists(0) },
  { type: 'auth whoami', code: 0, out: /Administrator: +yes/ },
  {
    type: 'token create bob --output bob.token',
    as: 'no token',
    code: 0,
    err: /token of bob@contoso\.example/,
  },
  { type: 'token create --account nora --output x', as: 'no token', code: 0, err: /token of nora@/ },
  { type: 'token --output x', as: 'no token', code: 0, err: /token of alice@/ },
  {
    type: 'server connect /currenttime',
    code: 2,
    err: /--client \(claude-code, vscode, .*\) is missing\. For example/,
  },
  {
    type: 'user create x',
    code: 2,
    err: /--email and .*--groups are missing\. For example: mcp-gateway user create/,
  },
  {
    type: 'gateway doctor',
    code: 2,
    err: /<what> is missing: the identity provider.*For example: mcp-gateway gateway doctor entra/,
  },
  {
    type: 'token revoke 5f0c7f1e-8d1b-4d4e-9d5e-2f1f0a3f9c11',
    code: 1,
    err: /mcp-gateway token list/,
    never: /server list/,
  },
  { type: 'scope get nowhere', code: 1, err: /mcp-gateway scope list/ },
  { type: 'app get nowhere', code: 1, err: /mcp-gateway app list/ },
  { type: 'scope list', code: 0, out: /^Scopes/, never: /Directory-Only/ },
  { type: 'gateway config', as: 'no token', code: 0, out: /evaluation/i },
  // Changing.
  {
    type: 'server register - --dry-run',
    stdin: server,
    code: 0,
    out: /Would send POST \/api\/servers/,
    err: /nothing was changed/,
  },
  { type: 'server register -', stdin: server, code: 0, err: /Registered \/weather/ },
  { type: 'server register -', stdin: server, code: 1, err: /already registered[\s\S]*--overwrite/ },
  { type: 'server register -', stdin: '{"path": }', code: 1, err: /line 1, column \d+/ },
  {
    type: 'server register -',
    stdin: '{"server_name":"x"}',
    code: 1,
    err: /line 1, column 1: proxy_pass_url: must be an http/,
  },
  { type: 'server list', code: 0, terminal: 50, out: new RegExp(`${keyOfServer}(\\s|$)`, 'm') },
  { type: 'server list', code: 0, terminal: 50, out: /Not shown: .*DESCRIPTION\. Add -o wide\./ },
  // What happened stays, before what only describes it.
  { type: 'audit list --limit 3', code: 0, terminal: 100, out: /^TIME .*WHO .*ACTION .*OUTCOME .*ID\n/ },
  { type: 'user list', code: 0, terminal: 80, out: /^ENABLED +USER NAME +KIND +NAME/ },
  { type: `toggle --path ${keyOfServer}`, code: 2, err: /--enabled true or --enabled false/ },
  { type: `server enable ${keyOfServer} --dry-run`, code: 0, out: /"enabled": true/ },
  { type: `server disable ${keyOfServer}`, code: 0, out: /is disabled/ },
  { type: `server remove ${keyOfServer}`, code: 2, err: /needs confirmation[\s\S]*--yes/ },
  {
    type: `server remove ${keyOfServer}`,
    stdin: 'n\n',
    terminal: 80,
    code: 0,
    err: /\[y\/N\] [\s\S]*Nothing was removed/,
  },
  { type: `server remove ${keyOfServer} --dry-run`, code: 0, out: /Would send DELETE/ },
  { type: `server remove ${keyOfServer}`, stdin: 'y\n', terminal: 80, code: 0, out: /Removed/ },
  { type: `server remove ${keyOfServer} -y`, code: 1, err: /error:/ },
  { type: `server remove ${keyOfServer} -y --ignore-missing`, code: 0, err: /Nothing was changed/ },
  { type: 'scope create two-teams --description Teams', code: 0, out: /two-teams/ },
  {
    type: `scope create two-teams --description ${'x'.repeat(5000)}`,
    code: 1,
    err: /--description/,
    never: /body\./,
  },
  { type: 'delete-group --name two-teams --yes', code: 0, out: /Removed two-teams/ },
  { type: 'group create pair --idp', code: 0, out: /Created pair \(/ },
  { type: 'delete-group --name pair --yes', code: 0, err: /group in the directory was removed too/ },
  { type: 'create-group --name pair --idp', code: 0, out: /Created there now: +yes/ },
  { type: 'group-delete --name pair --force', code: 0, err: /group in the directory was removed too/ },
  // Who is calling, and where.
  { type: 'server list', as: 'no token', code: 2, err: /needs a token[\s\S]*mcp-gateway auth login/ },
  {
    type: 'server list --token-file nowhere',
    as: 'no token',
    code: 2,
    err: /token file nowhere does not exist/,
  },
  { type: 'server list', as: 'expired', code: 1, err: /expired[\s\S]*mcp-gateway auth login/ },
  { type: 'server list', as: 'revoked', code: 1, err: /revoked/ },
  {
    type: 'server list -o json',
    as: 'expired',
    code: 1,
    json: (value: { error: { status: number } }) => expect(value.error.status).toBe(401),
  },
  { type: 'server remove /currenttime -y', as: 'user', code: 1, err: /auth whoami|server list/ },
  {
    type: 'server list --registry-url http://127.0.0.1:CLOSED',
    code: 1,
    err: /nothing listens there[\s\S]*mcp-gateway start/,
  },
  {
    type: 'server list --registry-url https://127.0.0.1:PORT',
    code: 1,
    err: /it speaks http, not https/,
    never: /SSL|EPROTO|wrong version/,
  },
  { type: 'server list --registry-url http://no-such-host.invalid', code: 1, err: /host name is not known/ },
  { type: 'server list --registry-url gopher://x', code: 2, err: /not an http:\/\/ or https:\/\/ URL/ },
];

test.each(rows.map((row) => [`${row.type}${row.as ? ` (${row.as})` : ''}`, row] as const))(
  'mcp-gateway %s',
  async (_, { type, as = 'admin', code, out, err, never, stdin, terminal, json }) => {
    const cwd = await folderWith();
    const circumstances: Circumstances = {
      ...{ cwd, stdin: stdin ?? '', tty: terminal !== undefined },
      ...(terminal === undefined ? {} : { columns: terminal }),
      env: {
        ...{ REGISTRY_URL: gateway.url, NO_COLOR: '1' },
        ...(as === 'no token' ? {} : { MCP_GATEWAY_TOKEN: tokens[as] }),
      },
    };
    const words = type.replace('CLOSED', String(closedPort)).replace('PORT', new URL(gateway.url).port);
    const done = await cli(words === '' ? [] : words.split(' '), circumstances);
    const seen = `${done.out}\n${done.err}`;
    expect(done.code, seen).toBe(code);
    if (out) expect(done.out).toMatch(out);
    if (err) expect(done.err).toMatch(err);
    expect(seen).not.toMatch(never ?? /\bat \w+ \(file:/);
    // Nothing of the machinery below shows through, and no secret.
    expect(seen).not.toMatch(/ZodError|Invalid input|undefined|\[object|openssl|body\.\w/i);
    if (as !== 'no token') expect(seen).not.toContain(tokens[as]);
    if (json) json(JSON.parse(done.out) as never);
    else if (code !== 0 && !out) expect(done.err).toMatch(/^(error: |Usage: |warning: )/);
  },
);

test('there are at least sixty of them, and help takes a dozen lines', async () => {
  expect(rows.length).toBeGreaterThanOrEqual(60);
  const { out } = await cli(['--help']);
  expect(out.trimEnd().split('\n').length).toBeLessThanOrEqual(12);
  expect(out.split('\n').every((line) => line.length <= 120)).toBe(true);
});

test('every name of the setup guide and of earlier versions is still a command', async () => {
  const guide = [
    'import-group',
    'user-create-human',
    'user-create-m2m',
    'group-create',
    'user-list',
    'group-list',
  ];
  for (const name of guide) expect((await cli([name, '--help'])).code, name).toBe(0);
  const table = readFileSync('docs/reference/cli.md', 'utf8').split('## Earlier names')[1] ?? '';
  const names = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(70);
  for (const name of names) expect((await cli([name, '--help'])).code, name).toBe(0);
});

test('Ctrl-C ends a command that waits, and a closed pipe is no error', async () => {
  const cwd = await folderWith();
  const env = { REGISTRY_URL: gateway.url };
  const waiting = startProgram(['auth', 'login', '--no-browser'], { cwd, env });
  await waiting.says(/http:\/\/\S+/);
  waiting.process.kill('SIGINT');
  const { code, err } = await waiting.ended;
  expect(code === null || code === 1 || code === 130, err).toBe(true);
  expect(err).not.toMatch(/\bat \w+ \(/);
  const piped = startProgram(['audit', 'export'], { cwd, env: { ...env, MCP_GATEWAY_TOKEN: tokens.admin } });
  piped.process.stdout?.destroy();
  expect((await piped.ended).err).not.toMatch(/EPIPE|\bat \w+ \(/);
});
