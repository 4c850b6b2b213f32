import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { startEverythingBy } from '../everything-server.ts';
import { callServer, openSession, signInFromClient, token as tokenOf } from '../oauth-client.ts';
import { copyTemplate } from '../open-on-postgres.ts';
import { type BrowserSession, mintToken, signIn } from '../sign-in.ts';
import { type Cluster, directly, startCluster } from './cluster.ts';
import { eventsOf, until } from './stream.ts';
import { type StreamServer, startStreamServer } from './stream-server.ts';

/** What is particular to several processes; what one gateway does for clients and people is in the outside tests. */
let cluster: Cluster;
let streams: StreamServer;
let admin: BrowserSession;
const ends: (() => unknown)[] = [];
/** Seconds between two checks of a server. */
const interval = 2;

beforeAll(async () => {
  cluster = await startCluster(await copyTemplate(), { HEALTH_CHECK_INTERVAL_SECONDS: String(interval) });
  ends.push(() => cluster.close());
  streams = await startStreamServer();
  ends.push(() => streams.close());
  const sse = await startEverythingBy('sse');
  ends.push(() => sse.child.kill());
  admin = await signIn(cluster.url, shippedTenant.accounts.admin.userPrincipalName);
  await register('/streams', streams.url);
  await register('/oldest', `http://127.0.0.1:${sse.port}/sse`, { supported_transports: ['sse'] });
});

afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

const register = async (path: string, proxy_pass_url: string, more: object = {}): Promise<void> => {
  const server = { server_name: path.slice(1), path, proxy_pass_url, is_enabled: true, ...more };
  expect((await api('/api/servers', 'POST', server)).status).toBe(201);
};

const api = (path: string, method = 'GET', body?: object, url = cluster.url, as = admin): Promise<Response> =>
  fetch(`${url}${path}`, {
    method,
    headers: { cookie: as.cookie, 'x-csrf-token': as.csrf, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

const ping = async (url: string, token: string, server = 'currenttime'): Promise<number> =>
  (await callServer(`${url}/${server}/mcp`, token, 'ping')).status;

/** Asks every replica until each has answered with that status; returns how long the slowest took, in milliseconds. */
async function untilEverywhere(status: number, token: string, server?: string): Promise<number> {
  const begun = performance.now();
  await Promise.all(
    cluster.replicas.map((replica) =>
      until(async () => {
        const said = await ping(directly(replica), token, server);
        return said === status ? true : `${replica.url}: ${said}`;
      }),
    ),
  );
  return Math.round(performance.now() - begun);
}

test('a session of one replica is a session of all, and what one stores all have', async () => {
  const served = new Set<string | null>();
  for (let count = 0; count < 6; count += 1) {
    const me = await api('/api/auth/me');
    expect(me.status).toBe(200);
    served.add(me.headers.get('x-served-by'));
  }
  // Each in its turn, or nothing here would be about several.
  expect(served.size).toBe(3);
  await register('/elsewhere', 'http://127.0.0.1:9/mcp');
  for (const replica of cluster.replicas)
    expect((await api('/api/servers/elsewhere', 'GET', undefined, directly(replica))).status).toBe(200);
});

test('a revoked token, a server switched off and an edited scope are seen by every replica', async () => {
  const { token, id } = await mintToken(cluster.url, admin);
  await untilEverywhere(200, token);
  const took: Record<string, number> = {};
  expect((await api('/api/servers/currenttime/toggle', 'POST', { enabled: false })).status).toBe(200);
  took['server switched off'] = await untilEverywhere(503, token);
  expect((await api('/api/servers/currenttime/toggle', 'POST', { enabled: true })).status).toBe(200);
  took['server switched on'] = await untilEverywhere(200, token);
  expect((await api(`/api/tokens/${id}`, 'DELETE')).status).toBe(204);
  took['token revoked'] = await untilEverywhere(401, token);

  const nora = await signIn(cluster.url, shippedTenant.accounts.noGroup.userPrincipalName);
  const group = await directoryGroup(nora);
  const scope = { scope_name: 'edited', group_mappings: [group] };
  const edit = async (server_access: object[]): Promise<void> => {
    const answer = await api('/api/servers/groups/import', 'POST', { ...scope, server_access });
    expect(answer.status).toBe(200);
  };
  await edit([]);
  const bob = await signIn(cluster.url, shippedTenant.accounts.user.userPrincipalName);
  // A token has the scopes that its owner had when it was minted.
  const own = await mintToken(cluster.url, bob);
  await untilEverywhere(403, own.token, 'streams');
  await edit([{ server: 'streams', methods: ['initialize', 'ping'], tools: [] }]);
  took['scope widened'] = await untilEverywhere(200, own.token, 'streams');
  await edit([]);
  took['scope narrowed'] = await untilEverywhere(403, own.token, 'streams');
  // The figures of docs/resilience.md come from here; a busy machine must not fail the test.
  console.log(took);
});

/** The group of the users; somebody in none has no session that could tell. */
async function directoryGroup(nobody: BrowserSession): Promise<string> {
  const me = await api('/api/auth/me', 'GET', undefined, cluster.url, nobody);
  expect(((await me.json()) as { groups: string[] }).groups).toEqual([]);
  return shippedTenant.groups.users;
}

test('a program signs in, calls, refreshes, and is refused everywhere once its sign-in is ended', async () => {
  const resource = `${cluster.url}/currenttime/mcp`;
  const { clientId, body, status } = await signInFromClient(cluster.url, resource);
  expect(status).toBe(200);
  for (const replica of cluster.replicas)
    expect(await ping(directly(replica), body.access_token ?? '')).toBe(200);
  const refresh = (refresh_token = '') =>
    tokenOf(cluster.url, { grant_type: 'refresh_token', refresh_token, client_id: clientId });
  const next = await refresh(body.refresh_token);
  expect(next.status).toBe(200);
  const { access_token = '', refresh_token = '' } = next.body;
  await untilEverywhere(200, access_token);
  const ended = await fetch(`${cluster.url}/oauth/revoke`, {
    method: 'POST',
    body: new URLSearchParams({ token: refresh_token, client_id: clientId }),
  });
  expect(ended.status).toBe(200);
  console.log({ 'sign-in of a program ended': await untilEverywhere(401, access_token) });
  expect((await refresh(refresh_token)).status).toBe(400);
});

test('a client of the oldest transport posts to any replica what another one streams', async () => {
  const { token } = await mintToken(cluster.url, admin);
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  const client = new ClientV1({ name: 'test', version: '1' });
  await client.connect(new SSEClientTransport(new URL(`${cluster.url}/oldest/sse`), { requestInit }));
  for (let count = 0; count < 6; count += 1) {
    const { content } = await client.callTool({ name: 'echo', arguments: { message: `number ${count}` } });
    expect(JSON.stringify(content)).toContain(`number ${count}`);
  }
  await client.close();
});

test('a call that a virtual server translates at one replica is cancelled by way of another', async () => {
  const { token } = await mintToken(cluster.url, admin);
  const members = [{ backend_server_path: '/oldest', prefix: '' }];
  const made = await api('/api/virtual-servers', 'POST', {
    server_name: 'old',
    path: '/virtual/old',
    members,
  });
  expect(made.status, await made.clone().text()).toBe(201);
  const send = (replica: number, body: object, session?: string): Promise<Response> =>
    fetch(`${directly(cluster.replicas[replica] as { url: string })}/virtual/old/mcp`, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        accept: 'application/json, text/event-stream',
        ...(session ? { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' } : {}),
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...body }),
    });
  const clientInfo = { name: 'test', version: '1' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  let session = '';
  for (const replica of [0, 1])
    await until(async () => {
      const begun = await send(replica, { id: 1, method: 'initialize', params });
      session = begun.headers.get('mcp-session-id') ?? '';
      return session === '' ? await begun.text() : true;
    });
  const name = 'trigger-long-running-operation';
  await until(async () => {
    const listed = await (await send(0, { id: 2, method: 'tools/list' }, session)).text();
    return listed.includes(name) || listed;
  });
  // For so long that it does not end by itself.
  const call = await send(
    0,
    {
      ...{ id: 7, method: 'tools/call' },
      params: {
        name,
        arguments: { duration: 100_000, steps: 100_000 },
        _meta: { progressToken: 'p' },
      },
    },
    session,
  );
  const parts = call.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (let said = ''; !said.includes('notifications/progress'); ) {
    const part = await parts?.read();
    if (!part || part.done) throw new Error(`it ended by itself: ${said}`);
    said += part.value;
  }
  const cancelled = { method: 'notifications/cancelled', params: { requestId: 7 } };
  expect((await send(1, cancelled, session)).status).toBe(202);
  let rest = '';
  for (let part = await parts?.read(); part && !part.done; part = await parts?.read()) rest += part.value;
  expect(rest).not.toContain('"id":7');
});

test('what changes at one replica is told to the pages that are open at the others', async () => {
  const pages = await Promise.all(
    cluster.replicas.map((replica) =>
      eventsOf(`${directly(replica)}/api/servers/events`, { cookie: admin.cookie }),
    ),
  );
  await api('/api/servers/elsewhere/toggle', 'POST', { enabled: false });
  for (const page of pages) {
    await page.says('"is_enabled":false');
    page.close();
  }
});

test('a stream whose replica was killed goes on at another one, after the last event that was seen', async () => {
  const { token } = await mintToken(cluster.url, admin);
  const endpoint = `${cluster.url}/streams/mcp`;
  const session = await sessionOf(endpoint, token);
  const headers = {
    ...{ authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    ...{ 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' },
  };
  const stream = await eventsOf(endpoint, headers);
  await stream.says('id: 2');
  const victim = cluster.replicas.findIndex(({ url }) => stream.servedBy.endsWith(new URL(url).port));
  await cluster.replicas[victim]?.stop('SIGKILL');
  await stream.ended;
  expect(stream.said()).not.toContain('id: 3');
  const again = await eventsOf(endpoint, { ...headers, 'last-event-id': '2' });
  await again.says('id: 4');
  expect(again.said()).not.toContain('id: 2');
  expect(again.servedBy).not.toBe(stream.servedBy);
  again.close();
  // The session goes on besides.
  expect((await callServer(endpoint, token, 'ping')).status).toBe(200);
  await cluster.restart(victim);
});

async function sessionOf(endpoint: string, token: string): Promise<string> {
  const opened = await fetch(endpoint, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
    }),
  });
  await opened.text();
  return opened.headers.get('mcp-session-id') ?? '';
}

test('a session of a stateful server is one at every replica', async () => {
  const { token } = await mintToken(cluster.url, admin);
  const ask = await openSession(`${cluster.url}/everything/mcp`, token);
  for (let count = 0; count < 6; count += 1) expect((await ask('tools/list')).status).toBe(200);
});

test('an account that is made at one replica is a job that all know, and its secret is shown once', async () => {
  const [first, second, third] = cluster.replicas.map(directly);
  const account = { name: 'robot', groups: ['mcp-test-users'] };
  const made = await api('/api/management/iam/users/m2m?wait=false', 'POST', account, first);
  const { job } = (await made.json()) as { job?: { id: string } };
  expect([made.status, typeof job?.id]).toEqual([200, 'string']);
  const at = `/api/management/iam/jobs/${job?.id}`;
  await until(async () => {
    const { state } = (await (await api(at, 'GET', undefined, second)).json()) as { state?: string };
    return state === 'done' ? true : `the job is ${state}`;
  });
  expect((await api(`${at}/secret`, 'POST', {}, third)).status).toBe(200);
  expect((await api(`${at}/secret`, 'POST', {}, first)).status).not.toBe(200);
});

test('three replicas check a server as often as one would', async () => {
  const [begun, before] = [performance.now(), streams.checks()];
  await until(async () => (streams.checks() > before + 3 ? true : 'it is not checked'));
  const times = (performance.now() - begun) / (interval * 1000);
  expect(streams.checks() - before).toBeLessThanOrEqual(times * 1.6 + 2);
});

test('a replica whose clock is two minutes behind ends access by the clock of the database', async () => {
  const file = join(cluster.folder, 'late.mjs');
  writeFileSync(
    file,
    `const Real = Date;
     globalThis.Date = class extends Real {
       constructor(...given) { given.length > 0 ? super(...given) : super(Real.now() - 120_000); }
       static now() { return Real.now() - 120_000; }
     };`,
  );
  await cluster.replicas[2]?.stop('SIGKILL');
  const late = await cluster.restart(2, { NODE_OPTIONS: `--import=${file}` });
  expect(late.output()).toContain('set both by NTP');
  const { userPrincipalName } = shippedTenant.accounts.user;
  await signIn(cluster.url, userPrincipalName);
  const client = new pg.Client({ connectionString: cluster.database });
  await client.connect();
  try {
    const people = await client.query<{ provider: string; subject: string }>(
      'select provider, subject from people where lower(username) = lower($1)',
      [userPrincipalName],
    );
    const { provider = '', subject = '' } = people.rows[0] ?? {};
    const path = `/api/people/${provider}/${encodeURIComponent(subject)}/end-sessions`;
    const answer = await api(path, 'POST', { revoke_tokens: false }, directly(late));
    expect([answer.status, await answer.text()]).toEqual([200, expect.anything()]);
    // What the provider issued in the last two minutes would count on by the clock of that replica.
    const { rows } = await client.query(
      `select clock_timestamp() - cast(tokens_before as timestamptz) < interval '100 s' as soon from cutoffs
       where subject = $1`,
      [subject],
    );
    expect(rows).toEqual([{ soon: true }]);
  } finally {
    await client.end();
  }
});
