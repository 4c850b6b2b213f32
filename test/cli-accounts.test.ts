import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { folderWith } from './cli-trial.ts';
import { startGateway, type TestGateway } from './harness.ts';
import { runProgram, startProgram } from './program.ts';
import { mintToken, signIn } from './sign-in.ts';

/** What can go wrong while the command line makes accounts, with the program, the gateway and the directory as they run. */
let gateway: TestGateway;
let token: string;

const { accounts } = shippedTenant;
const tokenOf = async (who: string): Promise<string> =>
  (await mintToken(gateway.url, await signIn(gateway.url, who))).token;

beforeAll(async () => {
  gateway = await startGateway();
  token = await tokenOf(accounts.admin.userPrincipalName);
});
const heal = () => fetch(`${gateway.emulatorUrl}/_emulator/faults`, { method: 'DELETE' });
afterEach(heal);
afterAll(() => gateway?.close());

async function machine() {
  const how = { cwd: await folderWith(), env: { REGISTRY_URL: gateway.url, MCP_GATEWAY_TOKEN: token } };
  return {
    start: (...argv: string[]) => startProgram(argv, how),
    run: (...argv: string[]) => runProgram(argv, how),
  };
}

async function fault(body: object): Promise<void> {
  const answer = await fetch(`${gateway.emulatorUrl}/_emulator/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

const create = (name: string) => ['user-create-m2m', '--name', name, '--groups', 'mcp-test-users'];
const found = async (name: string) => {
  const { run } = await machine();
  return JSON.parse((await run('user-list', '--search', name, '--json')).out).users as object[];
};

test('a directory that refuses a step for good leaves nothing behind, and the command says so', async () => {
  await fault({ kind: 'status', status: 403, path: '/addPassword' });
  const { run } = await machine();
  const { code, out, err } = await run(...create('refused-robot'));
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain('[1/6] registered in the directory');
  expect(err).toContain('The account was not created: ');
  expect(err).toContain('Nothing of it is left.');
  expect(await found('refused-robot')).toEqual([]);
});

test('a directory that is busy is waited for, and the command says what for', async () => {
  await fault({ kind: 'status', status: 503, path: '/addPassword', times: 4, retryAfterSeconds: 0 });
  const { run } = await machine();
  const { code, out, err } = await run(...create('patient-robot'));
  expect(code).toBe(0);
  expect(err).toMatch(/^waiting: /m);
  expect(out).toContain('Client Secret: ');
});

test('who interrupts the command fetches the secret later: once', async () => {
  await fault({ kind: 'latency', path: '/addPassword', milliseconds: 600_000 });
  const { start, run } = await machine();
  const program = start(...create('left-robot'));
  await program.says(/\[1\/6\]/);
  program.process.kill('SIGINT');
  const { code, err } = await program.ended;
  expect(code).toBe(1);
  await heal();
  const [, id = ''] = /mcp-gateway app job-secret ([^`\s]+)/.exec(err) ?? [];
  await expect.poll(async () => JSON.parse((await run('job-list', '--json')).out).jobs[0].state).toBe('done');
  const first = await run('job-secret', '--id', id, '--json');
  const { client_id, client_secret } = JSON.parse(first.out);
  const answer = await fetch(`${gateway.emulatorUrl}/${shippedTenant.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id, client_secret },
      scope: `${shippedTenant.appIdUri}/.default`,
    }),
  });
  expect(answer.status).toBe(200);
  expect(await run('job-secret', '--id', id)).toMatchObject({
    code: 1,
    err: expect.stringContaining('handed out already'),
  });
});

test('the same name is not made twice', async () => {
  const { run } = await machine();
  const both = await Promise.all([run(...create('twin-robot')), run(...create('twin-robot'))]);
  expect(both.map(({ code }) => code).sort()).toEqual([0, 1]);
  expect(both.find(({ code }) => code === 1)?.err).toMatch(/already being created|There is an account/);
  expect(await found('twin-robot')).toHaveLength(1);
});

const names = [
  "O'Hara') or startswith(displayName,'",
  '$filter=1 eq 1&$top=1',
  '../../groups',
  'аdmin (Cyrillic а)',
  '"; DROP TABLE users; --',
  '=HYPERLINK("http://evil.example","x")',
];

// All at once: most of the time is the directory's.
test('a name is taken to the letter, and looked for so', async () => {
  const { run } = await machine();
  await Promise.all(
    names.map(async (name) => {
      const { code, err } = await run(...create(name), '--json');
      expect({ name, code, err }).toEqual({ name, code: 0, err: '' });
      expect(await found(name)).toEqual([expect.objectContaining({ username: name, kind: 'm2m' })]);
      expect(await run('user-delete', '--username', name, '--force')).toMatchObject({ code: 0 });
      expect(await found(name)).toEqual([]);
    }),
  );
});

test.each([
  ['two lines', 'two\nlines'],
  ['a bell', 'bell\u0007'],
  ['an escape sequence', '\u001b[2J'],
  ['10,000 characters', 'x'.repeat(10_000)],
  ['a space alone', ' '],
])('a name with %s is refused before anything is made', async (_, name) => {
  const { run } = await machine();
  const { code, err } = await run(...create(name));
  expect(code).toBe(1);
  expect(err).toContain('--name');
  expect(err.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  expect(err.length).toBeLessThan(1000);
});

test('somebody who is no administrator is refused, and told who they are to the registry', async () => {
  const env = {
    REGISTRY_URL: gateway.url,
    MCP_GATEWAY_TOKEN: await tokenOf(accounts.user.userPrincipalName),
  };
  const cwd = await folderWith();
  for (const argv of [
    ['user-list'],
    create('x'),
    ['user-delete', '--username', 'x', '--force'],
    ['job-list'],
  ]) {
    const { code, err } = await runProgram(argv, { cwd, env });
    expect([argv[0], code]).toEqual([argv[0], 1]);
    expect(err).toContain('mcp-gateway auth whoami');
  }
});

test('a gateway that dies midway goes on with the job when it runs again', async () => {
  const [port, emulatorPort] = [gateway.url, gateway.emulatorUrl].map((url) => Number(new URL(url).port));
  const { dataDir } = gateway;
  await fault({ kind: 'latency', path: '/addPassword', milliseconds: 600_000 });
  const { start, run } = await machine();
  const program = start(...create('survivor-robot'));
  await program.says(/\[2\/6\]/);
  // The emulator, which dies too, keeps its tenant in a file that it writes now and then: registration and principal.
  const file = join(dataDir, 'entra-emulator', 'entra-emulator-state.json');
  const tenant = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  await expect.poll(() => tenant().split('survivor-robot').length).toBeGreaterThan(2);
  await gateway.stop('SIGKILL');
  const { code, err } = await program.ended;
  expect([code, err.includes('Could not reach')]).toEqual([1, true]);
  const [, id = ''] = /mcp-gateway app job-secret ([^`\s]+)/.exec(err) ?? [];
  gateway = await startGateway({ dataDir, port: port!, emulatorPort: emulatorPort! });
  const newest = async () => JSON.parse((await run('job-list', '--json')).out).jobs[0];
  await expect.poll(async () => (await newest()).state).toBe('done');
  expect(await newest()).toMatchObject({ id, name: 'survivor-robot', secret: 'waiting' });
  expect(await run('job-secret', '--id', id)).toMatchObject({ code: 0 });
  expect(await found('survivor-robot')).toHaveLength(1);
});
