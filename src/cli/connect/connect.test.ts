import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { aServer, cli, folderWith, scripted } from '../../../test/cli-trial.ts';
import { readRegistryFile } from '../../contract/files/read.ts';
import { type ClientName, clients } from './clients.ts';

const url = 'http://localhost:8080/currenttime/mcp';
const registryOf = () => scripted({ 'GET /api/servers/currenttime': { body: aServer() } });

test.each(Object.keys(clients) as ClientName[])(
  '%s gets an entry that connects to the server',
  async (client) => {
    const cwd = await folderWith();
    const registry = await registryOf();
    const token = clients[client].signsIn ? [] : ['--token-env', 'TOKEN'];
    const args = ['connect', '--client', client, '--path', '/currenttime', '--json', ...token];
    const { code, out, err } = await cli(args, { registry, cwd, env: { HOME: cwd } });
    expect({ code, err }).toMatchObject({ code: 0 });
    const { file } = JSON.parse(out);
    expect(file.startsWith(cwd)).toBe(true);
    const text = await readFile(file, 'utf8');
    if (client === 'goose')
      expect(parseYaml(text)).toMatchObject({ extensions: { currenttime: { uri: url } } });
    else
      expect(readRegistryFile(text)).toMatchObject([
        { kind: 'server', name: 'currenttime', body: { proxy_pass_url: url } },
      ]);
    // A second time changes nothing.
    await cli(args, { registry, cwd, env: { HOME: cwd } });
    expect(await readFile(file, 'utf8')).toBe(text);
  },
);

test('without a sign-in the client gets the usual address, and a note that it was not checked', async () => {
  const cwd = await folderWith();
  const registry = await scripted({});
  const args = ['server', 'connect', 'currenttime', '--client', 'vscode', '--registry-url', registry.url];
  const { code, err } = await cli(args, { cwd });
  expect({ code, asked: registry.asked }).toEqual({ code: 0, asked: [] });
  expect(err).toContain('You are not signed in, so it was not checked that /currenttime exists.');
  const text = await readFile(join(cwd, '.vscode/mcp.json'), 'utf8');
  expect(JSON.parse(text).servers.currenttime.url).toBe(`${registry.url}/currenttime/mcp`);
});

test('what else is in the file stays: comments, other servers, order', async () => {
  const before =
    '{\n  // ours\n  "servers": {\n    "docs": { "type": "http", "url": "https://d.example/mcp" }, // keep\n  },\n  "inputs": []\n}\n';
  const cwd = await folderWith();
  const { mkdir, writeFile } = await import('node:fs/promises');
  await mkdir(join(cwd, '.vscode'));
  await writeFile(join(cwd, '.vscode', 'mcp.json'), before);
  const { code } = await cli(['connect', '--client', 'vscode', '--path', '/currenttime'], {
    registry: await registryOf(),
    cwd,
  });
  expect(code).toBe(0);
  const after = await readFile(join(cwd, '.vscode', 'mcp.json'), 'utf8');
  for (const part of ['// ours', '"docs"', '// keep', '"inputs": []', url]) expect(after).toContain(part);
});

test('Codex keeps its other tables, and an entry is replaced', async () => {
  const cwd = await folderWith();
  const { mkdir, writeFile } = await import('node:fs/promises');
  await mkdir(join(cwd, '.codex'));
  const file = join(cwd, '.codex', 'config.toml');
  await writeFile(
    file,
    '# mine\nmodel = "x"\n\n[mcp_servers.currenttime]\nurl = "https://old.example"\n\n[mcp_servers.currenttime.env]\nA = "b"\n\n[mcp_servers.docs]\nurl = "https://d.example"\n',
  );
  await cli(['connect', '--client', 'codex', '--path', '/currenttime'], {
    registry: await registryOf(),
    cwd,
    env: { HOME: cwd },
  });
  const text = await readFile(file, 'utf8');
  expect(text).toContain('# mine');
  expect(parseToml(text)).toEqual({
    model: 'x',
    mcp_servers: { docs: { url: 'https://d.example' }, currenttime: { url } },
  });
});

test('a file that is broken is not touched, and --print writes nothing', async () => {
  const cwd = await folderWith({ '.mcp.json': '{ broken' });
  const registry = await registryOf();
  const broken = await cli(['connect', '--client', 'claude-code', '--path', '/currenttime'], {
    registry,
    cwd,
  });
  expect(broken).toMatchObject({ code: 1, err: expect.stringContaining('.mcp.json was not changed') });
  expect(await readFile(join(cwd, '.mcp.json'), 'utf8')).toBe('{ broken');
  const printed = await cli(['connect', '--client', 'cursor', '--path', '/currenttime', '--print'], {
    registry,
    cwd,
  });
  expect(JSON.parse(printed.out)).toEqual({ mcpServers: { currenttime: { url } } });
  await expect(readFile(join(cwd, '.cursor', 'mcp.json'))).rejects.toThrow('ENOENT');
});

test('a token is only ever named, never written', async () => {
  const cwd = await folderWith();
  const args = [
    'connect',
    '--client',
    'cursor',
    '--path',
    '/currenttime',
    '--token-env',
    'MY_TOKEN',
    '--print',
  ];
  const { out } = await cli(args, { registry: await registryOf(), cwd });
  expect(out).toContain(`Bearer \${env:MY_TOKEN}`);
  expect(out).not.toContain('a.test.token');
  const wrong = await cli([...args.slice(0, -2), 'eyJ.a.b', '--print'], {
    registry: await registryOf(),
    cwd,
  });
  expect(wrong.code).toBe(2);
});

test.each([
  [aServer({ is_enabled: false }), 'cursor', 'is disabled'],
  [aServer({ endpoint_url: 'http://localhost:8080/x/sse' }), 'codex', 'SSE only'],
  [aServer(), 'roo', 'cannot sign in by itself'],
])('what cannot work is said: %#', async (server, client, why) => {
  const registry = await scripted({ 'GET /api/servers/currenttime': { body: server } });
  const { code, err } = await cli(['connect', '--client', client, '--path', '/currenttime'], {
    registry,
    cwd: await folderWith(),
  });
  expect(code).not.toBe(0);
  expect(err).toContain(why);
});
