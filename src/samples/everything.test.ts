import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, test } from 'vitest';
import { startEverything } from './everything.ts';

const silent = { debug() {}, info() {} };

test('it serves an older client, passes no secret on, writes to the log and ends when closed', async () => {
  process.env.SAMPLE_TEST_SECRET = 'hidden';
  const lines: string[] = [];
  const sample = await startEverything({ log: { debug: (line) => lines.push(line), info() {} } });
  delete process.env.SAMPLE_TEST_SECRET;
  if (!sample) return expect.fail('the package is installed here');
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(sample.url)));
  const { tools } = await client.listTools();
  expect(tools.map((tool) => tool.name)).toContain('echo');
  const result = await client.callTool({ name: 'get-env', arguments: {} });
  expect(JSON.stringify(result)).not.toContain('hidden');
  await client.close();
  await sample.close();
  expect(lines.join('\n')).toContain('everything: Session initialized');
  await expect(fetch(sample.url)).rejects.toThrow();
});

test('it listens on loopback only', async () => {
  const sample = await startEverything({ log: silent });
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address && !address.internal && address.family === 'IPv4');
  if (outside) await expect(fetch(`http://${outside.address}:${sample?.port}/mcp`)).rejects.toThrow();
  expect((await fetch(sample?.url ?? '')).status).toBe(400);
  await sample?.close();
});

test('it ends when the process that started it is killed', async () => {
  const module = new URL('./everything.ts', import.meta.url).href;
  const script = `import { startEverything } from '${module}';
    const sample = await startEverything({ log: { debug() {}, info() {} } });
    console.log(sample.port);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  const held = connect(Number(port), '127.0.0.1');
  await once(held, 'connect');
  held.on('error', () => {});
  const closed = once(held, 'close');
  parent.kill('SIGKILL');
  await closed;
});

test('without the package there is no sample, and the log says so', async () => {
  const lines: string[] = [];
  const sample = await startEverything({ log: { debug() {}, info: (line) => lines.push(line) }, file: '' });
  expect(sample).toBeUndefined();
  expect(lines[0]).toContain('not installed');
});

test('a program that ends without listening is an error that says so', async () => {
  const file = new URL('../../package.json', import.meta.url).pathname;
  await expect(startEverything({ log: silent, file })).rejects.toThrow('could not be started');
});
