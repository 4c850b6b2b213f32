import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  routeOf,
  rpc,
  type ScriptedUpstream,
  sendJson,
  sessionOf,
  startGateway,
  startUpstream,
  type TestGateway,
} from '../../src/server/gateway/gateway.test-support.ts';
import { type TestGateway as Process, startGateway as startProcess } from '../harness.ts';

let upstream: ScriptedUpstream;
let house: TestGateway;
let gateway: Process;

beforeAll(async () => {
  upstream = await startUpstream((_, res) => sendJson(res, { jsonrpc: '2.0', id: 1, result: {} }));
  house = await startGateway({ alice: ['* * *'], bob: ['* * *'] });
  house.routes.set('time', routeOf('time', upstream.url));
  gateway = await startProcess();
});
afterAll(async () => {
  await house.close();
  await upstream.close();
  await gateway.close();
});

const body = JSON.stringify(rpc('tools/call', { name: 'now' }));

async function raw(origin: string, request: string, lines: readonly string[], text = ''): Promise<string> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  socket.on('error', () => undefined);
  socket.write(`${request} HTTP/1.1\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${text}`);
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

function post(more: readonly string[]): Promise<string> {
  const usual = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
  const names = more.map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
  const own = [`Host: ${new URL(house.origin).host}`, 'Authorization: Bearer alice', ...usual];
  const kept = own.filter((line) => !names.includes(line.slice(0, line.indexOf(':')).toLowerCase()));
  return raw(house.origin, 'POST /time/mcp', [...kept, ...more], body);
}

test('the request that all of these are made from passes', async () => {
  expect(await post([])).toMatch(/^HTTP\/1\.1 200 /);
  expect(await post(['mcp-method: tools/call', 'mcp-name: now'])).toMatch(/^HTTP\/1\.1 200 /);
});

const alices = (): string => sessionOf('alice', 'time', upstream.url, 's');
const bobs = (): string => sessionOf('bob', 'time', upstream.url, 's');
const host = (): string => new URL(house.origin).host;

test.each([
  ['a session of somebody else before', () => [`Mcp-Session-Id: ${bobs()}`, `Mcp-Session-Id: ${alices()}`]],
  ['a session of somebody else behind', () => [`Mcp-Session-Id: ${alices()}`, `mcp-session-id: ${bobs()}`]],
  ['the same session twice', () => [`Mcp-Session-Id: ${alices()}`, `MCP-SESSION-ID: ${alices()}`]],
  ['two sessions on one line', () => [`Mcp-Session-Id: ${alices()}, ${bobs()}`]],
  ['a session and nothing', () => [`Mcp-Session-Id: ${alices()}`, 'Mcp-Session-Id:']],
  ['two tokens', () => ['Authorization: Bearer alice', 'Authorization: Bearer bob']],
  ['two tokens on one line', () => ['Authorization: Bearer alice, Bearer bob']],
  ['two tokens of ours', () => ['X-Authorization: Bearer alice', 'x-authorization: Bearer bob']],
  ['two versions', () => ['MCP-Protocol-Version: 2025-06-18', 'Mcp-Protocol-Version: 2025-03-26']],
  ['two versions on one line', () => ['MCP-Protocol-Version: 2025-06-18, 2025-03-26']],
  ['two methods', () => ['Mcp-Method: tools/call', 'Mcp-Method: tools/list']],
  ['two methods on one line', () => ['Mcp-Method: tools/call, tools/list']],
  ['two names', () => ['Mcp-Name: now', 'Mcp-Name: rm']],
  ['two types', () => ['Content-Type: application/json', 'Content-Type: text/plain']],
  ['two types on one line', () => ['Content-Type: application/json, text/plain']],
  ['two codings', () => ['Content-Encoding: identity', 'Content-Encoding: gzip']],
  ['two codings on one line', () => ['Content-Encoding: identity, gzip']],
  ['two lengths', () => [`Content-Length: ${body.length}`, `Content-Length: ${body.length}`]],
  ['two origins', () => ['Origin: https://allowed.example', 'Origin: https://evil.example']],
  ['two hosts', () => [`Host: ${host()}`, 'Host: evil.example']],
  ['two event ids', () => ['Last-Event-ID: 1', 'Last-Event-Id: 2']],
  ['two traces', () => ['traceparent: 00-a', 'Traceparent: 00-b']],
])('%s is 400, and nothing reaches the server', async (_, lines) => {
  const before = upstream.received.length;
  expect(await post(lines())).toMatch(/^HTTP\/1\.1 400 /);
  expect(upstream.received).toHaveLength(before);
});

test("Mcp-Name is compared whatever the method, and in a message's stead describes nothing", async () => {
  const asks: [object, string][] = [
    [rpc('tools/list'), 'now'],
    [rpc('ping'), 'now'],
    [rpc('resources/subscribe', { uri: 'file:///a' }), 'file:///b'],
    [rpc('tasks/result', { taskId: 'a' }), 'b'],
    [{ jsonrpc: '2.0', id: 1, result: {} }, 'now'],
    [{ jsonrpc: '2.0', method: 'notifications/initialized' }, 'now'],
  ];
  for (const [message, name] of asks) {
    const text = JSON.stringify(message);
    const lines = ['Authorization: Bearer alice', 'Content-Type: application/json', `Mcp-Name: ${name}`];
    const head = [`Host: ${host()}`, `Content-Length: ${Buffer.byteLength(text)}`, ...lines];
    expect(await raw(house.origin, 'POST /time/mcp', head, text)).toMatch(/^HTTP\/1\.1 400 .*-32020/s);
  }
});

test.each([
  ['two tokens', ['Authorization: Bearer a', 'Authorization: Bearer b']],
  ['two cookies', ['Cookie: a=b', 'Cookie: mcp_gateway_session=x']],
  ['two hosts', ['Host: localhost', 'Host: evil.example']],
  ['two origins', ['Origin: null', 'Origin: null']],
  ['two proofs against forged requests', ['X-CSRF-Token: a', 'x-csrf-token: b']],
])('%s are 400 in the API too', async (_, lines) => {
  const { host } = new URL(gateway.url);
  const own = lines[0]?.startsWith('Host') ? [] : [`Host: ${host}`];
  expect(await raw(gateway.url, 'GET /api/version', [...own, ...lines])).toMatch(/^HTTP\/1\.1 400 /);
});
