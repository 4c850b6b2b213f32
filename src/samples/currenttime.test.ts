import { request } from 'node:http';
import { Client, type Progress, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningSample, startCurrentTime } from './currenttime.ts';

const noon = Date.UTC(2026, 5, 1, 12, 0, 0);
let sample: RunningSample;
beforeAll(async () => {
  sample = await startCurrentTime({ now: () => noon });
});
afterAll(() => sample.close());

async function connect(): Promise<Client> {
  const client = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(sample.url)));
  return client;
}

async function textOf(client: Client, tz_name?: string): Promise<[string, boolean]> {
  const result = await client.callTool({
    name: 'current_time_by_timezone',
    arguments: tz_name === undefined ? {} : { tz_name },
  });
  const [first] = result.content;
  return [first?.type === 'text' ? first.text : '', result.isError === true];
}

test('it speaks the protocol of 2026-07-28 and tells the time in any zone', async () => {
  const client = await connect();
  expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual([
    'current_time_by_timezone',
    'countdown',
  ]);
  expect(await textOf(client)).toEqual(['2026-06-01 12:00:00 GMT+00:00 (UTC)', false]);
  expect(await textOf(client, 'Asia/Tokyo')).toEqual(['2026-06-01 21:00:00 GMT+09:00 (Asia/Tokyo)', false]);
  await client.close();
});

test.each([
  ['Berlin', 'Did you mean Europe/Berlin?'],
  ['new york', 'Did you mean America/New_York?'],
  ['Mars/Olympus', 'such as Europe/Berlin'],
  ['+01:00', 'such as Europe/Berlin'],
])('%s is no zone, and the answer helps', async (zone, hint) => {
  const client = await connect();
  const [text, isError] = await textOf(client, zone);
  expect(text).toContain(hint);
  expect(isError).toBe(true);
  await client.close();
});

test('the countdown streams its progress before the result, and is bounded', async () => {
  const client = await connect();
  const heard: Progress[] = [];
  const result = await client.callTool(
    { name: 'countdown', arguments: { count: 3, interval_ms: 0 } },
    { onprogress: (progress) => heard.push(progress) },
  );
  expect(result.content).toEqual([{ type: 'text', text: 'Counted down from 3.' }]);
  expect(heard.map(({ progress, total, message }) => [progress, total, message])).toEqual([
    [1, 3, '2'],
    [2, 3, '1'],
    [3, 3, '0'],
  ]);
  const tooMany = await client.callTool({ name: 'countdown', arguments: { count: 21 } });
  expect(tooMany.isError).toBe(true);
  await client.close();
});

test('clients of the older protocol are served as well', async () => {
  const client = new ClientV1({ name: 'test', version: '1' });
  await client.connect(new TransportV1(new URL(sample.url)));
  const result = await client.callTool({ name: 'current_time_by_timezone', arguments: {} });
  expect(result.content).toEqual([{ type: 'text', text: '2026-06-01 12:00:00 GMT+00:00 (UTC)' }]);
  await client.close();
});

test('a web page whose name was made to point here is refused', async () => {
  const status = await new Promise((resolve) => {
    request(sample.url, { method: 'POST', headers: { host: 'evil.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).end('{}');
  });
  expect(status).toBe(403);
});
