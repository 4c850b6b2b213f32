import { afterEach, beforeEach, expect, test } from 'vitest';
import { serverInput } from '../../contract/servers/servers.ts';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import { rpc, send, startGateway, type TestGateway } from '../gateway/gateway.test-support.ts';
import { insert } from '../registry/servers/store.ts';
import { openToAll } from './virtual.test-support.ts';

/* What existing agents call, by the names, arguments and results that upstream's registry server has. */

let database: OpenDatabase;
let house: TestGateway;

beforeEach(async () => {
  database = await openMemory();
  const definition = serverInput.parse({
    ...{ server_name: 'Mail', path: '/mail', description: 'Sends mail.', tags: ['office'] },
    proxy_pass_url: 'https://mcp.example/mcp',
  });
  const at = '2026-01-01T00:00:00Z';
  await insert(database.db, { id: 'mail', definition, isEnabled: true, registeredBy: 'x', registeredAt: at });
  const tools = JSON.stringify({ tools: [{ name: 'send', inputSchema: { type: 'object' } }] });
  await database.db.updateTable('servers').set({ tools }).where('id', '=', 'mail').execute();
  house = await startGateway(
    { ann: ['* * *'] },
    openToAll(new Map(), database.db, () => 1_000),
  );
});
afterEach(async () => {
  await house.close();
  await database.close();
});

const ask = async (method: string, params: object = {}) => {
  const answer = await send(`${house.origin}/airegistry-tools/mcp`, { as: 'ann', body: rpc(method, params) });
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever is there.
  return answer.json() as any;
};
const call = async (name: string, args: object = {}) =>
  (await ask('tools/call', { name, arguments: args })).result;

test('each tool takes the arguments that agents send', async () => {
  const { tools } = (await ask('tools/list')).result;
  const schemas = Object.fromEntries(
    tools.map(({ name, inputSchema }: { name: string; inputSchema: object }) => [name, inputSchema]),
  );
  const query = { type: 'string', minLength: 1, maxLength: 500 };
  const most = (usual: number) => ({ type: 'integer', minimum: 1, maximum: 50, default: usual });
  expect(schemas).toMatchObject({
    search_registry: { properties: { query, max_results: most(10) }, required: ['query'] },
    intelligent_tool_finder: { properties: { query, top_n: most(5) }, required: ['query'] },
    ...{
      list_services: { type: 'object' },
      list_agents: { type: 'object' },
      healthcheck: { type: 'object' },
    },
    search_tools: { properties: { query } },
    call_tool: { required: ['server', 'tool'] },
  });
});

const receipt = {
  ...{ event: 'tool.discovery_receipt', query: 'mail', limits: { max_results: 5 }, exposed_tools: [] },
  withheld: { candidate_tool_count: 0, reason: null },
  ...{ status: 'success', stop_reason: 'no_match' },
};
const service = { server_name: 'Mail', path: '/mail', description: 'Sends mail.', enabled: true };

test.each([
  [
    'list_services',
    {},
    { services: [{ ...service, tags: ['office'], tool_count: 1 }], total_count: 1, enabled_count: 1 },
  ],
  ['list_agents', {}, { agents: [], total_count: 0 }],
  [
    'healthcheck',
    {},
    { total_servers: 1, enabled_servers: 1, total_tools: 1, health_status: { '/mail': expect.any(String) } },
  ],
  [
    'intelligent_tool_finder',
    { query: 'mail' },
    { results: [], query: 'mail', total_results: 0, discovery_receipt: receipt },
  ],
])('%s gives what agents read', async (name, args, expected) => {
  const { structuredContent, content, isError } = await call(name, args);
  expect(structuredContent).toEqual({ ...expected, status: 'success' });
  expect(JSON.parse(content[0].text)).toEqual(structuredContent);
  expect(isError).toBeUndefined();
});

test('what fails is a result that says so, with empty lists', async () => {
  expect(await call('search_registry', { query: 'mail' })).toMatchObject({
    isError: true,
    structuredContent: {
      ...{ status: 'failed', error: expect.any(String) },
      ...{ servers: [], tools: [], agents: [], skills: [], total_results: 0 },
    },
  });
});
