import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from './harness.ts';

/**
 * docs/deploy/service.md, walked: the package is installed with npm below a folder that stands for /, and the gateway is started
 * as the unit says, by its account, with its environment file and data folder; then upgraded, and taken back.
 */
const run = promisify(execFile);
const page = readFileSync('docs/deploy/service.md', 'utf8');
const unit = readFileSync('deploy/systemd/mcp-gateway.service', 'utf8');
const program = '/opt/mcp-gateway/bin/mcp-gateway';
const data = '/var/lib/mcp-gateway';

/** The account of the service: another one than ours, where we can become another. */
const account = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

let root: string;
let port: number;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'service-'));
  chmodSync(root, 0o755);
  port = await freePort();
  const npm = async (...args: string[]) =>
    (await run('npm', args, { env: { ...process.env, npm_config_cache: join(root, 'npm') } })).stdout;
  const packed = await npm('pack', '--json', '--ignore-scripts', '--pack-destination', root);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  const offline = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  for (const version of ['0.2.0', '0.3.0'])
    await npm(
      'install',
      '--global',
      '--prefix',
      `${root}/opt/mcp-gateway-${version}`,
      ...offline,
      join(root, filename),
    );
  link('0.2.0');
  mkdirSync(`${root}/etc/mcp-gateway`, { recursive: true });
  const settings = `AUTH_PROVIDER=oidc
OIDC_ISSUER=https://127.0.0.1:9
OIDC_CLIENT_ID=gateway
OIDC_CLIENT_SECRET=any-secret
REGISTRY_URL=https://mcp.example.com
SECRET_KEY=8d41c7fb02e96a35b7f0642d9ec1583a5b0f77c3e2d94a16
SCOPES_CONFIG_PATH=/etc/mcp-gateway/scopes.yml
PORT=${port}
SHUTDOWN_DELAY_SECONDS=0
`;
  writeFileSync(`${root}/etc/mcp-gateway/env`, settings, { mode: 0o600 });
  cpSync('examples/scopes.yml', `${root}/etc/mcp-gateway/scopes.yml`);
  dataFolder();
}, 240_000);
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  if (root) rmSync(root, { recursive: true, force: true });
});

/** As `ln -sfn`. */
function link(version: string): void {
  if (existsSync(`${root}/opt/mcp-gateway`)) unlinkSync(`${root}/opt/mcp-gateway`);
  symlinkSync(`mcp-gateway-${version}`, `${root}/opt/mcp-gateway`);
}

/** As StateDirectory= and StateDirectoryMode= make it. */
function dataFolder(): void {
  mkdirSync(`${root}/var/lib`, { recursive: true });
  mkdirSync(root + data, { mode: 0o700 });
  if (account.uid !== undefined) chownSync(root + data, account.uid, account.gid);
}

/** The value of the one line of the unit with this name. */
function ofUnit(name: string): string {
  const values = [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
  expect(values, name).toHaveLength(1);
  return values[0] ?? '';
}

/** The environment of the unit, and nothing else; systemd sets PATH, too. */
function environment(): Record<string, string> {
  const file = readFileSync(root + ofUnit('EnvironmentFile'), 'utf8')
    .trim()
    .split('\n');
  const pairs = [...ofUnit('Environment').split(' '), ...file].map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1).replace(/^\/(etc|var)\//, `${root}/$1/`)] as const;
  });
  return {
    PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
    ...Object.fromEntries(pairs),
  };
}

/** Starts the service as the unit says, and waits until it says that it serves, or something else, or has ended. */
async function start(
  until = 'the gateway serves',
): Promise<{ child: ChildProcess; log: () => string; ready: boolean }> {
  const [file = '', ...args] = ofUnit('ExecStart').split(' ');
  const child = spawn('sh', ['-c', `umask ${ofUnit('UMask')}; exec "$0" "$@"`, root + file, ...args], {
    cwd: root + ofUnit('WorkingDirectory'),
    env: environment(),
    ...account,
  });
  running.add(child);
  let text = '';
  const ready = await new Promise<boolean>((done) => {
    const read = (chunk: Buffer): void => {
      text += chunk.toString();
      if (text.includes(until)) done(true);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => done(false));
  });
  return { child, log: () => text, ready };
}

async function stop(child: ChildProcess): Promise<number | null> {
  const ended = once(child, 'exit');
  child.kill(ofUnit('KillSignal') as NodeJS.Signals);
  running.delete(child);
  return ((await ended) as [number | null])[0];
}

/** A command of the page that runs the program, as the account of the service. */
async function command(heading: string, verb: string): Promise<void> {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0]?.replaceAll('\\\n', '') ?? '';
  const line = section.split('\n').find((one) => one.includes(`${program} gateway ${verb} `)) ?? '';
  const words = line
    .slice(line.indexOf(program))
    .trim()
    .replaceAll(/(?<= |^)\/(opt|var)\//g, `${root}/$1/`)
    .split(/\s+/);
  await run(words[0] ?? '', words.slice(1), {
    ...{ cwd: root + data, env: { PATH: environment().PATH ?? '' } },
    ...account,
  });
}

/** Ends what a try that failed left running, and takes the version and the data back to what they were at the first try. */
async function asBefore(): Promise<void> {
  for (const child of running) {
    const ended = once(child, 'exit');
    if (child.kill('SIGKILL')) await ended;
    running.delete(child);
  }
  link('0.2.0');
  const kept = `${root}/data-before`;
  rmSync(`${root}${data}-0.3.0`, { recursive: true, force: true });
  if (existsSync(kept)) rmSync(root + data, { recursive: true, force: true });
  await run('cp', existsSync(kept) ? ['-a', kept, root + data] : ['-a', root + data, kept]);
}

/** The refusals that are recorded, by their path. */
function recorded(folder: string): number {
  const db = new DatabaseSync(join(folder, 'gateway.db'), { readOnly: true });
  try {
    return (db.prepare('select count(*) as n from audit_events where status = 401').get() as { n: number }).n;
  } finally {
    db.close();
  }
}

test('the page and the unit say the same', () => {
  expect(ofUnit('ExecStart')).toBe(`${program} start`);
  expect(page).toContain(ofUnit('EnvironmentFile'));
  expect(ofUnit('WorkingDirectory')).toBe(data);
  expect(`/var/lib/${ofUnit('StateDirectory')}`).toBe(data);
  expect(page).toContain(`useradd --system --home-dir ${data} --shell /usr/sbin/nologin ${ofUnit('User')}`);
  expect(page).toContain('/lib/node_modules/mcp-gateway-registry/deploy/systemd/mcp-gateway.service');
  const shipped = `${root}/opt/mcp-gateway/lib/node_modules/mcp-gateway-registry/deploy/systemd/mcp-gateway.service`;
  expect(readFileSync(shipped, 'utf8')).toBe(unit);
});

test.skipIf(spawnSync('systemd-analyze', ['--version']).status !== 0)(
  'systemd-analyze takes the unit with the installed program, and finds it well protected',
  () => {
    const file = join(root, 'mcp-gateway.service');
    writeFileSync(file, unit.replaceAll(program, root + program));
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
    expect([verified.status, verified.stderr]).toEqual([0, '']);
    const security = spawnSync('systemd-analyze', ['security', '--offline=true', file], { encoding: 'utf8' });
    const [, exposure = '10'] = /exposure level for .*: ([\d.]+)/.exec(security.stdout) ?? [];
    expect(Number(exposure), security.stdout + security.stderr).toBeLessThan(3);
  },
);

test('it starts as the unit says, keeps its data to itself, and stops cleanly', async () => {
  const { child, log, ready } = await start();
  expect(ready, log()).toBe(true);
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { headers: { host: 'mcp.example.com' } });
  expect([answer.status, await answer.json()]).toMatchObject([200, { status: 'ready' }]);
  expect((await fetch(`http://127.0.0.1:${port}/api/servers`)).status).toBeGreaterThanOrEqual(400);
  const first = log()
    .split('\n')
    .find((line) => line.startsWith('{'));
  expect(JSON.parse(first ?? '')).toHaveProperty('msg');
  expect(await stop(child)).toBe(0);
  const { mode, uid } = statSync(join(root + data, 'gateway.db'));
  expect(mode & 0o077).toBe(0);
  if (account.uid !== undefined) expect(uid).toBe(account.uid);
});

test('it stops cleanly, too, when it is told to at its first line, before it serves', async () => {
  const { child, log, ready } = await start('"msg"');
  expect(ready, log()).toBe(true);
  expect(await stop(child), log()).toBe(0);
});

test('a setting that is not valid is named in the log, with its fix', async () => {
  const file = `${root}/etc/mcp-gateway/env`;
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace(/^SECRET_KEY=.*$/m, 'SECRET_KEY=short'));
  const { child, log, ready } = await start();
  writeFileSync(file, before);
  expect(ready).toBe(false);
  expect(child.exitCode).not.toBe(0);
  expect(log()).toMatch(/SECRET_KEY.*openssl rand -hex 32/s);
  running.delete(child);
});

test('an upgrade keeps the data, and the way back restores the backup that was taken before', async () => {
  await asBefore();
  await command('Upgrade', 'backup');
  const kept = recorded(root + data);
  link('0.3.0');
  const upgraded = await start();
  expect(upgraded.ready, upgraded.log()).toBe(true);
  expect(upgraded.log()).not.toContain('the database was brought up to date');
  expect(await stop(upgraded.child)).toBe(0);
  expect(recorded(root + data)).toBeGreaterThanOrEqual(kept);

  // The new version changed the database: the old one refuses it, and says what to do.
  const db = new DatabaseSync(join(root + data, 'gateway.db'));
  const [{ name }] = db
    .prepare("select name from sqlite_master where name like '%migration' limit 1")
    .all() as [{ name: string }];
  db.prepare(`insert into ${name} (name, timestamp) values ('9999-later', '2027-01-01')`).run();
  db.close();
  link('0.2.0');
  const refused = await start();
  expect([refused.ready, refused.log()]).toEqual([false, expect.stringMatching(/newer/)]);
  running.delete(refused.child);

  renameSync(root + data, `${root}${data}-0.3.0`);
  dataFolder();
  await command('Go back', 'restore');
  const back = await start();
  expect(back.ready, back.log()).toBe(true);
  expect(await stop(back.child)).toBe(0);
  expect(recorded(root + data)).toBeGreaterThanOrEqual(kept);
});
