import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../src/server/failure/errors.ts';
import {
  type Answer,
  open,
  routeOf,
  rpc,
  type ScriptedUpstream,
  startGateway,
  startUpstream,
  type TestGateway,
} from '../../src/server/gateway/gateway.test-support.ts';
import type { Identity, Who } from '../../src/server/identity/identity.ts';

let upstream: ScriptedUpstream;
let house: TestGateway;
let streams: ServerResponse[];
let time: number;
let people: Map<string, Who>;
let rules: Record<string, string[]>;

const everything = ['time * *'];
const person = (name: string, expiresAt = 1e15): Who => ({
  is: 'identity',
  identity: {
    ...{
      kind: 'person',
      provider: 'test',
      subject: name,
      username: name,
      name,
      email: null,
      clientId: 'app',
    },
    ...{ groups: [], method: 'personal-token', credentialId: `token-${name}`, expiresAt },
  },
});

beforeEach(async () => {
  [streams, time] = [[], 1_000];
  people = new Map([
    ['alice', person('alice')],
    ['bob', person('bob')],
  ]);
  rules = { alice: [...everything], bob: [...everything] };
  upstream = await startUpstream((_, res) => {
    streams.push(res.writeHead(200, { 'content-type': 'text/event-stream' }));
    res.write(': begins\n\n');
  });
  house = await startGateway(rules, {
    now: () => time,
    identify: ({ authorization }) =>
      people.get(String(authorization).slice('Bearer '.length)) ?? {
        ...{ is: 'nobody', failure: new Failure('credential_revoked', 'This token was revoked.') },
      },
  });
  house.routes.set('time', routeOf('time', upstream.url, { sse: upstream.url }));
});
afterEach(async () => {
  await house.close();
  await upstream.close();
});

const ends = new Map<string, () => void>([
  [
    'credential_revoked',
    () => {
      people.delete('alice');
      house.gateway.recheck(({ credentialId }) => credentialId === 'token-alice');
    },
  ],
  ['no-scopes', () => void rules.alice?.splice(0)],
  ['server', () => void rules.alice?.splice(0, 1, 'other * *')],
  ['server_disabled', () => void house.routes.set('time', routeOf('time', upstream.url, { enabled: false }))],
  ['server_removed', () => void house.routes.delete('time')],
  [
    'server_moved',
    () =>
      void house.routes.set(
        'time',
        routeOf('time', new URL('http://127.0.0.1:9/mcp'), { sse: upstream.url }),
      ),
  ],
]);

const kinds = {
  'the GET stream': { path: 'mcp' },
  'the response to a call, as events': { path: 'mcp', body: rpc('tools/call', { name: 'now' }) },
  'subscriptions/listen': { path: 'mcp', body: rpc('subscriptions/listen', { notifications: {} }) },
  'the stream of legacy SSE': { path: 'sse' },
} as const;

async function begin(as: string, kind: keyof typeof kinds): Promise<Answer> {
  const { path, ...ask } = kinds[kind] as { path: string; body?: object };
  const answer = await open(`${house.origin}/time/${path}`, { as, ...ask });
  expect(await answer.next()).toBe(': begins\n\n');
  return answer;
}

const cases = Object.keys(kinds).flatMap((kind) =>
  [...ends.keys(), 'credential_expired'].map((reason) => [kind, reason] as const),
);

test.each(cases)('%s ends by %s, and the audit says so', async (kind, reason) => {
  if (reason === 'credential_expired') people.set('alice', person('alice', 2_000));
  const others = reason.startsWith('server_') ? undefined : await begin('bob', kind as keyof typeof kinds);
  const answer = await begin('alice', kind as keyof typeof kinds);
  if (reason === 'credential_expired') time = 2_000;
  else ends.get(reason)?.();
  expect(await answer.rest()).toBe('');
  const [event] = await house.audited(1);
  expect(event).toMatchObject({ who: { subject: 'alice' }, decision: 'allow', reason: `ended: ${reason}` });
  // Whom it does not concern goes on.
  if (others) {
    streams[0]?.write(': goes on\n\n');
    expect(await others.next()).toBe(': goes on\n\n');
    others.leave();
  }
});

describe('a call that has no answer yet', () => {
  test('is refused when its right ends, and its server is told', async () => {
    upstream.script = () => undefined;
    const answer = open(`${house.origin}/time/mcp`, {
      as: 'alice',
      body: rpc('tools/call', { name: 'now' }, 7),
    });
    while (upstream.received.length === 0) await new Promise((resolve) => setImmediate(resolve));
    ends.get('no-scopes')?.();
    const { status, rest } = await answer;
    expect(status).toBe(200);
    expect(JSON.parse(await rest())).toMatchObject({ id: 7, error: { data: { code: 'not_allowed' } } });
    expect(await upstream.received[0]?.closed).toBe(true);
    expect(await house.audited(1)).toMatchObject([{ reason: 'ended: no-scopes' }]);
  });

  test('may be answered although its token expires meanwhile', async () => {
    people.set('alice', person('alice', 2_000));
    upstream.script = (_, res) => void streams.push(res);
    const answer = open(`${house.origin}/time/mcp`, {
      as: 'alice',
      body: rpc('tools/call', { name: 'now' }, 7),
    });
    while (streams.length === 0) await new Promise((resolve) => setImmediate(resolve));
    time = 3_000;
    house.gateway.recheck(() => false);
    streams[0]?.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    expect((await answer).status).toBe(200);
  });
});

test('groups that are lost are found out within a minute, without a word from anybody', async () => {
  const answer = await begin('alice', 'the GET stream');
  const { identity } = people.get('alice') as { identity: Identity };
  people.set('alice', { is: 'identity', identity: { ...identity, subject: 'stripped' } });
  rules.stripped = [];
  time += 60_000;
  expect(await answer.rest()).toBe('');
  expect(await house.audited(1)).toMatchObject([{ reason: 'ended: no-scopes' }]);
});

test('a change of what somebody else may do, and one that changes nothing, ends no stream', async () => {
  const answer = await begin('alice', 'the GET stream');
  rules.bob?.splice(0);
  rules.alice?.push('other * *');
  house.routes.set('time', routeOf('time', upstream.url, { health: 'unhealthy', sse: upstream.url }));
  house.gateway.recheck(() => true);
  for (let round = 0; round < 3; round += 1) {
    streams[0]?.write(`: ${round}\n\n`);
    expect(await answer.next()).toBe(`: ${round}\n\n`);
  }
  answer.leave();
});
