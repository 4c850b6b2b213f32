import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAuthority, startProxy, type TestProxy } from '../net/connector.test-support.ts';
import { guardedConnector, secureContextOf } from '../net/connector.ts';
import {
  open,
  routeOf,
  rpc,
  send,
  sendJson,
  startGateway,
  type TestGateway,
} from './gateway.test-support.ts';

const company = createAuthority('Company CA');
const call = { as: 'alice', body: rpc('tools/call', { name: 'now' }) };

let proxy: TestProxy;
let house: TestGateway;
let server: ReturnType<typeof createServer>;

beforeEach(async () => {
  proxy = await startProxy();
  server = createServer(
    {
      ...company.issue('tools', ['tools.example']),
      ca: company.ca,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (req, res) => {
      if (req.method === 'POST') return sendJson(res, { jsonrpc: '2.0', id: 1, result: {} });
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n');
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connect = guardedConnector({
    policy: { allowPrivate: false },
    timeoutMs: 5_000,
    tls: secureContextOf({ ca: company.ca, ...company.issue('gateway') }),
    proxy: { https: proxy.url, http: proxy.url, except: [] },
    resolve: async () => [],
  });
  house = await startGateway({ alice: ['* * *'] }, { connect });
  const { port } = server.address() as AddressInfo;
  house.routes.set('tools', routeOf('tools', new URL(`https://tools.example:${port}/mcp`)));
});
afterEach(async () => {
  await house.close();
  expect(house.gateway.counts().upstream).toEqual({ sockets: 0, calls: 0, streams: 0 });
  await proxy.close();
  server.closeAllConnections();
  server.close();
});

test('calls and streams reach a server behind a proxy that wants to see a certificate', async () => {
  expect((await send(`${house.origin}/tools/mcp`, call)).status).toBe(200);
  expect((await send(`${house.origin}/tools/mcp`, call)).status).toBe(200);
  const stream = await open(`${house.origin}/tools/mcp`, { as: 'alice' });
  expect(await stream.event()).toBe('data: {}\n\n');
  // The calls shared a connection; the stream has one of its own.
  expect(proxy.asked).toHaveLength(2);
  const through = [...proxy.open].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  stream.leave();
  await house.gateway.close();
  await Promise.all(through);
});

test('no proxy is asked for a metadata address', async () => {
  house.routes.set('meta', routeOf('meta', new URL('http://169.254.169.254/mcp')));
  expect((await send(`${house.origin}/meta/mcp`, call)).status).toBe(502);
  expect(proxy.asked).toEqual([]);
});

test('a proxy that does not open the way is named, and counts as a connection that failed', async () => {
  proxy.answer = 503;
  const answer = await send(`${house.origin}/tools/mcp`, call);
  expect(answer.json()).toMatchObject({ error: { data: { code: 'upstream_unreachable' } } });
  expect(answer.text).toContain('forward proxy');
  for (let at = 0; at < 4; at += 1) await send(`${house.origin}/tools/mcp`, call);
  expect((await send(`${house.origin}/tools/mcp`, call)).status).toBe(503);
  expect(proxy.asked).toHaveLength(5);
});
