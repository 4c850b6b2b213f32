import { afterAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { type Emulator, shippedTenant, startEmulator } from '../../entra-emulator/main.ts';
import { Failure } from '../failure/errors.ts';
import { appToken } from './entra-token.ts';
import { createGraph, type Graph, keyed, quoted } from './graph.ts';
import { GraphFailure } from './graph-failure.ts';

const emulator: Emulator = await startEmulator();
afterAll(() => emulator.close());

let waits: number[];
let ids: string[];
let sent: string[];
let graph: Graph;
const send: typeof fetch = (url, init) => {
  sent.push(String(url));
  ids.push(new Headers(init?.headers).get('client-request-id') ?? '');
  return fetch(url, init);
};
beforeEach(() => {
  emulator.reset();
  [waits, ids, sent] = [[], [], []];
  graph = as(shippedTenant.admin);
});

function as(client: { clientId: string; clientSecret: string }): Graph {
  const world = { loginBaseUrl: emulator.origin, tenant: emulator.tenantId, fetch, now: emulator.clock.now };
  const proof = async () => ({ client_id: client.clientId, client_secret: client.clientSecret });
  let made = 0;
  return createGraph({
    baseUrl: emulator.graphOrigin,
    token: appToken(world, proof, 'https://graph.microsoft.com/.default'),
    fetch: send as never,
    newId: () => `request-${++made}`,
    async pause(milliseconds) {
      waits.push(milliseconds);
    },
  });
}

const named = z.object({ id: z.string(), displayName: z.string() });
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => error as GraphFailure,
  );

test('a list comes whole, page by page', async () => {
  const all = await graph.list('/groups', named, { query: { $top: '50', $select: 'id,displayName' } });
  expect(all.length).toBeGreaterThan(200);
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  expect(sent.length).toBeGreaterThan(4);
});

test('a next page at another host is not followed, so the token stays here', async () => {
  emulator.faults.add({ kind: 'foreignNextLink', origin: 'https://evil.example' });
  const error = await failure(graph.list('/groups', named, { query: { $top: '50' } }));
  expect(error.message).toContain('another host');
  expect(sent.every((url) => url.startsWith(emulator.graphOrigin))).toBe(true);
});

test('throttling is waited for as long as Graph says, with the same client-request-id', async () => {
  emulator.faults.add({ kind: 'throttle', path: '/groups', retryAfterSeconds: 7, times: 2 });
  await graph.list('/groups', named);
  expect(waits).toEqual([7000, 7000]);
  expect(new Set(ids.slice(0, 3)).size).toBe(1);
});

test('who asks for too much patience, or fails too often, is told on', async () => {
  emulator.faults.add({ kind: 'throttle', path: '/groups', retryAfterSeconds: 300, times: 1 });
  expect((await failure(graph.list('/groups', named))).code).toBe('directory_unavailable');
  expect(waits).toEqual([]);
  emulator.faults.add({ kind: 'status', path: '/groups', status: 503 });
  expect((await failure(graph.list('/groups', named))).graph).toMatchObject({ status: 503 });
  expect(waits).toEqual([1000, 2000, 4000]);
});

test('a POST is not repeated when nobody knows whether it was done', async () => {
  emulator.faults.add({ kind: 'status', path: '/groups', status: 504, times: 1 });
  await failure(graph.send('POST', '/groups', { body: {} }));
  expect(waits).toEqual([]);
});

test('a missing permission is named, and a refusal names the request-id', async () => {
  const stray = as(shippedTenant.agents.stray);
  const denied = await failure(stray.list('/groups', named, { permission: 'GroupMember.Read.All' }));
  expect(denied.code).toBe('directory_denied');
  expect(denied.message).toContain('the permission GroupMember.Read.All is missing');
  expect(denied.message).toMatch(/request-id [0-9a-f-]{36}/);
  const refused = await failure(graph.send('POST', '/servicePrincipals', { body: { appId: 'x' } }));
  expect(refused).toBeInstanceOf(GraphFailure);
  expect(refused.graph).toMatchObject({ status: 400, details: [{ code: 'NoBackingApplicationObject' }] });
});

test('an object by an alternate key is found whatever is in its name, or is not there', async () => {
  const name = "O'Brien & sons #1/2";
  const path = keyed('groups', 'uniqueName', name);
  expect(await graph.find(path, named)).toBeUndefined();
  const body = { displayName: name, mailNickname: 'obrien' };
  await graph.send('PATCH', path, { body, headers: { prefer: 'create-if-missing' } });
  expect(await graph.find(path, named)).toMatchObject({ displayName: name });
  const query = { $filter: `displayName eq ${quoted(name)}` };
  expect(await graph.list('/groups', named, { query })).toHaveLength(1);
});

test('a claims challenge and an expired token lead to one new token', async () => {
  await graph.list('/groups', named);
  emulator.faults.add({ kind: 'claimsChallenge', times: 1 });
  await graph.list('/groups', named);
  emulator.clock.advance(7_200_000);
  const before = sent.length;
  await graph.list('/groups', named, { query: { $top: '999' } });
  expect(sent.length - before).toBeLessThanOrEqual(2);
  expect(waits).toEqual([]);
});

test('a batch answers in order, each for itself, over more than twenty requests', async () => {
  const { admin } = shippedTenant.groups;
  const requests = Array.from({ length: 23 }, (_, index) => ({
    path: index === 21 ? '/groups/00000000-0000-4000-8000-000000000000' : `/groups/${admin}`,
  }));
  const answers = await graph.batch(requests);
  expect(answers.map(({ status }) => status)).toEqual(requests.map((_, index) => (index === 21 ? 404 : 200)));
  expect(sent).toHaveLength(2);
});

test('an unreachable Graph and a wrong secret are failures in words', async () => {
  const away = createGraph({
    baseUrl: 'http://127.0.0.1:1',
    token: async () => 'x',
    fetch: async () => {
      throw new Failure('upstream_unreachable', 'The connection was refused; nothing listens there.');
    },
    newId: () => 'id',
    pause: async () => {},
  });
  expect((await failure(away.list('/groups', named))).message).toContain('The connection was refused');
  const wrong = as({ ...shippedTenant.admin, clientSecret: 'wrong' });
  const { message } = await failure(wrong.list('/groups', named));
  expect(message).toContain('AADSTS7000215: The client secret is wrong. Step 3');
  expect(message).toMatch(/trace id [0-9a-f-]{36}, correlation id/);
  expect(message).not.toContain("'wrong'");
});
