import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AgentsTrial, card, card03, cardText, openAgents } from './agents.test-support.ts';

const scopes = `
UI-Scopes:
  mcp-registry-admin: {}
  changer: { list_agents: [all], modify_agent: [all] }
group_mappings: { admins: [mcp-registry-admin], changers: [changer] }
`;
let trial: AgentsTrial;
let ask: (method: string, path: string, body?: unknown, headers?: object) => ReturnType<AgentsTrial['ask']>;

beforeEach(async () => {
  trial = await openAgents(scopes, { allowPrivate: false });
  ask = (...of) => trial.ask('admins', ...of);
});
afterEach(() => trial.database.close());

const flights = '/api/agents/flight-booking';
const register = (more: object = {}) =>
  ask('POST', '/api/agents', { path: '/flight-booking', card, ...more });
const wrapped = `{"path": "/flight-booking", "tags": ["travel"], "card": ${cardText}}`;

test('an agent starts disabled, and is shown with what its card says', async () => {
  const made = await ask('POST', '/api/agents', wrapped);
  expect([made.status, made.etag]).toEqual([201, '"1"']);
  expect(made.body).toEqual({
    id: 'id-1',
    path: '/flight-booking',
    name: 'Flight booking',
    description: 'Books flights.',
    version: '1.20',
    protocol_version: '1.0',
    url: 'https://agents.example/flights',
    provider: null,
    streaming: true,
    skills: ['Book a flight'],
    num_skills: 1,
    tags: ['travel'],
    license: 'N/A',
    signed: false,
    is_enabled: false,
    registered_by: 'admins',
    registered_at: '2026-01-01T00:00:01.000Z',
    updated_at: '2026-01-01T00:00:01.000Z',
    revision: 1,
    can: { get: true, modify: true, delete: true },
    metadata: {},
    card: expect.objectContaining({ name: 'Flight booking' }),
  });
  expect((await ask('GET', `${flights}/`)).body).toEqual(made.body);
});

test.each([
  ['as an object in the body', 'POST', '/api/agents', wrapped],
  [
    'as a text in the body',
    'POST',
    '/api/agents',
    JSON.stringify({ path: 'flight-booking', card: cardText }),
  ],
  ['as the body itself', 'POST', '/api/agents/register', cardText],
])('a card that comes %s is served to the byte', async (_, method, path, body) => {
  expect((await ask(method, path, body)).status).toBe(201);
  const served = await ask('GET', `${flights}/card`);
  expect(served.text).toBe(cardText);
  expect([served.status, served.type, served.etag]).toEqual([200, 'application/json', '"1"']);
});

test('a replacement and a patch beside the card keep the bytes; a patch of the card writes it anew', async () => {
  await register();
  await ask('PUT', flights, wrapped);
  await ask('PATCH', flights, { tags: ['new'], license: 'MIT' });
  expect((await ask('GET', `${flights}/card`)).text).toBe(cardText);
  const patched = await ask('PATCH', flights, { description: 'Books.', 'x-team': null });
  expect(patched.body).toMatchObject({ description: 'Books.', tags: ['new'], license: 'MIT', revision: 4 });
  const { 'x-team': _, ...rest } = card;
  expect(JSON.parse((await ask('GET', `${flights}/card`)).text)).toEqual({ ...rest, description: 'Books.' });
  await ask('PATCH', flights, { card: { name: 'Flights' } });
  expect((await ask('GET', flights)).body).toMatchObject({ name: 'Flights', description: 'Books.' });
});

test('a signed card does not change under its signatures', async () => {
  const signatures = [{ protected: 'e30', signature: 'AA' }];
  expect((await register({ card: { ...card, signatures } })).body.signed).toBe(true);
  const refused = await ask('PATCH', flights, { description: 'Other.' });
  expect([refused.status, refused.body.errors[0].at]).toEqual([422, 'body.card.signatures']);
  expect((await ask('PATCH', flights, { tags: ['a'] })).status).toBe(200);
  const dropped = await ask('PATCH', flights, { description: 'Other.', signatures: null });
  expect([dropped.status, dropped.body.signed]).toEqual([200, false]);
});

test('members of the registry beside those of a flat card are taken out of it', async () => {
  const flat = { ...card03, path: '/hotels', tags: ['a'], license: 'MIT', is_enabled: true, 'x-own': 1 };
  const made = await ask('POST', '/api/agents', flat);
  expect(made.body).toMatchObject({ path: '/hotels', tags: ['a'], license: 'MIT', is_enabled: true });
  expect(made.body.card).toEqual({ ...card03, 'x-own': 1 });
});

test('a registration for the registry of the setup guide is taken, its names and defaults with it', async () => {
  const foreign = {
    name: 'Travel Assistant',
    url: 'https://agents.example/travel',
    supported_protocol: 'a2a',
    tags: 'travel, hotels',
    streaming: true,
    default_output_modes: ['application/json'],
    visibility: 'public',
  };
  const made = await ask('POST', '/api/agents/register', foreign);
  expect(made.body).toMatchObject({
    path: '/travel-assistant',
    tags: ['travel', 'hotels'],
    streaming: true,
    protocol_version: '0.3.0',
  });
  expect(made.body.card).toMatchObject({ version: '1.0.0', defaultOutputModes: ['application/json'] });
  const newer = { ...foreign, path: '/newer', protocol_version: '1.0' };
  const made10 = await ask('POST', '/api/agents/register', newer);
  expect(made10.body).toMatchObject({ protocol_version: '1.0', url: foreign.url });
});

test.each([
  [{ visibility: 'private' }, 'body.visibility'],
  [{ allowed_groups: ['a'] }, 'body.allowed_groups'],
  [{ supportedProtocol: 'other' }, 'body.supportedProtocol'],
])('what would be dropped in silence is refused: %j', async (more, place) => {
  const body = { ...card03, supportedProtocol: 'a2a', ...more };
  const refused = await ask('POST', '/api/agents', body);
  expect([refused.status, refused.body.errors.map(({ at }: { at: string }) => at)]).toEqual([422, [place]]);
});

test.each<[string, unknown, string]>([
  ['a card that lacks a member', { path: '/a', card: { ...card, skills: undefined } }, 'body.card.skills'],
  ['the same, flat', { ...card, skills: undefined }, 'body.skills'],
  ['a text that is no JSON', { path: '/a', card: '{"name": ' }, 'body.card'],
  ['a text that is no object', { path: '/a', card: '[]' }, 'body.card'],
  ['a member that nobody knows beside the card', { path: '/a', card, owner: 'me' }, 'body'],
  ['a reserved path', { path: '/a/card', card }, 'body.path'],
  ['a path of markup', { path: '<script>', card }, 'body.path'],
  ['a name that makes no path', { card: { ...card, name: '航班' } }, 'body.path'],
  ['a name of 10 kB', { path: '/a', card: { ...card, name: 'x'.repeat(10_240) } }, 'body.card.name'],
  [
    'a credential in a URL',
    { path: '/a', card: { ...card03, url: 'https://u:p@a.example' } },
    'body.card.url',
  ],
  [
    'a URL at a metadata address',
    { path: '/a', card: { ...card03, url: 'http://169.254.169.254/' } },
    'body.card.url',
  ],
  ['a private address', { path: '/a', card: { ...card03, url: 'http://10.0.0.1/' } }, 'body.card.url'],
  ['a card beyond the bound', { path: '/a', card: { ...card, x: 'x'.repeat(262_144) } }, 'body.card'],
  ['a card without end', `{"path": "/a", "card": {"x": ${'['.repeat(50_000)}${']'.repeat(50_000)}}}`, 'body'],
])('%s is refused and named', async (_, body, place) => {
  const refused = await ask('POST', '/api/agents', body);
  expect([refused.status, refused.body.errors[0].at]).toEqual([422, place]);
  expect((await ask('GET', '/api/agents')).body.total_count).toBe(0);
});

test.each(['<img src=x onerror=alert(1)>', '\u202eevil', "'; DROP TABLE agents; --", '航班 ✈️', '%_'])(
  'the name %j is only a text',
  async (name) => {
    const made = await register({ card: { ...card, name } });
    expect([made.status, made.body.name]).toEqual([201, name]);
    const found = await ask('GET', `/api/agents?query=${encodeURIComponent(name)}`);
    expect(found.body.agents.map((one: { name: string }) => one.name)).toEqual([name]);
    expect((await ask('GET', '/api/agents?query=nothing%25')).body.agents).toEqual([]);
  },
);

test('a card that writes NUL as an escape is kept as it is; nothing can be searched for with it', async () => {
  const name = 'evil\u0000';
  const made = await register({ card: { ...card, name } });
  expect([made.status, made.body.name]).toEqual([201, name]);
  expect((await ask('GET', `/api/agents?query=${encodeURIComponent(name)}`)).status).toBe(400);
  expect((await ask('GET', '/api/agents?query=evil')).body.total_count).toBe(1);
});

test('a list is searched, narrowed and paged', async () => {
  for (const name of ['b', 'a', 'c', 'd'])
    await register({
      path: `/${name}`,
      card: { ...card, name },
      is_enabled: name !== 'd',
      tags: [`tag-${name}`],
    });
  const paths = async (query: string) => {
    const { body } = await ask('GET', `/api/agents${query}`);
    const found = body.agents.map(({ path }: { path: string }) => path).join();
    return [found, body.total_count, body.has_next];
  };
  expect(await paths('')).toEqual(['/a,/b,/c,/d', 4, false]);
  expect(await paths('?limit=2&offset=1')).toEqual(['/b,/c', 4, true]);
  expect(await paths('?enabled_only=true')).toEqual(['/a,/b,/c', 3, false]);
  expect(await paths('?query=TAG-C')).toEqual(['/c', 1, false]);
  expect(await paths('?query=book%20a&limit=1')).toEqual(['/a', 4, true]);
  expect((await ask('GET', '/api/agents?limit=0')).status).toBe(422);
});

test('a path in use is a conflict, and a path does not change', async () => {
  await register();
  const again = await register();
  expect([again.status, again.body.detail]).toEqual([
    409,
    expect.stringContaining('PUT or PATCH /api/agents/flight-booking'),
  ]);
  for (const [method, body] of [
    ['PUT', { path: '/other', card }],
    ['PATCH', { path: '/other' }],
  ] as const)
    expect((await ask(method, flights, body)).body.errors[0].at).toBe('body.path');
  expect((await ask('PUT', flights, { card })).status).toBe(200);
});

test.each([
  ['PUT', flights, { card }],
  ['PATCH', flights, { tags: [] }],
  ['DELETE', flights, undefined],
])('%s honours If-Match', async (method, path, body) => {
  await register();
  await ask('PATCH', flights, { tags: ['x'] }, { 'if-match': '"1"' });
  expect((await ask(method, path, body, { 'if-match': '"1"' })).status).toBe(412);
  expect((await ask(method, path, body, { 'if-match': 'W/"2"' })).status).toBeLessThan(300);
});

test('of two changes at once one is told that the other came first', async () => {
  await register();
  const both = await Promise.all(
    [1, 2].map((n) => ask('PATCH', flights, { tags: [`${n}`] }, { 'if-match': '"1"' })),
  );
  expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
});

test('switching on and off is one change each, and none when nothing changes', async () => {
  await register();
  const states = [];
  for (const enabled of [true, true, false]) {
    const { body } = await ask('POST', `${flights}/toggle`, { enabled });
    states.push([body.is_enabled, body.revision]);
  }
  expect(states).toEqual([
    [true, 2],
    [true, 2],
    [false, 3],
  ]);
  expect((await ask('PUT', flights, { card, is_enabled: true })).body.is_enabled).toBe(true);
  expect((await ask('PUT', flights, { card })).body.is_enabled).toBe(true);
});

test('it can be said in the query too, as programs for other registries do, and has to be said', async () => {
  await register();
  const states = [];
  for (const [query, body] of [
    ['?enabled=true'],
    ['?enabled=False'],
    ['?enabled=false', { enabled: true }],
  ] as const)
    states.push((await ask('POST', `${flights}/toggle${query}`, body)).body.is_enabled);
  expect(states).toEqual([true, false, true]);
  const unsaid = await ask('POST', `${flights}/toggle`);
  expect([unsaid.status, unsaid.body.errors]).toEqual([
    422,
    [{ at: 'body.enabled', message: 'is required' }],
  ]);
});

test('changes are in the audit trail with before and after, without what a URL may hide', async () => {
  const url = 'https://agents.example/hotels?key=s3cret';
  await ask('POST', '/api/agents', { path: '/hotels', card: { ...card03, url } });
  await ask('PATCH', '/api/agents/hotels', { name: 'Inns' });
  await ask('POST', '/api/agents/hotels/toggle', { enabled: true });
  await ask('DELETE', '/api/agents/hotels');
  const changes = trial.events.map(({ action, kind, detail }) => [action, kind, detail]);
  expect(changes).toMatchObject([
    [
      'agents.register',
      'change',
      { before: null, after: { path: '/hotels', name: 'Hotels', is_enabled: false } },
    ],
    [
      'agents.patch',
      'change',
      { before: { name: 'Hotels', revision: 1 }, after: { name: 'Inns', revision: 2 } },
    ],
    ['agents.toggle', 'change', { before: { is_enabled: false }, after: { is_enabled: true } }],
    ['agents.remove', 'change', { before: { name: 'Inns' }, after: null }],
  ]);
  expect(JSON.stringify(changes)).not.toContain('s3cret');
});

test('whoever changes an agent without the right to its card does not get it with the answer', async () => {
  await register();
  const answer = await trial.ask('changers', 'PATCH', flights, {});
  expect([answer.status, answer.body.card, answer.body.url]).toEqual([200, null, null]);
});

test.each([
  ['GET', ''],
  ['GET', '/card'],
  ['PUT', ''],
  ['PATCH', ''],
  ['DELETE', ''],
  ['POST', '/toggle'],
])('%s %s of an unknown path is not found', async (method, more) => {
  const body = method === 'PUT' ? { card } : method === 'POST' ? { enabled: true } : {};
  const answer = await ask(method, `/api/agents/nowhere${more}`, method === 'GET' ? undefined : body);
  expect(answer.status).toBe(404);
});

test.each([
  [
    'the 0.2 card of a sample agent',
    {
      name: 'Hello World Agent',
      description: 'x',
      url: 'https://agents.example/hello',
      version: '1.0.0',
      capabilities: {},
      defaultInputModes: ['text'],
      defaultOutputModes: ['text'],
      skills: [],
      supportsAuthenticatedExtendedCard: true,
      path: '/hello',
    },
    '/hello',
  ],
  [
    'a flat 1.0 file of the other registry',
    {
      protocolVersion: '1.0',
      name: 'Data catalogue',
      description: 'x',
      url: 'https://api.example.io/a2a',
      path: '/data-catalogue',
      version: '0.2.3',
      capabilities: { streaming: false },
      defaultInputModes: ['text/plain'],
      defaultOutputModes: ['application/json'],
      tags: ['validation'],
      visibility: 'public',
      status: 'active',
      license: 'MIT',
      isEnabled: true,
      preferredTransport: 'JSONRPC',
      metadata: { count: 250 },
      num_stars: 4,
      registered_by: 'x',
      skills: [{ id: 'iban', name: 'IBAN', description: 'Validate', tags: ['finance'] }],
    },
    '/data-catalogue',
  ],
])('%s is taken', async (_, body, path) => {
  const registered = await ask('POST', '/api/agents/register', body);
  expect(registered.status, JSON.stringify(registered.body)).toBe(201);
  expect(registered.body).toMatchObject({ path });
  expect(Object.keys((registered.body as { card: object }).card)).not.toContain('num_stars');
});
