import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  routeOf,
  rpc,
  type ScriptedUpstream,
  startGateway,
  startUpstream,
  type TestGateway,
} from './gateway.test-support.ts';

let upstream: ScriptedUpstream;
let house: TestGateway;

beforeAll(async () => {
  upstream = await startUpstream();
  house = await startGateway({ alice: ['* * *'] });
  house.routes.set('time', routeOf('time', upstream.url));
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});

async function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(house.origin);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  // The server may reset the connection with bytes of ours unread.
  socket.on('error', () => undefined);
  socket.end(text);
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

const body = JSON.stringify(rpc('ping'));
const smuggled = 'POST /time/mcp HTTP/1.1\r\nHost: x\r\n\r\n';

test.each([
  ['a length and chunks', `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['two lengths', `Content-Length: 4\r\nContent-Length: ${body.length}\r\n\r\n${body}`],
  ['a length that is no number', `Content-Length: +${body.length}\r\n\r\n${body}`],
  ['an odd coding', `Transfer-Encoding: xchunked\r\n\r\n${body}`],
  ['chunks twice', `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`],
  ['space before the colon', `Content-Length : ${body.length}\r\n\r\n${body}`],
  ['a folded header', `X: a\r\n Content-Length: 1\r\n\r\n${body}`],
  ['a bare line feed', `X: a\nContent-Length: ${body.length}\r\n\r\n${body}`],
])('%s does not reach a server', async (_, rest) => {
  const { host } = new URL(house.origin);
  const head = `POST /time/mcp HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer alice\r\nContent-Type: application/json\r\n`;
  expect(await raw(head + rest)).toMatch(/^HTTP\/1\.1 4(?:00|31) /);
  expect(upstream.received).toEqual([]);
});

test('endless headers end the connection', async () => {
  const { host } = new URL(house.origin);
  expect(
    await raw(`GET /time/mcp HTTP/1.1\r\nHost: ${host}\r\n${'X: y\r\n'.repeat(20_000)}\r\n`),
  ).not.toContain(' 200 ');
  expect(upstream.received).toEqual([]);
});
