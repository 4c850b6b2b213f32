import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { capabilitiesOf } from '../src/server/iam/entra/directory/capabilities.ts';
import { startGateway, type TestGateway } from './harness.ts';
import { agentToken, signIn } from './sign-in.ts';

/**
 * A walk through docs/iam.md with the real program, gateway and identity provider: a shell runs the commands of the page as
 * they stand there. Every heading of the page begins the name of a test here, and one test holds that.
 */
const page = readFileSync('docs/iam.md', 'utf8');

/** The commands of the setup guide, with the name of this program, on one line each. */
const guide = [
  'mcp-gateway --token-file api/.token --registry-url https://your-registry-url.example.com import-group --file cli/examples/public-mcp-users.json',
  'mcp-gateway --token-file api/.token --registry-url https://your-registry-url.example.com user-create-human --username jsmith --email jsmith@example.com --first-name John --last-name Smith --groups public-mcp-users --password "SecurePassword123!"',
  'mcp-gateway --token-file api/.token --registry-url https://your-registry-url.example.com user-create-m2m --name my-ai-agent --groups public-mcp-users --description "AI coding assistant service account"',
  'curl -X POST "https://login.microsoftonline.com/{TENANT_ID}/oauth2/v2.0/token" -H "Content-Type: application/x-www-form-urlencoded" -d "client_id={M2M_CLIENT_ID}" -d "client_secret={M2M_CLIENT_SECRET}" -d "scope=api://{APP_CLIENT_ID}/.default" -d "grant_type=client_credentials"',
  'mcp-gateway generate-tokens --identities-file /path/to/my-identities.json --output-dir .oauth-tokens --verbose',
];

let gateway: TestGateway;
let folder: string;
/** What stands for the placeholders of the page. */
const values: Record<string, string> = {};
/** Every secret that was shown, to look for in logs. */
const secrets: string[] = [];

beforeAll(async () => {
  gateway = await startGateway();
  folder = mkdtempSync(join(tmpdir(), 'guide-iam-'));
  for (const name of ['api', 'bin', '.oauth-tokens']) mkdirSync(join(folder, name));
  cpSync('examples', join(folder, 'cli/examples'), { recursive: true });
  const program = `#!/bin/sh\nexec '${process.execPath}' '${resolve('bin/mcp-gateway.mjs')}' "$@"\n`;
  writeFileSync(join(folder, 'bin/mcp-gateway'), program);
  chmodSync(join(folder, 'bin/mcp-gateway'), 0o755);
  Object.assign(values, {
    'https://your-registry-url.example.com': gateway.url,
    'https://login.microsoftonline.com': gateway.emulatorUrl,
    '{TENANT_ID}': shippedTenant.tenantId,
    '{APP_CLIENT_ID}': shippedTenant.clientId,
    '/path/to/': './',
  });
});
afterAll(async () => {
  await gateway?.close();
  if (folder) rmSync(folder, { recursive: true });
});

/** The commands below a heading, with the paths that the setup guide has them in. */
function commands(heading: string): string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .replace(/\\\n\s*/g, '')
      .trim()
      .split('\n')
      .map((line) =>
        line.replace(/ (\.token|examples\/)/g, (_, path) => ` ${path === '.token' ? 'api' : 'cli'}/${path}`),
      ),
  );
}

/** Runs a command line of the page in a shell. */
function shell(line: string, stdin = '', env: Record<string, string> = {}) {
  const script = Object.entries(values).reduce((text, [name, value]) => text.replaceAll(name, value), line);
  return new Promise<{ code: number; out: string; err: string }>((done) => {
    const child = execFile(
      'bash',
      ['-c', script],
      {
        cwd: folder,
        env: {
          PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}`,
          HOME: folder,
          REGISTRY_URL: gateway.url,
          MCP_GATEWAY_TOKEN_FILE: 'api/.token',
          AUTH_PROVIDER: 'entra',
          ENTRA_LOGIN_BASE_URL: gateway.emulatorUrl,
          ...env,
        },
      },
      (error, out, err) => done({ code: error ? Number(error.code ?? 1) : 0, out, err }),
    );
    child.stdin?.end(stdin);
  });
}

/** Runs it and takes its output as JSON. */
async function json<T>(line: string, stdin = ''): Promise<T> {
  const { code, out, err } = await shell(`${line} --json`, stdin);
  if (code !== 0) throw new Error(`${line}: ${err}`);
  return JSON.parse(out);
}

/** What is shown of an account: the lines `Name: value`. */
function shown(out: string): Record<string, string> {
  return Object.fromEntries(
    [...out.matchAll(/^([A-Z][\w ]+): +(.*)$/gm)].map(([, name, value]) => [name, value]),
  );
}

/** What an agent's token lets it see: tools by server (null: the server is refused), and agents. */
async function seen(token: string) {
  const tools: Record<string, string[] | null> = {};
  for (const server of ['context7', 'currenttime', 'everything'])
    tools[server] = await withClient(server, token, async (client) =>
      (await client.listTools()).tools.map(({ name }) => name).sort(),
    ).catch((error) => {
      if (!/403|[Ff]orbidden|not allowed/.test(String(error))) throw error;
      return null;
    });
  const answer = await fetch(`${gateway.url}/api/agents`, { headers: { authorization: `Bearer ${token}` } });
  const agents =
    answer.status === 403 ? [] : ((await answer.json()) as { agents: { path: string }[] }).agents;
  return { tools, agents: agents.map(({ path }) => path) };
}

async function withClient<T>(
  server: string,
  token: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ name: 'guide', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${gateway.url}/${server}/mcp`), { requestInit }),
  );
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

const tokenIn = (name: string): string =>
  JSON.parse(readFileSync(join(folder, `.oauth-tokens/${name}.json`), 'utf8')).access_token;
const timeTools = ['countdown', 'current_time_by_timezone'];
const readers = {
  ...{ scope_name: 'time-readers', description: 'One tool of one server', create_in_idp: true },
  server_access: [
    {
      server: 'currenttime',
      methods: ['initialize', 'tools/list', 'tools/call'],
      tools: ['current_time_by_timezone'],
    },
  ],
  ui_permissions: { list_service: ['currenttime'] },
};

test('the page is tested section by section, and has the commands of the setup guide to the letter', () => {
  const source = readFileSync('test/guide-iam.test.ts', 'utf8');
  const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!);
  expect(headings.filter((heading) => !source.includes(`test('${heading}: `))).toEqual([]);
  const all = headings.flatMap(commands);
  expect(guide.filter((line) => !all.includes(line))).toEqual([]);
});

test('A token for the commands: it is written where the commands look for it, for its owner only', async () => {
  const [command = ''] = commands('A token for the commands');
  expect(await shell(command)).toMatchObject({ code: 0 });
  expect(statSync(join(folder, 'api/.token')).mode & 0o777).toBe(0o600);
  expect(await json('mcp-gateway whoami')).toMatchObject({ is_admin: true });
});

test('Create a group: the definition of the guide is in force, and its group is in the directory', async () => {
  const time = await json<{ proxy_pass_url: string }>('mcp-gateway server-get --path /currenttime');
  const context7 = { server_name: 'Context 7', path: '/context7', proxy_pass_url: time.proxy_pass_url };
  await json('mcp-gateway register --config -', JSON.stringify({ ...context7, is_enabled: true }));
  await json('mcp-gateway agent-register --config cli/examples/agent.json');
  const [command = ''] = commands('Create a group');
  const { code, out, err } = await shell(command);
  expect(code).toBe(0);
  expect(err).toMatch(/^warning: the rule for the server 'api' has no effect: [^\n]*\n$/);
  expect(shown(out)).toMatchObject({ Group: 'public-mcp-users', 'Created there now': 'yes' });
  // The same by the name that the setup guide has for it.
  const again = await shell(commands('Commands of the setup guide')[0] ?? '');
  expect(shown(again.out)).toMatchObject({ 'Created there now': 'no' });
  const { groups } = await json<{ groups: unknown[] }>('mcp-gateway group-list');
  expect(groups).toContainEqual(
    expect.objectContaining({ name: 'public-mcp-users', is_idp_managed: true, scopes: ['public-mcp-users'] }),
  );
  await json('mcp-gateway import-group --file -', JSON.stringify(readers));
});

test('Create an account for a person: the person signs in with the password, chooses a new one, and has the rights of the group', async () => {
  const [command = ''] = commands('Create an account for a person');
  const { code, out, err } = await shell(command);
  expect(code).toBe(0);
  expect(err).toContain('--password-stdin');
  expect(out + err).not.toContain('SecurePassword123!');
  expect(shown(out)).toMatchObject({
    Email: 'jsmith@example.com',
    Name: 'John Smith',
    Groups: 'public-mcp-users',
  });
  const userName = shown(out)['User name'] ?? '';
  expect(userName).toMatch(/^jsmith@/);
  const [password, newPassword] = ['SecurePassword123!', 'Another-Secret-1'];
  secrets.push(password, newPassword);
  await expect(signIn(gateway.url, userName, { password })).rejects.toThrow('AADSTS50055');
  const { cookie } = await signIn(gateway.url, userName, { password, newPassword });
  const me = await fetch(`${gateway.url}/api/auth/me`, { headers: { cookie } });
  expect(await me.json()).toMatchObject({
    ...{ kind: 'person', is_admin: false, scopes: ['public-mcp-users'] },
    ui_permissions: { list_agents: ['/flight-booking'], get_agent: ['/flight-booking'] },
  });
});

test('Create an account for an AI agent: the block of the guide, field by field', async () => {
  const [command = ''] = commands('Create an account for an AI agent');
  const { code, out, err } = await shell(command);
  expect(code).toBe(0);
  const block = page.split('```\nClient ID: ')[1]!.split('```')[0]!;
  const names = (text: string) => text.split('\n').map((line) => line.replace(/: .*/, ''));
  expect(names(out)).toEqual(names(`Client ID: ${block}`));
  const account = shown(out);
  const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  expect(account).toMatchObject({
    ...{ 'Client ID': expect.stringMatching(guid), Groups: 'public-mcp-users' },
    'Service Principal ID': expect.stringMatching(guid),
  });
  expect(err).toMatch(/^\[1\/(\d+)\] [\s\S]*^\[\1\/\1\] /m);
  values['{M2M_CLIENT_ID}'] = account['Client ID'] ?? '';
  values['{M2M_CLIENT_SECRET}'] = account['Client Secret'] ?? '';
  secrets.push(account['Client Secret'] ?? '');
  const second = 'mcp-gateway user-create-m2m --name ci-pipeline --groups time-readers';
  const made = await json<Record<'client_id' | 'client_secret', string> & { groups_assigned: string[] }>(
    second,
  );
  const { client_id, client_secret, groups_assigned } = made;
  expect(groups_assigned).toEqual(['time-readers']);
  Object.assign(values, { '{CI_CLIENT_ID}': client_id, '{CI_CLIENT_SECRET}': client_secret });
  secrets.push(client_secret);
});

test('Get a token as the agent: the gateway takes the token, and knows the agent and its scope', async () => {
  const [command = ''] = commands('Get a token as the agent');
  const { code, out } = await shell(`${command} --silent`);
  expect(code).toBe(0);
  const { token_type, access_token } = JSON.parse(out);
  expect(token_type).toBe('Bearer');
  secrets.push(access_token);
  const me = await fetch(`${gateway.url}/api/auth/me`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  expect(await me.json()).toMatchObject({
    ...{ kind: 'agent', client_id: values['{M2M_CLIENT_ID}'], is_admin: false },
    scopes: ['public-mcp-users'],
  });
});

test('Get tokens for several agents: each gets its file, for its owner only', async () => {
  const shared = { tenant_id: shippedTenant.tenantId, scope: `api://${shippedTenant.clientId}/.default` };
  const identity = (identity_name: string, who: string) => ({
    ...{ identity_name, ...shared, client_id: values[`{${who}_CLIENT_ID}`] },
    client_secret: values[`{${who}_CLIENT_SECRET}`],
  });
  const identities = [identity('my-ai-agent', 'M2M'), identity('ci-pipeline', 'CI')];
  const fields = Object.keys(JSON.parse(readFileSync('examples/entra-identities.json', 'utf8'))[0]).sort();
  expect(Object.keys(identities[0]!).sort()).toEqual(fields);
  writeFileSync(join(folder, 'my-identities.json'), JSON.stringify(identities), { mode: 0o600 });
  const [command = ''] = commands('Get tokens for several agents');
  const { code, out, err } = await shell(command);
  expect({ code, out }).toEqual({ code: 0, out: 'Token generation complete: 2/2 successful\n' });
  for (const name of ['my-ai-agent', 'ci-pipeline']) {
    expect(statSync(join(folder, `.oauth-tokens/${name}.json`)).mode & 0o777).toBe(0o600);
    expect(err).not.toContain(tokenIn(name));
    secrets.push(tokenIn(name));
  }
});

test('What a token can do: exactly the servers, tools and agents of its group', async () => {
  expect(await seen(tokenIn('my-ai-agent'))).toEqual({
    tools: { context7: timeTools, currenttime: null, everything: null },
    agents: ['/flight-booking'],
  });
  expect(await seen(tokenIn('ci-pipeline'))).toEqual({
    tools: { context7: null, currenttime: ['current_time_by_timezone'], everything: null },
    agents: [],
  });
  const call = (name: string) => (client: Client) =>
    client.callTool({ name, arguments: { tz_name: 'Europe/Berlin', from: 1 } });
  const answer = await withClient('context7', tokenIn('my-ai-agent'), call('current_time_by_timezone'));
  expect(JSON.stringify(answer.content)).toContain('Europe/Berlin');
  await expect(withClient('currenttime', tokenIn('ci-pipeline'), call('countdown'))).rejects.toThrow();
  const one = await withClient('currenttime', tokenIn('ci-pipeline'), call('current_time_by_timezone'));
  expect(JSON.stringify(one.content)).toContain('Europe/Berlin');
  for (const [agent, status] of [
    ['flight-booking', 200],
    ['my-flight-booking', 404],
  ] as const) {
    const headers = { authorization: `Bearer ${tokenIn('my-ai-agent')}` };
    expect((await fetch(`${gateway.url}/api/agents/${agent}`, { headers })).status).toBe(status);
  }
  const [command = ''] = commands('What a token can do');
  const { out } = await shell(command);
  expect(JSON.parse(out).mcpServers.context7.url).toBe(`${gateway.url}/context7/mcp`);
});

test('List, change and remove: what is changed counts at the directory, and nothing is left of the deleted', async () => {
  const [list = '', groups = '', rotate = '', remove = ''] = commands('List, change and remove');
  const users = async () => (await json<{ items: unknown[] }>(list)).items;
  expect(await users()).toEqual([expect.objectContaining({ username: 'my-ai-agent', kind: 'm2m' })]);
  await json('mcp-gateway create-group --name team --idp');
  expect((await shell(groups)).out).toContain('Added: team');
  const old = values['{M2M_CLIENT_SECRET}'] ?? '';
  const made = shown((await shell(rotate)).out);
  secrets.push(made['Client Secret'] ?? '');
  const [request = ''] = commands('Get a token as the agent');
  const ask = async () => JSON.parse((await shell(`${request} --silent`)).out);
  expect(await ask()).toMatchObject({ error_description: expect.stringContaining('AADSTS7000215') });
  values['{M2M_CLIENT_SECRET}'] = made['Client Secret'] ?? '';
  expect(made['Client Secret']).not.toBe(old);
  expect(await ask()).toMatchObject({ token_type: 'Bearer' });
  expect(await shell(remove)).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
  expect(await shell(`${remove} --force`)).toMatchObject({ code: 0, out: 'Deleted my-ai-agent.\n' });
  expect(await ask()).toMatchObject({ error_description: expect.stringContaining('AADSTS700016') });
  expect(await users()).toEqual([]);
});

test('Agents without the directory: groups given here count for a token that lists none', async () => {
  const { stray } = shippedTenant.agents;
  values['{M2M_CLIENT_ID}'] = stray.clientId;
  const [create = '', list = '', clear = '', remove = ''] = commands('Agents without the directory');
  expect(await shell(create)).toMatchObject({ code: 0 });
  expect((await json<{ items: unknown[] }>(list)).items).toContainEqual(
    expect.objectContaining({ client_id: stray.clientId }),
  );
  const scopes = async () => {
    const headers = { authorization: `Bearer ${await agentToken(gateway.emulatorUrl, stray)}` };
    return ((await (await fetch(`${gateway.url}/api/auth/me`, { headers })).json()) as { scopes: string[] })
      .scopes;
  };
  expect(await scopes()).toEqual(['public-mcp-users']);
  expect(await shell(clear)).toMatchObject({ code: 0 });
  expect(await scopes()).toEqual([]);
  expect(await shell(`${remove} --force`)).toMatchObject({ code: 0 });
});

test('Permissions it needs: the page names the permissions that the gateway looks for', () => {
  const [, table = ''] = page.split('## Permissions it needs');
  const named = new Set([...table.matchAll(/`(\w+\.[\w.]+)`/g)].map(([, permission]) => permission!));
  const { missing } = capabilitiesOf([]);
  expect(missing.filter((permission) => !/\.Read\.All$/.test(permission) && !named.has(permission))).toEqual(
    [],
  );
  const all = capabilitiesOf([...named]);
  expect(all.missing).toEqual([]);
});

test('Commands of the setup guide: each is taken, and named once', async () => {
  const lines = commands('Commands of the setup guide');
  expect(lines).toHaveLength(4);
  for (const line of lines) {
    const [, name = ''] = / ([a-z]+-[a-z0-9-]+) --/.exec(line) ?? [];
    expect((await shell(`mcp-gateway ${name} --help`)).code, name).toBe(0);
    expect(page.split(` ${name} `), name).toHaveLength(2);
  }
});

test('no secret and no token of all this is in the log', () => {
  expect(secrets.length).toBeGreaterThan(6);
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(8);
    expect(gateway.output()).not.toContain(secret);
  }
});
