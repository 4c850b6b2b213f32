import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { seenEverywhere, startGateway, type TestGateway } from './harness.ts';
import { agentToken, mintToken, signIn } from './sign-in.ts';

let gateway: TestGateway;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  gateway = await startGateway();
  const session = await signIn(gateway.url, shippedTenant.accounts.admin.userPrincipalName);
  tokens['a personal token'] = (await mintToken(gateway.url, session)).token;
  tokens['a client_credentials token'] = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
});
afterAll(() => gateway?.close());

const info = { name: 'test-client', version: '1.0.0' };
const asked = (token: string) => ({ requestInit: { headers: { Authorization: `Bearer ${token}` } } });

/** What both generations of the SDK's client can do alike. */
interface AnyClient {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(params: { name: string; arguments?: Record<string, unknown> }): Promise<{ content?: unknown }>;
  close(): Promise<void>;
}

const clients: Record<string, (server: string, token: string) => Promise<AnyClient>> = {
  async 'SDK v2 (newest protocol first)'(server, token) {
    const client = new Client(info, { versionNegotiation: { mode: 'auto' } });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${gateway.url}/${server}/mcp`), asked(token)),
    );
    return client as unknown as AnyClient;
  },
  async 'SDK v2 (legacy protocol)'(server, token) {
    const client = new Client(info);
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${gateway.url}/${server}/mcp`), asked(token)),
    );
    return client as unknown as AnyClient;
  },
  async 'SDK v1'(server, token) {
    const client = new ClientV1(info);
    await client.connect(new TransportV1(new URL(`${gateway.url}/${server}/mcp`), asked(token)));
    return client as unknown as AnyClient;
  },
};

describe.each(Object.keys(clients))('%s', (kind) => {
  test.each(['a personal token', 'a client_credentials token'])(
    'lists and calls tools of both samples with %s',
    async (credential) => {
      const connect = clients[kind]!;
      const time = await connect('currenttime', tokens[credential]!);
      expect((await time.listTools()).tools.map(({ name }) => name)).toContain('current_time_by_timezone');
      const answer = await time.callTool({
        name: 'current_time_by_timezone',
        arguments: { tz_name: 'Europe/Berlin' },
      });
      expect(JSON.stringify(answer.content)).toMatch(/Europe\/Berlin/);
      await time.close();

      const everything = await connect('everything', tokens[credential]!);
      expect((await everything.listTools()).tools.map(({ name }) => name)).toContain('echo');
      const echo = await everything.callTool({ name: 'echo', arguments: { message: 'through the gateway' } });
      expect(JSON.stringify(echo.content)).toContain('through the gateway');
      await everything.close();
    },
  );
});

test('progress of a long call arrives while it runs', async () => {
  const client = new Client(info, { versionNegotiation: { mode: 'auto' } });
  const url = new URL(`${gateway.url}/currenttime/mcp`);
  await client.connect(new StreamableHTTPClientTransport(url, asked(tokens['a personal token']!)));
  const seen: number[] = [];
  await client.callTool(
    { name: 'countdown', arguments: { from: 3 } },
    { onprogress: ({ progress }) => seen.push(progress) },
  );
  expect(seen.length).toBeGreaterThanOrEqual(3);
  await client.close();
});

test('a tool that may not be called is missing from the list and refused when called', async () => {
  const reader = await agentToken(gateway.emulatorUrl, shippedTenant.agents.user);
  const client = await clients['SDK v2 (newest protocol first)']!('currenttime', reader);
  expect((await client.listTools()).tools).toEqual([]);
  await client.close();
  const answer = await fetch(`${gateway.url}/currenttime/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${reader}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 'seven',
      method: 'tools/call',
      params: { name: 'countdown', arguments: {} },
    }),
  });
  // An error of the call, in the one form that every SDK takes for that.
  expect(answer.status).toBe(200);
  const body = (await answer.json()) as {
    id: string;
    error: { code: number; data: Record<string, unknown> };
  };
  expect(body).toMatchObject({ jsonrpc: '2.0', id: 'seven', error: { data: { code: 'not_allowed' } } });
  expect(body.error.data.correlation_id).toBe(answer.headers.get('x-correlation-id'));
});

test('a revoked token is refused on the next request', async () => {
  const session = await signIn(gateway.url, shippedTenant.accounts.admin.userPrincipalName);
  const { token, id } = await mintToken(gateway.url, session);
  const client = await clients['SDK v2 (newest protocol first)']!('currenttime', token);
  await client.listTools();
  const revoked = await fetch(`${gateway.url}/api/tokens/${id}`, {
    method: 'DELETE',
    headers: { cookie: session.cookie, 'x-csrf-token': session.csrf },
  });
  expect(revoked.status).toBe(204);
  await seenEverywhere();
  await expect(client.listTools()).rejects.toThrow();
  const again = await fetch(`${gateway.url}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } });
  expect(again.status).toBe(401);
  expect(await again.json()).toMatchObject({ code: 'credential_revoked' });
});

test('a token limited to read scopes cannot call, although its owner can', async () => {
  const session = await signIn(gateway.url, shippedTenant.accounts.developer.userPrincipalName);
  const { token } = await mintToken(gateway.url, session, {
    requested_scopes: ['mcp-servers-restricted/read'],
  });
  const client = await clients['SDK v2 (newest protocol first)']!('currenttime', token);
  expect((await client.listTools()).tools).toEqual([]);
  await client.close();
});

test('nobody mints a token with scopes that they do not have', async () => {
  const session = await signIn(gateway.url, shippedTenant.accounts.user.userPrincipalName);
  await expect(mintToken(gateway.url, session, { requested_scopes: ['registry-admins'] })).rejects.toThrow(
    'not_allowed',
  );
});
