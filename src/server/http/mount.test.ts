import { Hono } from 'hono';
import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { type Endpoint, type Permission, Reply } from '../../contract/endpoint.ts';
import type { UiPermission } from '../../contract/permissions.ts';
import type { Access } from '../access/caller.ts';
import type { AuditEvent } from '../audit/event.ts';
import { createAllow } from '../db/allowance.ts';
import { Failure } from '../failure/errors.ts';
import type { Identity, Who } from '../identity/identity.ts';
import type { HttpEnv } from './env.ts';
import { mount } from './mount.ts';
import { answerFailure } from './responses.ts';

const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
const person: Identity = {
  kind: 'person',
  provider: 'entra',
  subject: 'oid',
  username: 'alice',
  name: null,
  email: null,
  clientId: null,
  groups: [],
  method: 'session',
  credentialId: 'session',
  expiresAt: 0,
};

let who: Who;
let held: Partial<Record<UiPermission, string[]>>;
let isAdmin: boolean;
let events: AuditEvent[];
let refusalsPerMinute: number;
beforeEach(() => {
  who = { is: 'identity', identity: person };
  held = {};
  isAdmin = false;
  events = [];
  refusalsPerMinute = 0;
});

const access = (): Access => ({
  scopes: [],
  isAdmin,
  permissions: new Map(),
  servers: new Set(),
  may: (permission, name) =>
    name === undefined ? (held[permission]?.length ?? 0) > 0 : (held[permission]?.includes(name) ?? false),
});

function appWith(
  endpoint: Partial<Endpoint>,
  handler: (input: never) => unknown = () => ({}),
): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.onError((error, c) => answerFailure(c, error, quiet as never, 'https://gateway.example.com/metadata'));
  app.use(async (c, next) => {
    c.set('correlationId', 'the-id');
    await next();
  });
  const row: Endpoint = {
    method: 'GET',
    path: '/api/things/{path}',
    permission: 'identity',
    summary: '',
    output: z.object({ shown: z.string().optional() }),
    ...endpoint,
  };
  const identity = { identify: async () => who, access, csrfToken: () => 'csrf' };
  mount(
    app,
    { 'things.get': row },
    { 'things.get': handler },
    {
      identity,
      trail: { record: (event) => void events.push(event), flush: async () => {} },
      now: () => 0,
      allow: createAllow(() => 0),
      clientIp: () => '127.0.0.1',
      refusalsPerMinute,
    },
  );
  return app;
}

const post = (body: string, headers: Record<string, string> = {}) => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/json', 'x-csrf-token': 'csrf', ...headers },
});

test('an endpoint without a permission or without a handler does not start', () => {
  const none = [undefined, '', 'everybody', {}, { can: 'anything', on: 'any' }, { can: 'list_service' }];
  for (const permission of none as Permission[])
    expect(() => appWith({ permission })).toThrow(/states no permission/);
  // @ts-expect-error and it does not compile
  const row: Endpoint = { method: 'GET', path: '/api/x', summary: '', output: z.string() };
  expect(() => appWith({ ...row, permission: undefined as never })).toThrow(/states no permission/);
  expect(() => appWith({}, null as never)).toThrow(/has no handler/);
});

test('"nobody" is 401 with a challenge, "could not tell" is 503 with a time to come back', async () => {
  who = { is: 'nobody', failure: new Failure('credential_missing', 'Sign in.') };
  const nobody = await appWith({}).request('/api/things/x');
  expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([
    401,
    'Bearer resource_metadata="https://gateway.example.com/metadata"',
  ]);
  who = { is: 'unknown', failure: new Failure('identity_unavailable', 'Later.') };
  const unknown = await appWith({}).request('/api/things/x');
  expect([unknown.status, unknown.headers.get('retry-after')]).toEqual([503, '5']);
});

test('what may not be listed looks like what is not there; what may be listed but not changed is refused', async () => {
  const app = appWith({ permission: { can: 'toggle_service', on: 'path' } });
  expect((await app.request('/api/things/x')).status).toBe(404);
  held = { list_service: ['x'] };
  expect((await app.request('/api/things/x')).status).toBe(403);
  held = { list_service: ['x'], toggle_service: ['x'] };
  expect((await app.request('/api/things/x')).status).toBe(200);
});

test('an administrator endpoint takes administrators only', async () => {
  const app = appWith({ permission: 'administrator' });
  expect((await app.request('/api/things/x')).status).toBe(403);
  isAdmin = true;
  expect((await app.request('/api/things/x')).status).toBe(200);
});

test('columns that the output does not name do not leave', async () => {
  const app = appWith({}, () => ({ shown: 'yes', secret: 'no' }));
  expect(await (await app.request('/api/things/x')).json()).toEqual({ shown: 'yes' });
});

test('a path may span segments and be percent-encoded; a broken encoding is told', async () => {
  const seen: unknown[] = [];
  const app = appWith(
    { params: z.object({ path: z.string() }) },
    ({ params }: { params: { path: string } }) => {
      seen.push(params.path);
      return {};
    },
  );
  for (const path of ['a/b/c', 'a%20b']) await app.request(`/api/things/${path}`);
  expect(seen).toEqual(['a/b/c', 'a b']);
  expect((await app.request('/api/things/%E0%A4%A')).status).toBe(400);
});

test('whoever may not is refused whatever they send', async () => {
  const params = z.object({ path: z.string().max(1) });
  const app = appWith({ method: 'POST', permission: 'administrator', params, body: z.object({}) });
  expect((await app.request('/api/things/long', post('{'))).status).toBe(403);
  isAdmin = true;
  expect((await app.request('/api/things/long', post('{'))).status).toBe(422);
});

test('changes in a session need the CSRF token', async () => {
  const app = appWith({ method: 'POST', body: z.object({}) });
  expect((await app.request('/api/things/x', post('{}', { 'x-csrf-token': 'wrong' }))).status).toBe(403);
  expect((await app.request('/api/things/x', post('{}'))).status).toBe(200);
});

test.each([
  ['not JSON', post('{'), 400],
  ['another type', post('{}', { 'content-type': 'text/plain' }), 415],
  ['faults', post('{"count":"many"}'), 422],
  ['too much', post(JSON.stringify({ count: 1, padding: 'x'.repeat(1024 * 1024) })), 413],
])('a body with %s is refused', async (_, request, status) => {
  const app = appWith({ method: 'POST', body: z.object({ count: z.number() }) });
  expect((await app.request('/api/things/x', request)).status).toBe(status);
});

test('every fault of the input is told with its place', async () => {
  const app = appWith({ method: 'POST', body: z.object({ count: z.number(), name: z.string() }) });
  const answer = await app.request('/api/things/x', post('{"count":"many"}'));
  const { errors } = (await answer.json()) as { errors: { at: string }[] };
  expect(errors.map(({ at }) => at)).toEqual(['body.count', 'body.name']);
});

test('an unexpected error tells nothing of itself', async () => {
  const app = appWith({}, () => {
    throw new Error('the password is hunter2');
  });
  const answer = await app.request('/api/things/x');
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain('hunter2');
});

test('exactly one audit event a request, with what was decided', async () => {
  const app = appWith(
    { permission: { can: 'toggle_service', on: 'path' } },
    () => new Reply({}, { etag: '"1"' }),
  );
  await app.request('/api/things/x');
  held = { list_service: ['x'], toggle_service: ['x'] };
  await app.request('/api/things/x');
  expect(
    events.map(({ decision, status, reason, resource }) => [decision, status, reason, resource]),
  ).toEqual([
    ['deny', 404, 'not_found', 'x'],
    ['allow', 200, undefined, 'x'],
  ]);
});

test('another method is 405 and names those that are possible', async () => {
  const answer = await appWith({}).request('/api/things/x', { method: 'DELETE' });
  expect([answer.status, await answer.text()]).toEqual([405, expect.stringContaining('GET')]);
});

test('an answer of another media type passes as it is, and as it comes', async () => {
  const text = await appWith({ media: 'text/plain', output: z.string() }, () => 'as it is').request(
    '/api/things/a',
  );
  expect([text.headers.get('content-type'), await text.text()]).toEqual(['text/plain', 'as it is']);
  const source = new TransformStream<Uint8Array>();
  const endpoint = { media: 'text/event-stream', output: z.instanceof(ReadableStream) };
  const answer = await appWith(endpoint, () => source.readable).request('/api/things/a');
  const writer = source.writable.getWriter();
  const reader = answer.body!.getReader();
  void writer.write(Buffer.from(': first'));
  expect(Buffer.from((await reader.read()).value!).toString()).toBe(': first');
  expect(events.map(({ action, status }) => [action, status])).toEqual([
    ['things.get', 200],
    ['things.get', 200],
  ]);
});

test('an answer says how long it is, so that a short one is not compressed', async () => {
  who = { is: 'identity', identity: person };
  const answer = await appWith({}, () => ({ shown: 'ä' })).request('/api/things/a');
  expect(answer.headers.get('content-type')).toBe('application/json');
  expect(answer.headers.get('content-length')).toBe(String(Buffer.byteLength(await answer.text())));
});

test('requests that come at once start in different turns of the event loop', async () => {
  who = { is: 'identity', identity: person };
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  const startedIn: number[] = [];
  const app = appWith({ permission: 'identity' }, () => {
    startedIn.push(turns);
    return {};
  });
  setImmediate(count);
  await Promise.all(Array.from({ length: 8 }, () => app.request('/api/things/a')));
  isDone = true;
  expect(new Set(startedIn).size).toBe(8);
});

test.each(['/api/things/a%00b', '/api/things/x?q=%00'])(
  '%s has NUL in it: nothing is called so',
  async (path) => {
    let asked = 0;
    const app = appWith({ permission: 'identity' }, () => {
      asked += 1;
      return {};
    });
    expect((await app.request(path)).status).toBe(400);
    expect(asked).toBe(0);
  },
);

test('a caller who is refused too often has to stop, in one row a minute; others and administrators are not', async () => {
  refusalsPerMinute = 3;
  const app = appWith({ permission: { can: 'toggle_service', on: 'path' } });
  const ask = async (): Promise<Response> => app.request('/api/things/x');
  const statuses = async (times: number) =>
    Promise.all(Array.from({ length: times }, async () => (await ask()).status));
  expect(await statuses(5)).toEqual([404, 404, 404, 429, 429]);
  expect(events.at(-1)).toMatchObject({ decision: 'deny', status: 429, reason: 'refused_too_often' });
  expect(Number((await ask()).headers.get('retry-after'))).toBeGreaterThan(0);
  // What is allowed is not in the way of that.
  held = { list_service: ['x'], toggle_service: ['x'] };
  expect(await statuses(2)).toEqual([200, 200]);
  held = {};
  who = { is: 'identity', identity: { ...person, subject: 'another' } };
  expect(await statuses(1)).toEqual([404]);
  isAdmin = true;
  expect(await statuses(5)).toEqual([404, 404, 404, 404, 404]);
});

test('one identity downloads so many files at once; who gives up or has read one may have the next', async () => {
  const endings: (() => void)[] = [];
  const bearer: Who = { is: 'identity', identity: { ...person, method: 'bearer' } };
  who = bearer;
  const handler = (): ReadableStream<Uint8Array> =>
    new ReadableStream({
      start: (controller) => void endings.push(() => controller.close()),
    });
  const app = appWith(
    { cost: 'heavy', media: 'text/csv', output: z.instanceof(ReadableStream) as never },
    handler,
  );
  const ask = async (method = 'GET'): Promise<Response> => app.request('/api/things/x', { method });
  const open = await Promise.all([ask(), ask(), ask(), ask()]);
  expect(open.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect([(await ask()).status, (await ask('HEAD')).status]).toEqual([429, 429]);
  who = { is: 'identity', identity: { ...person, subject: 'another' } };
  expect((await ask()).status).toBe(200);
  who = bearer;
  await open[0]?.body?.cancel();
  expect((await ask()).status).toBe(200);
  endings[1]?.();
  expect(await open[1]?.text()).toBe('');
  expect((await ask('HEAD')).status).toBe(200);
  // Asking for the head alone keeps no place.
  expect((await ask()).status).toBe(200);
  expect((await ask()).status).toBe(429);
});

test('long requests of one identity run a few at a time; no one else waits for them', async () => {
  const begun: string[] = [];
  const endings: (() => void)[] = [];
  const app = appWith({ cost: 'heavy' }, async () => {
    begun.push(who.is === 'identity' ? who.identity.subject : '');
    await new Promise<void>((resolve) => endings.push(resolve));
    return {};
  });
  const own = Array.from({ length: 10 }, async () => (await app.request('/api/things/x')).status);
  await expect.poll(() => begun.length).toBe(4);
  who = { is: 'identity', identity: { ...person, subject: 'another' } };
  const other = (async () => (await app.request('/api/things/x')).status)();
  await expect.poll(() => begun.length).toBe(5);
  const end = setInterval(() => endings.shift()?.(), 1);
  expect(new Set(await Promise.all([...own, other]))).toEqual(new Set([200]));
  clearInterval(end);
});
