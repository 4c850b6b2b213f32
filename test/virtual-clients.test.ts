import type { ChildProcess } from 'node:child_process';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { startTarget, type Target } from './conformance/target.ts';
import { startEverythingBy } from './everything-server.ts';
import { rowsOf, startGateway, type TestGateway } from './harness.ts';
import { agentToken } from './sign-in.ts';

/*
 * One virtual server of six: two samples and the conformance target (2026-07-28 and before), server-everything over streamable
 * HTTP and over HTTP+SSE (both before), and one that is down.
 */
let gateway: TestGateway;
let target: Target;
let token: string;
const children: ChildProcess[] = [];

async function startEverything(transport: 'streamableHttp' | 'sse'): Promise<number> {
  const { port, child } = await startEverythingBy(transport);
  children.push(child);
  return port;
}

beforeAll(async () => {
  const [streamable, sse] = [await startEverything('streamableHttp'), await startEverything('sse')];
  [gateway, target] = await Promise.all([startGateway(), startTarget()]);
  token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
  // It was healthy when it was registered, and then went away.
  const down = await startTarget();
  await register('legacy', `http://127.0.0.1:${streamable}/mcp`);
  await register('oldest', `http://127.0.0.1:${sse}/sse`, { supported_transports: ['sse'] });
  await register('target', target.url);
  await register('down', down.url);
  await down.close();
  const health = await api('POST', '/api/servers/down/health', undefined);
  expect(health).toMatchObject({ health_status: 'unhealthy' });
  const members = ['/currenttime', '/everything', '/legacy', '/oldest', '/target', '/down'];
  await api('POST', '/api/virtual-servers', {
    ...{ server_name: 'Six', path: '/virtual/six' },
    members: members.map((backend_server_path) => ({ backend_server_path })),
  });
});
afterAll(async () => {
  for (const child of children) child.kill();
  await target?.close();
  await gateway?.close();
});

async function api(method: string, path: string, body: unknown): Promise<unknown> {
  const answer = await fetch(`${gateway.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

const register = (path: string, proxy_pass_url: string, more: object = {}) =>
  api('POST', '/api/servers', { ...{ server_name: path, path, proxy_pass_url, is_enabled: true }, ...more });

const info = { name: 'test-client', version: '1.0.0' };
const options = () => ({ requestInit: { headers: { Authorization: `Bearer ${token}` } } });
const url = () => new URL(`${gateway.url}/virtual/six/mcp`);
const capabilities = { sampling: {}, elicitation: {}, roots: {} };
const said = { role: 'assistant', model: 'none', content: { type: 'text', text: 'sampled' } } as const;
const accepted = {
  action: 'accept',
  content: { username: 'ada', email: 'ada@example.com', name: 'Ada' },
} as const;

interface AnyClient {
  listTools(): Promise<{ tools: { name: string }[]; _meta?: Record<string, unknown> }>;
  callTool(params: { name: string; arguments?: Record<string, unknown> }): Promise<{ content?: unknown }>;
  listPrompts(): Promise<{ prompts: { name: string }[] }>;
  getPrompt(params: { name: string; arguments?: Record<string, string> }): Promise<unknown>;
  listResources(): Promise<{ resources: { uri: string }[] }>;
  readResource(params: { uri: string }): Promise<unknown>;
  close(): Promise<void>;
}

function v2(mode: 'auto' | 'legacy') {
  return async (): Promise<AnyClient> => {
    const client = new Client(info, { capabilities, versionNegotiation: { mode } });
    client.setRequestHandler('sampling/createMessage', () => said);
    client.setRequestHandler('elicitation/create', () => accepted);
    client.setRequestHandler('roots/list', () => ({ roots: [] }));
    await client.connect(new StreamableHTTPClientTransport(url(), options()));
    return client as unknown as AnyClient;
  };
}

const clients: Record<string, () => Promise<AnyClient>> = {
  'SDK v2, 2026-07-28': v2('auto'),
  'SDK v2, earlier': v2('legacy'),
  async 'SDK v1'() {
    const client = new ClientV1(info, { capabilities });
    client.setRequestHandler(CreateMessageRequestSchema, () => said);
    client.setRequestHandler(ElicitRequestSchema, () => accepted);
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [] }));
    await client.connect(new TransportV1(url(), options()));
    return client as unknown as AnyClient;
  },
};

describe.each(Object.keys(clients))('%s', (kind) => {
  test('lists and calls tools of every member that is there, and learns which is not', async () => {
    const client = await clients[kind]!();
    const { tools, _meta } = await client.listTools();
    const prefixes = new Set(tools.map(({ name }) => name.split('__')[0]));
    expect([...prefixes].sort()).toEqual(['currenttime', 'everything', 'legacy', 'oldest', 'target']);
    expect(_meta).toMatchObject({
      'mcp-gateway/unavailable': [{ server: '/down', reason: 'it is not healthy' }],
    });
    const text = async (name: string, args: Record<string, unknown> = {}) =>
      JSON.stringify((await client.callTool({ name, arguments: args })).content);
    expect(await text('currenttime__current_time_by_timezone', { tz_name: 'Europe/Berlin' })).toContain(
      'Berlin',
    );
    expect(await text('everything__echo', { message: 'one' })).toContain('one');
    expect(await text('legacy__echo', { message: 'two' })).toContain('two');
    expect(await text('oldest__echo', { message: 'three' })).toContain('three');
    expect(await text('target__test_simple_text')).toContain('text');
    await expect(client.callTool({ name: 'down__test_simple_text' })).rejects.toThrow();
    await expect(client.callTool({ name: 'legacy__never' })).rejects.toThrow('not found');
    await client.close();
  });

  test('is asked by servers of every age: sampling and elicitation pass', async () => {
    const client = await clients[kind]!();
    const text = async (name: string, args: Record<string, unknown> = {}) =>
      JSON.stringify((await client.callTool({ name, arguments: args })).content);
    expect(await text('legacy__trigger-sampling-request', { prompt: 'hello', maxTokens: 10 })).toContain(
      'sampled',
    );
    expect(await text('oldest__trigger-sampling-request', { prompt: 'hello', maxTokens: 10 })).toContain(
      'sampled',
    );
    expect(await text('legacy__trigger-elicitation-request')).toContain('Ada');
    await client.close();
  });

  test('gets prompts by their prefixed name and resources by their own address', async () => {
    const client = await clients[kind]!();
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toContain('legacy__simple-prompt');
    expect(JSON.stringify(await client.getPrompt({ name: 'legacy__simple-prompt' }))).toContain('messages');
    const { resources } = await client.listResources();
    const own = resources.find(({ uri }) => uri.startsWith('test://'));
    expect(JSON.stringify(await client.readResource({ uri: own!.uri }))).toContain(own!.uri);
    await client.close();
  });
});

test('each call is in the audit trail as that of the real server and tool', async () => {
  await gateway.stop();
  const rows = (await rowsOf(
    gateway,
    "SELECT DISTINCT resource, tool, decision, detail FROM audit_events WHERE tool = 'echo' AND resource = 'legacy'",
  )) as { detail: string }[];
  expect(rows.length).toBeGreaterThan(0);
  expect(JSON.parse(rows[0]!.detail)).toMatchObject({ virtual_server: 'virtual/six', alias: 'legacy__echo' });
});
