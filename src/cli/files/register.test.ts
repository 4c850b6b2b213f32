import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { aServer, cli, folderWith, problem, scripted } from '../../../test/cli-trial.ts';

const registration = { server_name: 'Time', path: '/time', proxy_pass_url: 'http://127.0.0.1:8101/mcp' };

test('register sends the file as it is and says how to switch the server on', async () => {
  const bodies: unknown[] = [];
  const registry = await scripted({
    'POST /api/servers': ({ text }) => {
      bodies.push(JSON.parse(text));
      return { status: 201, body: aServer({ path: '/time', is_enabled: false }) };
    },
  });
  const cwd = await folderWith({ 'server.json': JSON.stringify(registration) });
  const { code, out, err } = await cli(['register', '--config', 'server.json'], { registry, cwd });
  expect(code).toBe(0);
  expect(out).toContain('/time');
  expect(err).toContain('mcp-gateway server enable /time\n');
  expect(
    (await cli(['register', '--config', '-'], { registry, stdin: JSON.stringify(registration) })).code,
  ).toBe(0);
  expect(bodies).toEqual([registration, registration]);
});

test('the example file is accepted', async () => {
  const registry = await scripted({ 'POST /api/servers': { status: 201, body: aServer() } });
  const stdin = await readFile('examples/server.json', 'utf8');
  expect((await cli(['register', '--config', '-'], { registry, stdin })).code).toBe(0);
});

test('a path that is taken needs --overwrite, which replaces and then sets the wanted state', async () => {
  const registry = await scripted({
    'POST /api/servers': problem(409, 'conflict', 'There is a server at /time.'),
    'PUT /api/servers/time': ({ text }) =>
      'is_enabled' in JSON.parse(text)
        ? problem(422, 'invalid_input', 'is_enabled is not for replacing')
        : { body: aServer({ path: '/time', is_enabled: false }) },
    'POST /api/servers/time/toggle': { body: aServer({ path: '/time' }) },
  });
  const stdin = JSON.stringify({ ...registration, is_enabled: true });
  const refused = await cli(['register', '--config', '-'], { registry, stdin });
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('To replace it, add --overwrite');
  const replaced = await cli(['register', '--config', '-', '--overwrite'], { registry, stdin });
  expect(replaced).toMatchObject({ code: 0, err: 'Replaced /time.\n' });
  expect(registry.asked.slice(1)).toEqual([
    'POST /api/servers',
    'PUT /api/servers/time',
    'POST /api/servers/time/toggle',
  ]);
});

test.each([
  ['{\n  "path": "/x"\n  "b": 1}', 'standard input is not valid JSON: line 3, column 3'],
  ['', 'standard input is empty.'],
  [
    '{\n  "server_name": "Time",\n  "path": "/api/x",\n  "proxy_pass_url": "ftp://x"\n}',
    "line 3, column 11: path: '/api' belongs to the gateway itself",
  ],
  [
    '{\n  "server_name": "Time",\n  "path": "/x",\n  "proxy_pass_url": "ftp://x"\n}',
    'line 4, column 21: proxy_pass_url: must be an http:// or https:// URL',
  ],
  ['{"path": "/x", "nonsense": 1}', 'line 1, column 28: nonsense: is not a field of a server'],
  ['{"path": "/x"}', 'line 1, column 1: server_name: is required'],
  ['{"mcpServers": {}}', 'describes nothing that is known here'],
  ['{"mcpServers": {"a": {"command": "x"}}}', 'a: It runs as a program on the machine of its user'],
])('%j is refused before anything is sent, with the place', async (stdin, message) => {
  const registry = await scripted({});
  const { code, err } = await cli(['register', '--config', '-'], { registry, stdin });
  expect(code).toBe(1);
  expect(err).toContain(message);
  expect(registry.asked).toEqual([]);
});

test('a file that does not exist is named', async () => {
  const { code, err } = await cli(['register', '--config', 'none.json'], { cwd: await folderWith() });
  expect({ code, err }).toEqual({ code: 1, err: 'error: none.json does not exist.\n' });
});
