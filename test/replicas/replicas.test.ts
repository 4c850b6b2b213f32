import { setTimeout as delay } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { type RunningSample, startCurrentTime } from '../../src/samples/currenttime.ts';
import { startGateway, type TestGateway } from '../harness.ts';
import { startPostgres, type TestPostgres } from '../postgres.ts';
import { type BrowserSession, mintToken, signIn } from '../sign-in.ts';
import { type RoundRobin, startRoundRobin } from './round-robin.ts';

/** Three real processes on one real PostgreSQL behind a load balancer that sends each request to the next. */
let postgres: TestPostgres;
let balancer: RoundRobin;
let environment: Record<string, string>;
let replicas: TestGateway[] = [];
let admin: BrowserSession;
/** The server that is called: outside every replica, so that it outlives each of them. */
let upstream: RunningSample;

/** For whatever these tests wait for, in milliseconds: the machine may be busy, but nothing hangs. */
const limit = 240_000;
const portOf = ({ url }: { url: string }): number => Number(new URL(url).port);
const direct = (replica: TestGateway): string => `http://127.0.0.1:${portOf(replica)}`;

vi.setConfig({ testTimeout: limit });

beforeAll(async () => {
  postgres = await startPostgres();
  balancer = await startRoundRobin();
  upstream = await startCurrentTime();
  environment = {
    DATABASE_URL: await postgres.create('replicas'),
    SECRET_KEY: '7d0f5c0e9b2a4c61b8e3d5f7a9c1e3b5d7f9a1c3e5b7d9f1',
    REGISTRY_URL: balancer.url,
    HEALTH_CHECK_INTERVAL_SECONDS: '0',
  };
  // At once: one of them migrates.
  const started = await Promise.allSettled([1, 2, 3].map(() => startGateway({ environment })));
  replicas = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const one of started) if (one.status === 'rejected') throw one.reason;
  admin = await signInAs('admin');
  const time = { server_name: 'Time', path: '/time', proxy_pass_url: upstream.url, is_enabled: true };
  expect((await api('/api/servers', 'POST', time)).status).toBe(201);
}, limit);

/** Starts again what a test has ended, at its port and with its directory. */
beforeEach(async () => {
  replicas = await Promise.all(
    replicas.map((replica) =>
      replica.process.exitCode === null && replica.process.signalCode === null
        ? replica
        : startGateway({
            ...{ environment, dataDir: replica.dataDir, port: portOf(replica) },
            emulatorPort: portOf({ url: replica.emulatorUrl }),
          }),
    ),
  );
}, limit);

afterAll(async () => {
  for (const replica of replicas) await replica.close();
  await upstream?.close();
  await balancer?.close();
  await postgres?.close();
}, limit);

/** Each replica has an emulated identity provider of its own in memory, so a sign-in stays with one; what comes of it does not. */
async function signInAs(account: 'admin' | 'user'): Promise<BrowserSession> {
  balancer.use(replicas.slice(0, 1).map(portOf));
  const session = await signIn(balancer.url, shippedTenant.accounts[account].userPrincipalName);
  balancer.use(replicas.map(portOf));
  return session;
}

const api = (path: string, method = 'GET', body?: object, url = balancer.url): Promise<Response> =>
  fetch(`${url}${path}`, {
    method,
    headers: { cookie: admin.cookie, 'x-csrf-token': admin.csrf, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

const call = (url: string, token: string, server = 'time'): Promise<Response> =>
  fetch(`${url}/${server}/mcp`, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...{ accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' },
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    signal: AbortSignal.timeout(limit / 4),
  });

/** Asks until the answer is yes; fails with what was said last when it never is. */
async function until(ask: () => Promise<{ ok: boolean; said: unknown }>): Promise<void> {
  const begun = performance.now();
  for (;;) {
    const { ok, said } = await ask();
    if (ok) return;
    if (performance.now() - begun > limit / 2) throw new Error(`still ${said}`);
    await delay(5);
  }
}

/** Asks every replica until each has answered with that status; returns how long the slowest took, in milliseconds. */
async function untilEverywhere(status: number, token: string, server?: string): Promise<number> {
  const begun = performance.now();
  await Promise.all(
    replicas.map((replica) =>
      until(async () => {
        const answer = await call(direct(replica), token, server);
        return { ok: answer.status === status, said: `${answer.status} ${await answer.text()}` };
      }),
    ),
  );
  return performance.now() - begun;
}

const untilReadiness = (replica: TestGateway, state: 'ready' | 'degraded'): Promise<void> =>
  until(async () => {
    const said = await (await fetch(`${direct(replica)}/readyz`)).text();
    return { ok: said.includes(`"${state}"`), said };
  });

test('a session of one replica is a session of all, and what one stores all have', async () => {
  for (let count = 0; count < 6; count += 1) expect((await api('/api/auth/me')).status).toBe(200);
  const made = await api('/api/servers', 'POST', {
    ...{ server_name: 'Elsewhere', path: '/elsewhere', proxy_pass_url: 'http://127.0.0.1:9/mcp' },
    is_enabled: false,
  });
  expect(made.status).toBe(201);
  for (const replica of replicas)
    expect((await api('/api/servers/elsewhere', 'GET', undefined, direct(replica))).status).toBe(200);
});

test.each(['auto', 'legacy'] as const)('a client of SDK v2 (%s) works across replicas', async (mode) => {
  const { token } = await mintToken(balancer.url, admin);
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${balancer.url}/time/mcp`), { requestInit }),
  );
  for (let count = 0; count < 6; count += 1)
    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
  await client.close();
});

test('a client of SDK v1 works across replicas', async () => {
  const { token } = await mintToken(balancer.url, admin);
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  const client = new ClientV1({ name: 'test', version: '1' });
  await client.connect(new TransportV1(new URL(`${balancer.url}/time/mcp`), { requestInit }));
  for (let count = 0; count < 6; count += 1)
    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
  await client.close();
});

test('a revoked token, a server switched off and an edited scope are seen by every replica', async () => {
  const { token, id } = await mintToken(balancer.url, admin);
  await untilEverywhere(200, token);
  const took: Record<string, number> = {};
  expect((await api('/api/servers/time/toggle', 'POST', { enabled: false })).status).toBe(200);
  took['server switched off'] = await untilEverywhere(503, token);
  expect((await api('/api/servers/time/toggle', 'POST', { enabled: true })).status).toBe(200);
  took['server switched on'] = await untilEverywhere(200, token);
  expect((await api(`/api/tokens/${id}`, 'DELETE')).status).toBe(204);
  took['token revoked'] = await untilEverywhere(401, token);

  const scope = { scope_name: 'edited', group_mappings: [shippedTenant.groups.users] };
  const edit = async (server_access: object[]): Promise<void> => {
    const answer = await api('/api/servers/groups/import', 'POST', { ...scope, server_access });
    expect(answer.status).toBe(200);
  };
  await edit([]);
  // A token has the scopes that its owner had when it was minted.
  const own = await mintToken(balancer.url, await signInAs('user'));
  await untilEverywhere(403, own.token);
  await edit([{ server: 'time', methods: ['initialize', 'ping'], tools: [] }]);
  took['scope widened'] = await untilEverywhere(200, own.token);
  await edit([]);
  took['scope narrowed'] = await untilEverywhere(403, own.token);
  // The figures of docs/resilience.md come from here; a busy machine must not fail the test.
  console.log(took);
});

test('kill -9 of one replica loses nothing that was acknowledged, and the others serve on', async () => {
  const { token } = await mintToken(balancer.url, admin);
  const [victim, ...others] = replicas;
  // By whether the call began when the process was known to be gone: only one in flight before may fail.
  const outcomes: Record<'before' | 'afterwards', Record<string, number>> = { before: {}, afterwards: {} };
  const [workers, callsEach] = [8, 60];
  let answered = 0;
  let isKilled = false;
  const busy = Promise.withResolvers<void>();
  const work = async (): Promise<void> => {
    for (let count = 0; count < callsEach; count += 1) {
      const began = isKilled ? 'afterwards' : 'before';
      const answer = await call(balancer.url, token).catch(({ name }: Error) => name);
      const isWhole =
        typeof answer !== 'string' && (await answer.text().catch(() => '')).includes('"result"');
      const outcome = typeof answer === 'string' ? answer : `${answer.status}${isWhole ? '' : ' cut'}`;
      outcomes[began][outcome] = (outcomes[began][outcome] ?? 0) + 1;
      answered += 1;
      if (answered === workers * 10) busy.resolve();
    }
  };
  const working = Promise.all(Array.from({ length: workers }, work));
  await busy.promise;
  const scope = { scope_name: 'kept', server_access: [], group_mappings: ['kept'] };
  expect((await api('/api/servers/groups/import', 'POST', scope)).ok).toBe(true);
  await victim?.stop('SIGKILL');
  isKilled = true;
  await working;
  console.log(outcomes);
  expect(Object.keys(outcomes.afterwards)).toEqual(['200']);
  expect(outcomes.before.TimeoutError).toBeUndefined();
  for (const replica of others) {
    const groups = await api('/api/servers/groups', 'GET', undefined, direct(replica));
    expect(await groups.text()).toContain('"kept"');
  }
});

test('without the database calls with known tokens go on, changes are refused with 503, and readiness says so', async () => {
  const { token } = await mintToken(balancer.url, admin);
  await untilEverywhere(200, token);
  const toggle = (replica?: TestGateway) =>
    api('/api/servers/time/toggle', 'POST', { enabled: false }, replica && direct(replica));
  await postgres.stop();
  try {
    for (const replica of replicas) {
      await untilReadiness(replica, 'degraded');
      expect((await call(direct(replica), token)).status).toBe(200);
      expect((await toggle(replica)).status).toBe(503);
    }
  } finally {
    await postgres.start();
  }
  for (const replica of replicas) await untilReadiness(replica, 'ready');
  expect((await toggle()).status).toBe(200);
  await untilEverywhere(503, token);
});
