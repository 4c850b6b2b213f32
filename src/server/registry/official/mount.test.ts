import { Hono } from 'hono';
import { beforeEach, expect, test } from 'vitest';
import { serverInput } from '../../../contract/servers/servers.ts';
import { Failure } from '../../failure/errors.ts';
import type { HttpEnv, HttpIdentity } from '../../http/env.ts';
import type { ServerRow } from '../servers/store.ts';
import { mountOfficialRegistry } from './mount.ts';

const row = (path: string, more: object = {}, is: Partial<ServerRow> = {}): ServerRow => ({
  id: path,
  path,
  definition: serverInput.parse({
    server_name: `The ${path}`,
    path,
    proxy_pass_url: 'https://secret.internal/mcp',
    ...more,
  }),
  isEnabled: true,
  health: null,
  tools: null,
  registeredBy: 'ann',
  registeredAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-02-01T00:00:00.000Z',
  revision: 1,
  credential: null,
  egress: null,
  owner: null,
  ...is,
});

let rows: ServerRow[];
beforeEach(() => {
  rows = [
    row('/time', { version: '2.1.0', description: 'x'.repeat(300) }),
    row('/team/docs', { supported_transports: ['sse'] }),
    row('/off', {}, { isEnabled: false }),
    row('/old', { metadata: { status: 'deprecated' } }, { updatedAt: '2025-01-01T00:00:00.000Z' }),
  ];
});

function app(isPublic: boolean): Hono<HttpEnv> {
  const identity = {
    async identify(headers: Record<string, string>) {
      const { authorization } = headers;
      if (authorization === 'Bearer good') return { is: 'identity', identity: {} };
      const code = authorization ? 'credential_invalid' : 'credential_missing';
      return { is: 'nobody', failure: new Failure(code, 'No.') };
    },
    access: () => ({ may: (_: string, name: string) => name === 'time' }),
  } as unknown as HttpIdentity;
  const made = new Hono<HttpEnv>();
  made.onError((error, c) => c.json({ code: (error as Failure).code }, 401));
  mountOfficialRegistry(made, {
    publicUrl: 'https://mcp.example.com/',
    rows: () => rows,
    identity,
    isPublic,
  });
  return made;
}

async function ask(
  path: string,
  { isPublic = true, headers = {} }: { isPublic?: boolean; headers?: Record<string, string> } = {},
) {
  const response = await app(isPublic).request(path, { headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}
const names = (body: object): string[] =>
  (body as { servers: { server: { name: string } }[] }).servers.map(({ server }) => server.name);

test('a list in the form of the official registry: enabled servers, the gateway URL, never the server itself', async () => {
  const { status, body, headers } = await ask('/v0.1/servers');
  expect(status).toBe(200);
  expect(names(body)).toEqual(['com.example.mcp/old', 'com.example.mcp/team.docs', 'com.example.mcp/time']);
  expect(JSON.stringify(body)).not.toContain('secret.internal');
  expect((body as { servers: unknown[] }).servers[2]).toEqual({
    server: {
      $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
      ...{ name: 'com.example.mcp/time', title: 'The /time', description: 'x'.repeat(100), version: '2.1.0' },
      remotes: [{ type: 'streamable-http', url: 'https://mcp.example.com/time/mcp' }],
    },
    _meta: {
      'io.modelcontextprotocol.registry/official': {
        ...{
          status: 'active',
          publishedAt: '2026-01-01T00:00:00.000Z',
          updatedAt: '2026-02-01T00:00:00.000Z',
          isLatest: true,
        },
      },
    },
  });
  expect(headers.get('access-control-allow-origin')).toBe('*');
});

test('no server is found under the name of another', async () => {
  rows.push(row('/team.docs'), row('/team..docs'), row('/team./docs'));
  const all = names((await ask('/v0.1/servers')).body);
  expect(new Set(all).size).toBe(6);
  const { body } = await ask('/v0.1/servers/com.example.mcp%2Fteam.docs/versions/latest');
  expect(JSON.stringify(body)).toContain('https://mcp.example.com/team/docs/sse');
});

test('a server is found by its path below the name that the registry of the setup guide gives it', async () => {
  const found = await ask('/v0.1/servers/io.mcpgateway%2Ftime/versions/latest');
  expect(JSON.stringify(found.body)).toContain('"com.example.mcp/time"');
  expect((await ask('/v0.1/servers/io.mcpgateway%2Fnothing/versions')).status).toBe(404);
});

test('pages follow each other by cursor, without gaps or repeats', async () => {
  const seen: string[] = [];
  let cursor = '';
  for (let page = 0; page < 5; page += 1) {
    const { body } = await ask(`/v0.1/servers?limit=1${cursor && `&cursor=${cursor}`}`);
    seen.push(...names(body));
    cursor = (body as { metadata: { nextCursor?: string } }).metadata.nextCursor ?? '';
    if (!cursor) break;
  }
  expect(seen).toEqual(['com.example.mcp/old', 'com.example.mcp/team.docs', 'com.example.mcp/time']);
});

test.each([
  ['search=DOCS', ['com.example.mcp/team.docs']],
  ['search=nothing', []],
  ['updated_since=2026-01-15T00:00:00Z', ['com.example.mcp/team.docs', 'com.example.mcp/time']],
  ['version=2.1.0', ['com.example.mcp/time']],
  ['version=latest&search=old', ['com.example.mcp/old']],
])('?%s', async (query, expected) => {
  expect(names((await ask(`/v0.1/servers?${query}`)).body)).toEqual(expected);
});

test.each(['limit=0', 'limit=x', 'limit=1000', 'updated_since=yesterday'])(
  '?%s is a 400 in words',
  async (query) => {
    const { status, body } = await ask(`/v0.1/servers?${query}`);
    expect(status).toBe(400);
    expect(String((body as { error: string }).error)).toMatch(/^(limit|updated_since) /);
  },
);

test('versions: latest and the one that is kept, others and hidden ones are not found', async () => {
  const place = `/v0.1/servers/${encodeURIComponent('com.example.mcp/time')}/versions`;
  expect(names((await ask(place)).body)).toEqual(['com.example.mcp/time']);
  for (const version of ['latest', '2.1.0']) expect((await ask(`${place}/${version}`)).status).toBe(200);
  for (const path of [
    `${place}/9.9.9`,
    '/v0.1/servers/com.example.mcp%2Foff/versions',
    '/v0.1/servers/x',
    '/v0.1/nothing',
  ]) {
    const { status, body } = await ask(path);
    expect({ path, status, body }).toEqual({ path, status: 404, body: { error: 'Server not found' } });
  }
  expect((await ask('/v0/servers')).status).toBe(200);
});

test('without the setting it is read with a token, and then only what the caller may list', async () => {
  expect((await ask('/v0.1/servers', { isPublic: false })).body).toEqual({ code: 'credential_missing' });
  const headers = { authorization: 'Bearer good' };
  expect(names((await ask('/v0.1/servers', { isPublic: false, headers })).body)).toEqual([
    'com.example.mcp/time',
  ]);
  expect(names((await ask('/v0.1/servers', { isPublic: true, headers })).body)).toEqual([
    'com.example.mcp/time',
  ]);
  const bad = await ask('/v0.1/servers', { isPublic: true, headers: { authorization: 'Bearer bad' } });
  expect(bad.body).toEqual({ code: 'credential_invalid' });
});

test('preflights of any origin are answered, changes are not offered', async () => {
  const preflight = await app(true).request('/v0.1/servers', {
    method: 'OPTIONS',
    headers: { origin: 'https://a.example' },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization');
  expect((await app(true).request('/v0.1/publish', { method: 'POST' })).status).toBe(501);
});
