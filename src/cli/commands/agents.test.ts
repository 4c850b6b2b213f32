import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Asked, cli, folderWith, problem, scripted } from '../../../test/cli-trial.ts';
import type { Agent } from '../../contract/agents/agents.ts';

function anAgent(parts: Partial<Agent> = {}): Agent {
  return {
    id: '1',
    path: '/flight-booking',
    name: 'Flight booking',
    description: 'Books flights',
    version: '1.0.0',
    protocol_version: '1.0',
    url: 'https://agents.example/flights',
    provider: null,
    streaming: true,
    skills: ['Find', 'Book'],
    num_skills: 2,
    tags: ['travel'],
    license: 'N/A',
    signed: false,
    is_enabled: true,
    registered_by: 'alice',
    registered_at: '2026-01-02T03:04:05.000Z',
    updated_at: '2026-01-02T03:04:05.000Z',
    revision: 1,
    can: { get: true, modify: true, delete: true },
    metadata: {},
    card: { name: 'Flight booking' },
    ...parts,
  };
}

const aPage = (agents: Agent[], parts: object = {}) => ({
  body: {
    agents,
    total_count: agents.length,
    limit: 20,
    offset: 0,
    has_next: false,
    can_register: true,
    ...parts,
  },
});

/** A registry that answers every request about agents with one agent, and keeps the bodies and If-Match headers. */
async function registry(agent = anAgent()) {
  const got: { body: Record<string, unknown>; ifMatch: string | undefined }[] = [];
  const answer = ({ text, headers }: Asked) => {
    got.push({ body: JSON.parse(text), ifMatch: headers['if-match'] });
    return { body: agent };
  };
  const script = await scripted({
    'POST /api/agents': answer,
    'PUT /api/agents/flight-booking': answer,
    'PATCH /api/agents/flight-booking': answer,
    'POST /api/agents/flight-booking/toggle': answer,
    'GET /api/agents/flight-booking': { body: agent },
    'DELETE /api/agents/flight-booking': { status: 204 },
  });
  return { script, got };
}

test('agent-list shows a table and says how to see more', async () => {
  const page = aPage([anAgent(), anAgent({ path: '/b', is_enabled: false })], {
    total_count: 7,
    has_next: true,
  });
  const script = await scripted({ 'GET /api/agents': page });
  const { code, out, err } = await cli(
    ['agent-list', '--query', 'f', '--enabled-only', '--limit', '2', '--offset', '1'],
    { registry: script },
  );
  expect(code).toBe(0);
  expect(out.split('\n')).toEqual([
    'PATH             NAME            ENABLED  A2A  SKILLS  DESCRIPTION',
    '/flight-booking  Flight booking  yes      1.0  2       Books flights',
    '/b               Flight booking  no       1.0  2       Books flights',
    '',
  ]);
  expect(err).toBe('2 to 3 of 7; for more: --offset 3\n');
  expect(script.asked).toEqual(['GET /api/agents?query=f&enabled_only=true&limit=2&offset=1']);
});

test('an empty list is a success', async () => {
  const script = await scripted({ 'GET /api/agents': aPage([]) });
  expect(await cli(['agent-list'], { registry: script })).toEqual({ code: 0, out: '', err: 'No agents.\n' });
});

test('agent-get shows one agent, and its card in JSON; escape sequences do not reach the terminal', async () => {
  const evil = anAgent({ name: '\u001b]0;owned\u0007', skills: ['a\nb'] });
  const { script } = await registry(evil);
  const shown = await cli(['agent-get', '--path', 'flight-booking/'], { registry: script });
  expect(shown.out).toContain('\\u{1b}]0;owned\\u{7}');
  expect(shown.out).not.toContain('\u001b');
  const json = await cli(['agent-get', '--path', '/flight-booking', '--json'], { registry: script });
  expect(JSON.parse(json.out)).toEqual(evil);
});

const odd = '{ "name":"Flights",   "x": 1.0 }\n';

test.each([
  ['a card', odd, { card: odd }],
  ['a card with its path', '{"path": "/a", "name": "A"}', { path: '/a', name: 'A' }],
  ['a wrapped card', `{"path": "/a", "card": ${odd}}`, { path: '/a', card: odd.trim() }],
  ['a wrapped text', '{"path": "/a", "card": "{}"}', { path: '/a', card: '{}' }],
])('agent-register and agent-update send %s so that its bytes can be kept', async (_, text, body) => {
  const { script, got } = await registry(anAgent({ is_enabled: false }));
  const cwd = await folderWith({ 'agent.json': text });
  const made = await cli(['agent-register', '--config', 'agent.json'], { registry: script, cwd });
  expect(made.err).toContain(
    'Registered /flight-booking.\nIt is disabled. Enable it with: mcp-gateway agent enable',
  );
  const update = ['agent-update', '--path', '/flight-booking', '--config', '-'];
  expect((await cli(update, { registry: script, stdin: text })).code).toBe(0);
  expect(got.map((one) => one.body)).toEqual([body, body]);
  expect(script.asked).toEqual(['POST /api/agents', 'PUT /api/agents/flight-booking']);
});

test.each([
  [undefined, undefined],
  ['3', '"3"'],
  ['W/"3"', 'W/"3"'],
])('agent-patch sends the patch and the revision %s', async (revision, header) => {
  const { script, got } = await registry();
  const more = revision === undefined ? [] : ['--if-match', revision];
  const argv = ['agent-patch', '--path', '/flight-booking', '--config', '-', ...more];
  const { code } = await cli(argv, { registry: script, stdin: '{"tags": ["a"], "card": {"x": null}}' });
  expect(code).toBe(0);
  expect(got).toEqual([{ body: { tags: ['a'], card: { x: null } }, ifMatch: header }]);
});

test.each([
  ['[1]', 'standard input does not describe an agent'],
  ['{"a": }', 'standard input is not valid JSON: line 1, column 7'],
])('a file with %s is refused before anything is sent', async (stdin, said) => {
  const { script } = await registry();
  const { code, err } = await cli(['agent-register', '--config', '-'], { registry: script, stdin });
  expect([code, script.asked]).toEqual([1, []]);
  expect(err).toContain(said);
});

test('faults that the registry finds are shown one a line', async () => {
  const errors = [{ at: 'body.skills', message: 'is missing' }];
  const script = await scripted({
    'POST /api/agents': problem(422, 'invalid_input', 'The input has faults.', { errors }),
  });
  const { code, err } = await cli(['agent-register', '--config', '-'], { registry: script, stdin: '{}' });
  expect(code).toBe(1);
  expect(err).toContain('  - skills: is missing\n');
});

test('agent-toggle sets the wanted state, which has to be said', async () => {
  const { script, got } = await registry(anAgent({ is_enabled: false }));
  const argv = ['agent-toggle', '--path', '/flight-booking'];
  expect((await cli(argv, { registry: script })).code).toBe(2);
  const { out } = await cli([...argv, '--enabled', 'false'], { registry: script });
  expect(out).toBe('/flight-booking is disabled.\n');
  expect(got.map(({ body }) => body)).toEqual([{ enabled: false }]);
});

test.each([
  ['yes\n', 'Removed /flight-booking.\n', 1],
  ['y\n', 'Removed /flight-booking.\n', 1],
  ['', '', 0],
])('agent-delete asks first, and only y and yes are yes: %j', async (stdin, said, removals) => {
  const { script } = await registry();
  const argv = ['agent-delete', '--path', '/flight-booking'];
  const { code, out, err } = await cli(argv, { registry: script, stdin, tty: true });
  expect({ code, out }).toEqual({ code: 0, out: said });
  expect(err).toContain('Remove the agent /flight-booking from the registry? [y/N] ');
  expect(script.asked).toHaveLength(removals);
});

test('agent-delete without a terminal needs --force', async () => {
  const { script } = await registry();
  const argv = ['agent-delete', '--path', '/flight-booking'];
  expect((await cli(argv, { registry: script })).code).toBe(2);
  const forced = await cli([...argv, '--force', '--json'], { registry: script });
  expect(JSON.parse(forced.out)).toEqual({ path: '/flight-booking', removed: true });
});

test('the example is a registration that the registry takes', async () => {
  const { wrappedAgent } = await import('../../contract/agents/agents.ts');
  const example = JSON.parse(readFileSync('examples/agent.json', 'utf8'));
  expect(wrappedAgent.safeParse(example).error).toBeUndefined();
});
