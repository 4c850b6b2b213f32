import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { freePort, startGateway, type TestGateway } from './harness.ts';
import { agentToken, mintToken, signIn } from './sign-in.ts';

const started: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of started.splice(0).reverse()) await one.close();
});

async function start(options: Parameters<typeof startGateway>[0] = {}): Promise<TestGateway> {
  const gateway = await startGateway(options);
  started.push(gateway);
  return gateway;
}

/** An MCP server (streamable HTTP, JSON answers) whose `tools/call` waits until the test lets it go on. */
async function scriptedServer(): Promise<{
  url: string;
  arrived: Promise<void>;
  answer(): void;
  server: Server;
}> {
  let arrive = (): void => {};
  let release = (): void => {};
  const arrived = new Promise<void>((done) => {
    arrive = done;
  });
  const released = new Promise<void>((done) => {
    release = done;
  });
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    const { id, method } = JSON.parse(body || '{}') as { id?: number; method?: string };
    if (method === 'tools/call') {
      arrive();
      await released;
    }
    res.setHeader('content-type', 'application/json');
    res.end(
      JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'finished' }] } }),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  started.push({
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    arrived,
    answer: release,
    server,
  };
}

async function register(gateway: TestGateway, token: string, path: string, url: string): Promise<void> {
  const answer = await fetch(`${gateway.url}/api/servers`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ server_name: path, path, proxy_pass_url: url, is_enabled: true }),
  });
  expect(answer.status).toBe(201);
}

const callTool = (gateway: TestGateway, token: string, path: string): Promise<Response> =>
  fetch(`${gateway.url}${path}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'slow', arguments: {} },
    }),
  });

const auditRows = (
  gateway: TestGateway,
): { action: string; resource: string; status: number; decision: string }[] => {
  const database = new DatabaseSync(join(gateway.dataDir, 'gateway.db'), { readOnly: true });
  const rows = database.prepare('SELECT action, resource, status, decision FROM audit_events').all();
  database.close();
  return rows as { action: string; resource: string; status: number; decision: string }[];
};

test('SIGTERM: the call in flight finishes, new ones are refused, every call is in the audit trail', async () => {
  const gateway = await start();
  const token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
  const upstream = await scriptedServer();
  await register(gateway, token, '/slow', upstream.url);
  const before = await callTool(gateway, token, '/nowhere');
  expect(before.status).toBe(404);
  const call = callTool(gateway, token, '/slow');
  await upstream.arrived;
  const stopped = gateway.stop('SIGTERM');
  upstream.answer();
  const answer = await call;
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('finished');
  expect(await stopped).toBe(0);
  const calls = auditRows(gateway).filter(({ action }) => action === 'tools/call');
  expect(calls.map(({ resource, status }) => [resource, status])).toEqual([
    ['nowhere', 404],
    ['slow', 200],
  ]);
});

test('SIGTERM closes open streams', async () => {
  const gateway = await start();
  const token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json, text/event-stream' };
  const opened = await fetch(`${gateway.url}/everything/mcp`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
    }),
  });
  await opened.text();
  const session = {
    'mcp-session-id': opened.headers.get('mcp-session-id')!,
    'mcp-protocol-version': '2025-11-25',
  };
  const stream = await fetch(`${gateway.url}/everything/mcp`, { headers: { ...headers, ...session } });
  expect(stream.status).toBe(200);
  const ended = stream.text().catch(() => 'cut');
  expect(await gateway.stop('SIGTERM')).toBe(0);
  await ended;
});

test('kill -9 while registering: what was acknowledged is there after the restart', async () => {
  const gateway = await start();
  const token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
  const acknowledged: string[] = [];
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let count = 0; count < 200; count++) {
      const path = `/written-${writer}-${count}`;
      const answer = await fetch(`${gateway.url}/api/servers`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ server_name: path, path, proxy_pass_url: 'http://127.0.0.1:9/mcp' }),
      });
      if (answer.status === 201) acknowledged.push(path);
      await answer.arrayBuffer();
      if (acknowledged.length === 40) gateway.process.kill('SIGKILL');
    }
  });
  await Promise.allSettled(writers);
  expect(acknowledged.length).toBeGreaterThanOrEqual(40);

  const again = await start({ dataDir: gateway.dataDir });
  const fresh = await agentToken(again.emulatorUrl, shippedTenant.agents.admin);
  const listed = await fetch(`${again.url}/api/servers?limit=2000`, {
    headers: { authorization: `Bearer ${fresh}` },
  });
  const { servers } = (await listed.json()) as { servers: { path: string }[] };
  expect(servers.map(({ path }) => path)).toEqual(expect.arrayContaining(acknowledged));
});

test('sessions and personal tokens outlive a restart', async () => {
  const port = await freePort();
  const gateway = await start({ port });
  const session = await signIn(gateway.url, shippedTenant.accounts.admin.userPrincipalName);
  const { token } = await mintToken(gateway.url, session);
  await gateway.stop();
  const again = await start({ port, dataDir: gateway.dataDir });
  for (const headers of [{ cookie: session.cookie }, { authorization: `Bearer ${token}` }])
    expect((await fetch(`${again.url}/api/auth/me`, { headers })).status).toBe(200);
});

/** Runs the command until it ends by itself. */
function run(environment: Record<string, string>, cwd: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [resolve('bin/mcp-gateway.mjs'), 'start'], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, ...environment },
    encoding: 'utf8',
    timeout: 150_000,
  });
  return { status, text: stdout + stderr };
}

test('a second process on the same data directory is refused and says who holds it', async () => {
  const gateway = await start();
  const second = run({ DATA_DIR: gateway.dataDir, PORT: String(await freePort()) }, gateway.dataDir);
  expect(second.status).not.toBe(0);
  expect(second.text).toContain(`process ${gateway.process.pid}`);
  expect(second.text).toContain('DATA_DIR');
});

/** A folder in which nothing runs. */
function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lifecycle-'));
  started.push({ close: async () => rmSync(folder, { recursive: true, force: true }) });
  return folder;
}

test('evaluation mode refuses NODE_ENV=production and anything but loopback', () => {
  const folder = emptyFolder();
  const refused = run({ EVALUATION: 'true', NODE_ENV: 'production' }, folder);
  expect(refused).toMatchObject({ status: 2, text: expect.stringContaining('NODE_ENV=production') });
  expect(run({ REGISTRY_URL: 'https://gateway.example.com' }, folder)).toMatchObject({ status: 2 });
  expect(run({ HOST: '0.0.0.0' }, folder)).toMatchObject({ status: 2 });
});

test('production lists every fault of the settings at once', () => {
  const settings = { AUTH_PROVIDER: 'entra', SECRET_KEY: 'short', PORT: 'x' };
  const { status, text } = run(settings, emptyFolder());
  expect(status).toBe(2);
  for (const name of ['ENTRA_TENANT_ID', 'ENTRA_CLIENT_ID', 'ENTRA_CLIENT_SECRET', 'SECRET_KEY', 'PORT'])
    expect(text).toContain(name);
});
