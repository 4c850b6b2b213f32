import { expect, test } from 'vitest';
import { agentCard } from '../../../contract/agents/agent-card.ts';
import type { Reply } from '../../../contract/endpoint.ts';
import type { PublicServers } from '../../config/settings-search.ts';
import type { Item } from '../../search/item.ts';
import { wellKnownHandlers } from './handlers.ts';

const item = (path: string, tags: string[], supported_transports = ['streamable-http']): Item => ({
  ...{ kind: 'server', id: path, path, name: path.slice(1), title: null, description: 'Does it.', tags },
  ...{
    owner: '',
    enabled: true,
    more: '',
    definition: JSON.stringify({ supported_transports, version: null }),
  },
});
const servers = [item('/a', ['public']), item('/team/b', ['Public', 'x'], ['sse']), item('/c', [])];

function handlers(publicServers: PublicServers) {
  let ids = 0;
  return wellKnownHandlers({
    ...{ publicServers, publicUrl: 'https://gw.example', now: () => 0, version: '1.2.3' },
    enabledServers: async () => servers,
    newId: () => `id-${++ids}`,
    finder: {
      search: async (_, text) => ({
        hits: text === 'nothing' ? [] : [{ item: item('/a', []), score: 0.5, similarity: 0.4 }],
        terms: new Set(),
      }),
    },
  });
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever is there.
const bodyOf = async (reply: unknown): Promise<any> => ((await reply) as Reply<unknown>).body;
const nobody = {} as never;
const asked = { params: undefined, query: undefined, body: undefined };

test('nothing is public unless a setting says so', async () => {
  const closed = handlers({ are: 'none' });
  await expect(closed['wellKnown.servers'](asked, nobody)).rejects.toThrow('WELL_KNOWN_SERVERS');
  await expect(closed['wellKnown.catalog'](asked, nobody)).rejects.toThrow('WELL_KNOWN_SERVERS');
  const params = { path: '/a' };
  await expect(closed['wellKnown.card']({ ...asked, params }, nobody)).rejects.toThrow('WELL_KNOWN_SERVERS');
});

test('a tag chooses what is public, in all three documents', async () => {
  const open = handlers({ are: 'tagged', tag: 'public' });
  const { servers: shown } = await bodyOf(open['wellKnown.servers'](asked, nobody));
  expect(shown.map((one: { mcp: object }) => one.mcp)).toEqual([
    { transport: 'streamable-http', url: 'https://gw.example/a/mcp' },
    { transport: 'sse', url: 'https://gw.example/team/b/sse' },
  ]);
  expect(JSON.stringify(shown)).not.toContain('tools');
  const { entries } = await bodyOf(open['wellKnown.catalog'](asked, nobody));
  expect(entries[1]).toEqual({
    identifier: 'urn:air:gw.example:team:b',
    displayName: 'team/b',
    type: 'application/mcp-server-card+json',
    url: 'https://gw.example/.well-known/mcp/server-cards/team/b',
  });
  const card = await bodyOf(open['wellKnown.card']({ ...asked, params: { path: '/team/b' } }, nobody));
  expect(card).toMatchObject({ name: 'example.gw/team.b', remotes: [{ type: 'sse' }] });
  const hidden = open['wellKnown.card']({ ...asked, params: { path: '/c' } }, nobody);
  await expect(hidden).rejects.toThrow("no public server at '/c'");
});

test('the card of the gateway is a valid card of A2A 1.0', async () => {
  const card = await bodyOf(handlers({ are: 'none' })['wellKnown.agentCard'](asked, nobody));
  expect(agentCard.safeParse(card).error).toBeUndefined();
});

test('a message is a query; unknown methods and empty messages are errors of JSON-RPC', async () => {
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever is there.
  const send = async (body: object): Promise<any> => {
    const input = { ...asked, body: { jsonrpc: '2.0', id: 7, ...body } as never };
    return handlers({ are: 'none' })['wellKnown.a2a'](input, { identity: {}, note() {} } as never);
  };
  const message = { parts: [{ text: 'do it' }] };
  const reply = await send({ method: 'SendMessage', params: { message } });
  expect(reply).toMatchObject({
    jsonrpc: '2.0',
    id: 7,
    result: { message: { role: 'ROLE_AGENT', messageId: 'id-1' } },
  });
  expect(reply.result.message.parts[1].data.results[0]).toMatchObject({ kind: 'server', path: '/a' });
  const old = await send({ method: 'message/send', params: { message } });
  expect(old.result).toMatchObject({
    kind: 'message',
    role: 'agent',
    parts: [{ kind: 'text' }, { kind: 'data' }],
  });
  const nothing = await send({
    method: 'SendMessage',
    params: { message: { parts: [{ text: 'nothing' }] } },
  });
  expect(nothing.result.message.parts[0].text).toBe('Nothing here fits.');
  for (const [method, params, code] of [
    ['Other', {}, -32601],
    ['GetTask', {}, -32001],
    ['SendMessage', null, -32602],
    ['SendMessage', { message: { parts: [null, { data: {} }] } }, -32602],
    ['SendMessage', { message: { parts: [{ text: 'x'.repeat(501) }] } }, -32602],
  ] as const)
    expect((await send({ method, params })).error.code).toBe(code);
});
