import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  startGateway,
  startUpstream,
  type TestGateway,
} from './gateway.test-support.ts';

let upstream: ScriptedUpstream;
let house: TestGateway;

const none = {
  ...{ headers: [], names: new Set<string>(), passes: new Set<string>(), forwardAuthorization: false },
};
const key = { ...none, headers: ['X-API-Key', 'ours'], names: new Set(['x-api-key']) };

beforeAll(async () => {
  upstream = await startUpstream();
  const isForGateway = (token: string): boolean => token === 'other-of-the-gateway';
  house = await startGateway(
    { alice: ['* *'], bob: ['other *'], 'other-of-the-gateway': ['* *'] },
    { isForGateway },
  );
  const put = (name: string, credentials: typeof key | typeof none | null) =>
    house.routes.set(name, routeOf(name, upstream.url, { credentials }));
  put('key', key);
  put('lost', null);
  put('own', { ...none, forwardAuthorization: true });
  put('plain', none);
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});
beforeEach(() => {
  upstream.received.length = 0;
});

async function receivedBy(server: string, headers: Record<string, string>) {
  // The gateways of these tests know their callers by `Authorization`, so that is who calls here.
  const answer = await send(`${house.origin}/${server}/mcp`, {
    as: 'alice',
    headers,
    body: rpc('ping'),
  });
  expect(answer.status).toBe(200);
  return upstream.received.at(-1)?.headers;
}

test("the operator's credential takes the place of what the client sent under its name", async () => {
  expect((await receivedBy('key', { 'x-api-key': 'mine' }))?.['x-api-key']).toBe('ours');
  expect((await receivedBy('plain', { 'x-api-key': 'mine' }))?.['x-api-key']).toBeUndefined();
});

test("a client's own Authorization passes only where the server takes it and it is not the gateway's", async () => {
  const own = { 'x-authorization': 'Bearer for-the-gateway' };
  expect(await receivedBy('own', own)).toMatchObject({ authorization: 'Bearer alice' });
  expect(await receivedBy('plain', own)).not.toHaveProperty('authorization');
  expect(await receivedBy('own', {})).not.toHaveProperty('authorization');
  expect(await receivedBy('own', { 'x-authorization': 'bearer  alice' })).not.toHaveProperty('authorization');
  for (const { headers } of upstream.received) expect(headers).not.toHaveProperty('x-authorization');
  // Another token of the gateway's, sent along by mistake or to be stolen.
  await send(`${house.origin}/own/mcp`, { as: 'other-of-the-gateway', headers: own, body: rpc('ping') });
  expect(upstream.received.at(-1)?.headers).not.toHaveProperty('authorization');
});

test('without a credential that can be read nothing is sent, and only who may call learns so', async () => {
  const url = `${house.origin}/lost/mcp`;
  const answer = await send(url, { as: 'alice', body: rpc('ping') });
  expect(answer.status).toBe(503);
  expect(answer.text).toContain('credential_unreadable');
  expect((await send(url, { as: 'bob', body: rpc('ping') })).status).toBe(403);
  expect(upstream.received).toEqual([]);
});
