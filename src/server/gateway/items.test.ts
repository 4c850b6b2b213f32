import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decide } from '../access/decide.ts';
import { compile } from '../access/grants.ts';
import { parseScopes } from '../access/scope-set.ts';
import type { Identity } from '../identity/identity.ts';
import {
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  startGateway,
  startUpstream,
  type TestGateway,
} from './gateway.test-support.ts';
import { createListMemory } from './lists/list-memory.ts';
import { filterFor } from './may.ts';
import { readCall } from './read/read-call.ts';

const grants = compile(
  parseScopes(
    `s:
  - server: docs
    methods: [all]
    tools: [now]
    prompts: [review]
    resources: ["file:///docs/*", "config://one"]
group_mappings: { g: [s] }`,
    'scopes.yml',
  ),
);
const alice = { groups: ['g'] } as unknown as Identity;
const may = (_: Identity, call: Parameters<typeof decide>[1]) => decide(alice, call, grants);

let upstream: ScriptedUpstream;
let house: TestGateway;

beforeAll(async () => {
  upstream = await startUpstream();
  house = await startGateway({ alice: [] }, { decide: may });
  house.routes.set('docs', routeOf('docs', upstream.url));
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});

const listen = (...uris: unknown[]) => ({ notifications: { resourceSubscriptions: uris } });
const ref = (of: object) => ({ ref: of, argument: { name: 'a', value: 'b' } });

test.each<[number, string, object]>([
  [200, 'prompts/get', { name: 'review' }],
  [403, 'prompts/get', { name: 'deploy' }],
  [403, 'prompts/get', {}],
  [200, 'resources/read', { uri: 'file:///docs/a' }],
  [200, 'resources/read', { uri: 'config://one' }],
  [403, 'resources/read', { uri: 'file:///docs/../etc/passwd' }],
  [403, 'resources/read', { uri: ['file:///docs/a'] }],
  [403, 'resources/subscribe', { uri: 'config://two' }],
  [403, 'resources/unsubscribe', { uri: 'config://two' }],
  [403, 'resources/directory/read', { uri: 'skill://x' }],
  [200, 'completion/complete', ref({ type: 'ref/prompt', name: 'review' })],
  [403, 'completion/complete', ref({ type: 'ref/prompt', name: 'deploy' })],
  [200, 'completion/complete', ref({ type: 'ref/resource', uri: 'file:///docs/{path}' })],
  [403, 'completion/complete', ref({ type: 'ref/resource', uri: 'config://{id}' })],
  [403, 'completion/complete', ref({ type: 'ref/prompt', name: 'review', uri: 'config://two' })],
  [403, 'completion/complete', {}],
  [200, 'subscriptions/listen', listen('config://one', 'file:///docs/a')],
  [403, 'subscriptions/listen', listen('config://one', 'config://two')],
  [200, 'subscriptions/listen', { notifications: { toolsListChanged: true } }],
  [400, 'subscriptions/listen', listen('config://one', 5)],
  [400, 'subscriptions/listen', { notifications: { resourceSubscriptions: 'config://two' } }],
  [400, 'subscriptions/listen', { notifications: { ResourceSubscriptions: ['config://two'] } }],
  [400, 'completion/complete', ref({ type: 'ref/prompt', name: 'review', Name: 'deploy' })],
  [400, 'completion/complete', { Ref: { type: 'ref/prompt', name: 'deploy' } }],
])('%i for %s of %j', async (status, method, params) => {
  const before = upstream.received.length;
  const answer = await send(`${house.origin}/docs/mcp`, { as: 'alice', body: rpc(method, params) });
  // What is refused is an error of the call, not of the way: 200, as every SDK has it.
  const denied = (answer.json() as { error?: { code: number } }).error?.code === 403;
  expect([answer.status, denied]).toEqual(status === 403 ? [200, true] : [status, false]);
  expect(upstream.received).toHaveLength(before + Number(status === 200));
});

test('a name given twice is not passed on', async () => {
  const body = `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"name":"deploy","name":"review"}}}`;
  expect(await send(`${house.origin}/docs/mcp`, { as: 'alice', body })).toMatchObject({ status: 400 });
});

test('the audit record names the prompt or resource, and why it was refused', async () => {
  const before = house.events.length;
  await send(`${house.origin}/docs/mcp`, { as: 'alice', body: rpc('prompts/get', { name: 'deploy' }) });
  await send(`${house.origin}/docs/mcp`, {
    as: 'alice',
    body: rpc('resources/read', { uri: 'config://two' }),
  });
  expect((await house.audited(before + 2)).slice(before)).toMatchObject([
    { action: 'prompts/get', decision: 'deny', reason: 'prompt', detail: { prompt: 'deploy' } },
    { action: 'resources/read', decision: 'deny', reason: 'resource', detail: { uri: 'config://two' } },
  ]);
});

const lists = {
  'tools/list': ['tools', 'name', 'tools/call', 'name'],
  'prompts/list': ['prompts', 'name', 'prompts/get', 'name'],
  'resources/list': ['resources', 'uri', 'resources/read', 'uri'],
  'resources/templates/list': ['resourceTemplates', 'uriTemplate', 'resources/read', 'uri'],
} as const;

/** Whether a call read from bytes, as a client would send it, is allowed. */
function isAllowed(method: string, params: object): boolean {
  const asked = readCall(Buffer.from(JSON.stringify(rpc(method, params))), 1);
  if (asked.is === 'fault') return false;
  return asked.messages.every(
    ({ tool, prompt, resource }) =>
      decide(alice, { server: 'docs', method, tool, prompt, resource }, grants).allow,
  );
}

const rights = { decide: may, rightsOf: () => alice, lists: createListMemory() };

test('whatever a server lists, what is shown may be called and what is not may not', () => {
  const segment = fc.constantFrom('docs', 'a', '..', '.', '%2e%2e', '{x}', 'b\\c', '');
  const uri = fc
    .tuple(
      fc.constantFrom('file:///', 'file:///docs/', 'config://', 'FILE:///docs/'),
      fc.array(segment, { maxLength: 4 }),
    )
    .map(([start, rest]) => start + rest.join('/'));
  const name = fc.oneof(
    fc.constantFrom('now', 'review', 'deploy', '*', 'all', 'config://one'),
    uri,
    fc.string(),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...(Object.keys(lists) as (keyof typeof lists)[])),
      fc.array(name),
      fc.boolean(),
      (method, names, asEvent) => {
        const [member, named, call, param] = lists[method];
        const asked = readCall(Buffer.from(JSON.stringify(rpc(method))), 1);
        if (asked.is === 'fault') throw new Error(asked.message);
        const filter = filterFor(rights, alice, { name: 'docs' }, asked, undefined, 1 << 20);
        const text = JSON.stringify({ id: 1, result: { [member]: names.map((one) => ({ [named]: one })) } });
        const body = filter?.({
          ...{ status: 200, isUtf8: true },
          type: asEvent ? 'text/event-stream' : 'application/json',
        });
        if (!body) throw new Error('it is not filtered');
        const passed = Buffer.concat([
          body.write(Buffer.from(asEvent ? `data: ${text}\n\n` : text)),
          ...body.end(),
        ]).toString();
        const shown: string[] = JSON.parse(passed.replace(/^data: /, '')).result[member].map(
          (item: Record<string, string>) => item[named],
        );
        expect(shown).toEqual(names.filter((one) => isAllowed(call, { [param]: one })));
      },
    ),
    { numRuns: 1000 },
  );
});
