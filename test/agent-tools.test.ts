import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { rowsOf, seenEverywhere, startGateway, type TestGateway } from './harness.ts';
import { agentToken, mintToken, signIn } from './sign-in.ts';

/*
 * An agent that knows one endpoint and two tools, search_tools and call_tool, at a gateway with twenty servers of twenty tools. Bob
 * may call the tools of the first five servers, Dora those of the next five that only read; nobody but administrators the rest.
 */
const subjects = [
  ...['invoices', 'payroll', 'calendar', 'tickets', 'inventory', 'weather', 'flights', 'hotels', 'contracts'],
  ...[
    'customers',
    'suppliers',
    'shipments',
    'photos',
    'songs',
    'recipes',
    'machines',
    'certificates',
    'backups',
  ],
  ...['incidents', 'surveys'],
];
const verbs = {
  ...{
    list: 'Lists all',
    get: 'Gets one of the',
    create: 'Creates new',
    delete: 'Deletes one of the',
    update: 'Updates',
  },
  ...{
    count: 'Counts the',
    archive: 'Archives old',
    restore: 'Restores deleted',
    export: 'Exports to a file the',
  },
  ...{
    import: 'Imports from a file',
    approve: 'Approves pending',
    reject: 'Rejects pending',
    assign: 'Assigns to somebody',
  },
  ...{
    tag: 'Puts tags on',
    merge: 'Merges duplicate',
    split: 'Splits combined',
    share: 'Shares with others the',
  },
  ...{ lock: 'Locks against changes the', audit: 'Shows who changed the', remind: 'Sends reminders about' },
};
const reading = ['list', 'get', 'count', 'export', 'audit'];
const owned = { bob: subjects.slice(0, 5), dora: subjects.slice(5, 10) };

let gateway: TestGateway;
let upstream: Server;
const tokens: Record<string, string> = {};
const ids: Record<string, string> = {};
const scopes = join(tmpdir(), `agent-scopes-${process.pid}.yml`);
let admin: string;
const reached: string[] = [];

function serverOf(subject: string): McpServer {
  const server = new McpServer({ name: subject, version: '1.0.0' });
  for (const [verb, says] of Object.entries(verbs))
    server.registerTool(
      `${verb}_${subject}`,
      { description: `${says} ${subject}.`, inputSchema: z.object({ which: z.string().optional() }) },
      ({ which }) => {
        reached.push(`${verb}_${subject}`);
        return { content: [{ type: 'text', text: `${verb} ${subject} ${which ?? ''}`.trim() }] };
      },
    );
  return server;
}

beforeAll(async () => {
  const handlers = new Map(
    subjects.map((subject) => [`/${subject}/mcp`, toNodeHandler(createMcpHandler(() => serverOf(subject)))]),
  );
  upstream = createServer((req, res) => {
    const handler = handlers.get(req.url ?? '');
    if (!handler) return void res.writeHead(404).end();
    void text(req).then((body) => handler(req, res, body === '' ? undefined : JSON.parse(body)));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  writeFileSync(scopes, scopesText());
  gateway = await startGateway({ environment: { SCOPES_CONFIG_PATH: scopes } });
  admin = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
  const { port } = upstream.address() as AddressInfo;
  for (const subject of subjects) {
    await post('/api/servers', {
      ...{ server_name: subject, path: subject, is_enabled: true },
      proxy_pass_url: `http://127.0.0.1:${port}/${subject}`,
    });
  }
  const members = subjects.map((subject) => ({ backend_server_path: `/${subject}`, prefix: '' }));
  await post('/api/virtual-servers', { server_name: 'everything', members });
  const { user, developer } = shippedTenant.accounts;
  for (const [name, { userPrincipalName }] of Object.entries({ bob: user, dora: developer }))
    ({ token: tokens[name], id: ids[name] } = await mintToken(
      gateway.url,
      await signIn(gateway.url, userPrincipalName),
    ));
});
afterAll(async () => {
  rmSync(scopes, { force: true });
  await gateway?.close();
  upstream?.closeAllConnections();
  await new Promise((resolve) => upstream?.close(resolve));
});

async function post(path: string, body: object): Promise<void> {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect([path, answer.status, answer.ok || (await answer.text())]).toEqual([path, 201, true]);
}

function scopesText(ofDora: readonly string[] = owned.dora): string {
  const { users, developers } = shippedTenant.groups;
  const rule = (server: string, tools: string[]) =>
    `  - { server: ${server}, methods: [initialize, tools/list, tools/call], tools: [${tools.join(', ')}] }`;
  const all = (subject: string) => Object.keys(verbs).map((verb) => `${verb}_${subject}`);
  return [
    readFileSync('examples/scopes.yml', 'utf8'),
    'of-bob:',
    rule('airegistry-tools', ['"*"']),
    rule('virtual/everything', ['"*"']),
    ...owned.bob.map((subject) => rule(subject, all(subject))),
    'of-dora:',
    rule('airegistry-tools', ['"*"']),
    rule('virtual/everything', ['"*"']),
    ...ofDora.map((subject) =>
      rule(
        subject,
        reading.map((verb) => `${verb}_${subject}`),
      ),
    ),
    '',
  ]
    .join('\n')
    .replace(`  "${users}":\n`, `  "${users}":\n    - of-bob\n`)
    .replace(`  "${developers}":\n`, `  "${developers}":\n    - of-dora\n`);
}

/** The scripted agent: finds the best tool for a task and calls it; nothing else is known to it. */
async function agent(name: string, mode: 'auto' | 'legacy', at = 'airegistry-tools') {
  const client = new Client({ name: 'agent', version: '1.0.0' }, { versionNegotiation: { mode } });
  const options = { requestInit: { headers: { Authorization: `Bearer ${tokens[name]}` } } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/${at}/mcp`), options));
  const search = async (query: string, max_results = 10): Promise<{ server: string; tool: string }[]> => {
    const found = await client.callTool({ name: 'search_tools', arguments: { query, max_results } });
    return (found.structuredContent as { tools: { server: string; tool: string }[] }).tools;
  };
  const call = async (server: string, tool: string): Promise<string> => {
    const done = await client.callTool({
      name: 'call_tool',
      arguments: { server, tool, arguments: { which: 'x' } },
    });
    return JSON.stringify(done.content);
  };
  return { client, search, call };
}

const tasks = {
  bob: [
    ['list all invoices', 'list_invoices'],
    ['how many invoices are there', 'count_invoices'],
    ['approve pending payroll', 'approve_payroll'],
    ['create a calendar entry', 'create_calendar'],
    ['export the calendar to a file', 'export_calendar'],
    ['delete a ticket', 'delete_tickets'],
    ['merge duplicate tickets', 'merge_tickets'],
    ['count the inventory', 'count_inventory'],
    ['lock the inventory against changes', 'lock_inventory'],
    ['reject pending payroll', 'reject_payroll'],
  ],
  dora: [
    ['list the weather', 'list_weather'],
    ['count flights', 'count_flights'],
    ['get one of the flights', 'get_flights'],
    ['export hotels to a file', 'export_hotels'],
    ['who changed the hotels', 'audit_hotels'],
    ['list all contracts', 'list_contracts'],
    ['count the contracts', 'count_contracts'],
    ['export customers', 'export_customers'],
    ['get a customer', 'get_customers'],
    ['who changed the customers', 'audit_customers'],
  ],
} as const;

const isOwn = (name: 'bob' | 'dora', tool: string): boolean => {
  // The scopes that both have anyway allow the sample server.
  if (['current_time_by_timezone', 'countdown'].includes(tool)) return true;
  const [verb = '', subject = ''] = tool.split('_');
  return owned[name].includes(subject) && (name === 'bob' || reading.includes(verb));
};

describe.each(['auto', 'legacy'] as const)('protocol: %s', (mode) => {
  test.each(['bob', 'dora'] as const)(
    '%s gets ten tasks done, and finds nothing that is not theirs',
    async (name) => {
      const { client, search, call } = await agent(name, mode);
      const before = reached.length;
      const done: string[] = [];
      for (const [task] of tasks[name]) {
        const found = await search(task, 50);
        expect(found.filter(({ tool }) => !isOwn(name, tool))).toEqual([]);
        const [best] = found;
        done.push(`${best?.tool}: ${await call(best?.server ?? '', best?.tool ?? '')}`);
      }
      const expected = tasks[name].map(([, tool]) => tool);
      expect(done).toEqual(
        expected.map((tool) => expect.stringMatching(`^${tool}: .*"${tool.replace('_', ' ')} x"`)),
      );
      expect(reached.slice(before)).toEqual(expected);
      await client.close();
    },
  );
});

test('what is not theirs is found by no words and called by no name', async () => {
  const before = reached.length;
  const { search, call, client } = await agent('dora', 'auto');
  const everything = await search('list get create delete update count photos invoices payroll', 50);
  expect(everything.filter(({ tool }) => !isOwn('dora', tool))).toEqual([]);
  for (const [server, tool] of [
    ['/invoices', 'list_invoices'],
    ['/weather', 'delete_weather'],
    ['weather', 'delete_weather'],
    ['/photos', 'list_photos'],
    ['/missing', 'list_missing'],
    ['/weather', '*'],
    ['/weather', 'all'],
    ['/airegistry-tools', 'call_tool'],
    ['/weather/', 'delete_weather'],
  ] as const)
    await expect(call(server, tool)).rejects.toThrow();
  expect(reached.length).toBe(before);
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toContain('search_tools');
  const services = await client.callTool({ name: 'list_services', arguments: {} });
  expect(services.structuredContent).toMatchObject({ status: 'success' });
  await client.close();
});

test.each(['auto', 'legacy'] as const)(
  'over one virtual server of all twenty, in %s, each has their own tools and no others',
  async (mode) => {
    for (const name of ['bob', 'dora'] as const) {
      const { client } = await agent(name, mode, 'virtual/everything');
      const { tools } = await client.listTools();
      expect(tools.filter((tool) => !isOwn(name, tool.name))).toEqual([]);
      expect(tools.length).toBe(name === 'bob' ? 100 : 25);
      for (const [, tool] of tasks[name]) {
        const done = await client.callTool({ name: tool, arguments: { which: 'x' } });
        expect(JSON.stringify(done.content)).toContain(tool.replace('_', ' '));
      }
      const before = reached.length;
      for (const tool of ['list_photos', name === 'bob' ? 'list_weather' : 'list_invoices', 'delete_weather'])
        if (!isOwn(name, tool)) await expect(client.callTool({ name: tool })).rejects.toThrow();
      expect(reached.length).toBe(before);
      await client.close();
    }
  },
);

test('what is taken from somebody is gone for the agent that is connected, and all of it with the token', async () => {
  const { client, search, call } = await agent('dora', 'auto');
  const virtual = (await agent('dora', 'legacy', 'virtual/everything')).client;
  expect(await call('/hotels', 'list_hotels')).toContain('list hotels');
  writeFileSync(scopes, scopesText(owned.dora.filter((subject) => subject !== 'hotels')));
  await expect
    .poll(() => search('list all hotels'), { timeout: 60_000 })
    .not.toContainEqual(expect.objectContaining({ tool: 'list_hotels' }));
  await seenEverywhere();
  const before = reached.length;
  await expect(call('/hotels', 'list_hotels')).rejects.toThrow();
  await expect(virtual.callTool({ name: 'list_hotels' })).rejects.toThrow();
  expect((await virtual.listTools()).tools.filter(({ name }) => name.endsWith('_hotels'))).toEqual([]);
  expect(await call('/weather', 'list_weather')).toContain('list weather');
  expect(reached.slice(before)).toEqual(['list_weather']);

  writeFileSync(scopes, scopesText());
  await expect
    .poll(() => search('list all hotels'), { timeout: 60_000 })
    .toContainEqual(expect.objectContaining({ tool: 'list_hotels' }));
  const gone = await fetch(`${gateway.url}/api/tokens/${ids.dora}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${admin}` },
  });
  expect(gone.ok).toBe(true);
  await seenEverywhere();
  await expect(search('list all hotels')).rejects.toThrow();
  await expect(call('/weather', 'list_weather')).rejects.toThrow();
  await expect(virtual.callTool({ name: 'list_weather' })).rejects.toThrow();
  expect(reached.slice(before)).toEqual(['list_weather']);
  await Promise.allSettled([client.close(), virtual.close()]);
});

test('each call is recorded as that of the tool that it found', async () => {
  await gateway.stop();
  const rows = (await rowsOf(
    gateway,
    "SELECT resource, tool, decision, detail FROM audit_events WHERE kind = 'mcp' AND tool LIKE '%\\_%' ESCAPE '\\'",
  )) as { resource: string; tool: string; decision: string; detail: string }[];
  const inner = rows.filter(({ detail }) => detail?.includes('"virtual_server":"airegistry-tools"'));
  expect(inner.filter(({ decision }) => decision === 'allow').length).toBe(42);
  expect(inner.filter(({ decision }) => decision === 'deny').map(({ tool }) => tool)).toHaveLength(7);
});
