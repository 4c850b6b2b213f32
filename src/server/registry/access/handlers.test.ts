import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTrial, type Trial } from '../scopes/scopes.test-support.ts';
import type { Virtual } from '../virtual-servers/table.ts';

let trial: Trial;
beforeEach(async () => {
  trial = await startTrial();
});
afterEach(() => trial.close());

const explain = (body: object) => trial.call('access.explain', { body });

test('an allowed call is explained by scope, rule and group', async () => {
  await trial.call('scopes.import', {
    body: {
      scope_name: 'callers',
      group_mappings: ['g'],
      server_access: [
        { server: 'currenttime', methods: ['tools/list'], tools: ['now'] },
        { server: 'currenttime', methods: ['tools/call'], tools: ['now'] },
      ],
    },
  });
  const asked = { groups: ['readers', 'g', 'x'], server: '/currenttime', method: 'tools/call', tool: 'now' };
  expect(await explain(asked)).toMatchObject({
    allow: true,
    reason: null,
    scope: 'callers',
    source: 'api',
    rule: { server: 'currenttime', methods: ['tools/call'], tools: ['now'] },
    by_groups: ['g'],
    scopes: ['readers', 'callers'],
  });
  expect(await explain({ ...asked, method: 'ping', tool: undefined })).toMatchObject({
    allow: true,
    scope: 'readers',
    source: 'file',
    rule: { methods: ['initialize', 'tools/list'] },
  });
});

test('a call about a prompt is explained by the rule that grants the prompt', async () => {
  const rule = (prompt: string) => ({
    server: 'docs',
    methods: ['prompts/get'],
    tools: [],
    prompts: [prompt],
  });
  await trial.call('scopes.import', {
    body: { scope_name: 'writers', server_access: [rule('a'), rule('b')] },
  });
  const asked = { groups: ['writers'], server: 'docs', method: 'prompts/get' };
  expect(await explain({ ...asked, prompt: 'b' })).toMatchObject({ allow: true, rule: rule('b') });
  expect(await explain({ ...asked, prompt: 'c' })).toMatchObject({ allow: false, reason: 'prompt' });
});

test.each([
  [{ groups: [], server: 'currenttime', method: 'ping' }, 'no-scopes'],
  [{ groups: ['readers'], server: 'other', method: 'ping' }, 'server'],
  [{ groups: ['readers'], server: 'currenttime', method: 'prompts/get' }, 'method'],
  [{ groups: ['readers'], server: 'currenttime', method: 'tools/call', tool: 'x' }, 'method'],
])('a refused call is explained: %j', async (asked, reason) => {
  expect(await explain(asked)).toMatchObject({
    allow: false,
    reason,
    scope: null,
    rule: null,
    by_groups: [],
  });
});

test('somebody known is asked about by name, and neither strangers nor two of a name are guessed', async () => {
  const person = (provider: string) => ({
    ...{ provider, subject: 's', username: 'Alice@example.com', name: null, email: null, tenant: null },
    ...{ groups: '["readers"]', groups_read_at: '2026-01-01T00:00:00.000Z' },
    ...{ refresh_sealed: null, refused_at: null, refused_because: null },
  });
  const { db } = trial.database;
  await db.insertInto('people').values(person('entra')).execute();
  const asked = { username: 'alice@example.com', server: 'currenttime', method: 'tools/list' };
  expect(await explain(asked)).toMatchObject({ allow: true, groups: ['readers'] });
  expect((await trial.refused('access.explain', { body: { ...asked, username: 'bob' } })).code).toBe(
    'not_found',
  );
  await db.insertInto('people').values(person('other')).execute();
  expect((await trial.refused('access.explain', { body: asked })).code).toBe('conflict');
});

test('a server is told with every scope that allows something on it, what that is, and who holds it', async () => {
  const rule = (server: string, tools: string[]) => ({ server, methods: ['tools/call'], tools });
  await trial.call('scopes.import', {
    body: {
      scope_name: 'callers',
      group_mappings: ['g', 'h'],
      server_access: [rule('currenttime', ['now']), rule('other', ['x'])],
      ui_permissions: { list_service: ['currenttime'], toggle_service: ['other'], read_audit: ['all'] },
    },
  });
  await trial.call('scopes.import', {
    body: { scope_name: 'strangers', group_mappings: ['g'], server_access: [rule('other', ['x'])] },
  });
  const { server, scopes } = await trial.call('access.server', { params: { path: '/currenttime/' } });
  expect(server).toBe('currenttime');
  expect(scopes.map(({ scope }) => scope)).toEqual(['registry-admins', 'readers', 'callers']);
  expect(scopes[0]).toMatchObject({
    groups: ['admins'],
    source: 'file',
    rules: [{ server: '*', methods: ['all'] }],
    permissions: expect.arrayContaining(['list_service', 'delete_service']),
  });
  expect(scopes[1]).toMatchObject({ groups: ['readers'], permissions: [] });
  expect(scopes[2]).toEqual({
    ...{ scope: 'callers', source: 'api', groups: ['g', 'h'] },
    ...{ rules: [rule('currenttime', ['now'])], permissions: ['list_service'] },
  });
});

test('everything that somebody may do is told, with the scopes and groups it comes from', async () => {
  await trial.call('scopes.import', {
    body: {
      scope_name: 'callers',
      group_mappings: ['g'],
      server_access: [{ server: 'currenttime', methods: ['tools/call'], tools: ['now'] }],
      ui_permissions: { list_service: ['currenttime'] },
    },
  });
  expect(await trial.call('access.effective', { body: { groups: ['readers', 'g', 'x'] } })).toEqual({
    groups: ['readers', 'g', 'x'],
    scopes: [
      { scope: 'readers', source: 'file', by_groups: ['readers'] },
      { scope: 'callers', source: 'api', by_groups: ['g'] },
    ],
    is_admin: false,
    access: {
      servers: [
        {
          ...{ server: 'currenttime', methods: ['initialize', 'tools/list'], tools: ['now'] },
          ...{ prompts: [], resources: [] },
        },
      ],
      permissions: [{ permission: 'list_service', names: ['currenttime'] }],
    },
  });
  expect(await trial.call('access.effective', { body: { groups: ['admins'] } })).toMatchObject({
    is_admin: true,
    access: { servers: [{ server: '*', methods: ['*'], tools: ['*'] }] },
  });
  expect(await trial.call('access.effective', { body: { groups: [] } })).toMatchObject({
    scopes: [],
    access: { servers: [], permissions: [] },
  });
  expect((await trial.refused('access.effective', { body: { username: 'nobody' } })).code).toBe('not_found');
});

test('a call through a virtual server is explained by both decisions and by the scopes that it asks for', async () => {
  const item = { original: 'now', server: 'time', text: '{}', gone: null, blocked: false };
  const behind = (scopes: string[], isPersonal = false) => {
    const byName = new Map([['clock', { ...item, name: 'clock', scopes }]]);
    const virtual = { row: { definition: { required_scopes: [] } }, isPersonal };
    return { ...virtual, resolved: { items: { tools: { byName } } } } as unknown as Virtual;
  };
  const importing = (scope_name: string, group: string, server: string, tool: string) =>
    trial.call('scopes.import', {
      body: {
        ...{ scope_name, group_mappings: [group] },
        server_access: [{ server, methods: ['tools/call'], tools: [tool] }],
      },
    });
  await importing('outer', 'o', 'virtual/v', 'clock');
  await importing('inner', 'i', 'time', 'now');
  trial.virtuals.set('virtual/v', behind([]));
  const asked = { server: '/virtual/v', method: 'tools/call', tool: 'clock' };
  expect(await explain({ ...asked, groups: ['i'] })).toMatchObject({ allow: false, reason: 'server' });
  expect(await explain({ ...asked, groups: ['o'] })).toMatchObject({
    ...{ allow: false, reason: 'server' },
    explanation: expect.stringContaining("Behind 'clock' is 'now' of 'time'"),
  });
  expect(await explain({ ...asked, groups: ['o', 'i'] })).toMatchObject({ allow: true, scope: 'inner' });
  expect(await explain({ ...asked, groups: ['o', 'i'], tool: 'now' })).toMatchObject({ reason: 'tool' });
  trial.virtuals.set('virtual/v', behind(['readers']));
  expect(await explain({ ...asked, groups: ['o', 'i'] })).toMatchObject({ reason: 'required-scope' });
  expect(await explain({ ...asked, groups: ['o', 'i', 'readers'] })).toMatchObject({ allow: true });
  trial.virtuals.set('virtual/v', behind([], true));
  expect(await explain({ ...asked, groups: ['i'] })).toMatchObject({ allow: true, scope: 'inner' });
});

async function program(client_id: string, alias: string | null, status = 'open'): Promise<void> {
  await trial.database.db
    .insertInto('oauth_clients')
    .values({
      ...{
        client_id,
        kind: 'document',
        alias,
        name: client_id,
        metadata: '{}',
        secret_hash: null,
        groups: '[]',
      },
      ...{ status, registered_from: null, created_by: 'a', created_at: '2026-01-01T00:00:00.000Z' },
      ...{ last_used_at: null, expires_at: null, fetched_at: null },
    })
    .execute();
}

test('what holds through one program only is told as what it is, and through no program that may call nothing', async () => {
  await trial.call('scopes.import', {
    body: {
      scope_name: 'callers',
      group_mappings: ['g'],
      clients: ['editor', 'ghost', 'out'],
      server_access: [{ server: 'currenttime', methods: ['tools/call'], tools: ['now'] }],
      ui_permissions: { list_service: ['currenttime'] },
    },
  });
  await program('https://editor.example/client.json', 'editor');
  await program('out', null, 'blocked');
  const call = { groups: ['g'], server: 'currenttime', method: 'tools/call', tool: 'now' };
  const { scopes } = await trial.call('access.server', { params: { path: '/currenttime' } });
  expect(scopes.at(-1)).toMatchObject({ scope: 'callers', permissions: ['list_service'] });
  for (const client of ['editor', 'https://editor.example/client.json']) {
    expect(await explain({ ...call, client })).toMatchObject({ allow: true, scope: 'callers' });
    expect(await trial.call('access.effective', { body: { groups: ['g'], client } })).toMatchObject({
      scopes: [{ scope: 'callers' }],
      access: { servers: [{ server: 'currenttime', tools: ['now'] }] },
    });
  }
  expect(await explain(call)).toMatchObject({ allow: false });
  for (const client of [
    'ghost',
    'EDITOR',
    'https://editor.example/client.json/',
    'https://EDITOR.example/client.json',
  ])
    expect((await trial.refused('access.explain', { body: { ...call, client } })).code).toBe('not_found');
  expect((await trial.refused('access.explain', { body: { ...call, client: 'out' } })).code).toBe('conflict');
});
