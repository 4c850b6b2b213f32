import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AgentsTrial, card, openAgents } from './agents.test-support.ts';

// The group of the setup guide, once as it stands there and once with each half alone, and roles for single permissions.
const scopes = `
UI-Scopes:
  mcp-registry-admin: {}
  guide: { list_service: [all], list_agents: [/flight-booking], get_agent: [/flight-booking] }
  guide-ui: { list_agents: [/flight-booking], get_agent: [/flight-booking] }
  lister: { list_agents: [all] }
  publisher: { publish_agent: [/flight-booking] }
  modifier: { list_agents: [flight-booking], modify_agent: [flight-booking] }
  blind: { get_agent: [all], modify_agent: [all], delete_agent: [all] }
  servers-only: { list_service: [all], modify_service: [all], toggle_service: [all], delete_service: [all] }
guide: &rules
  - server: context7
    methods: [initialize, tools/list, tools/call]
    tools: ["*"]
  - { server: api, methods: [initialize, GET, POST, servers, agents], tools: [] }
  - agents:
      actions:
        - { action: list_agents, resources: [/flight-booking] }
        - { action: get_agent, resources: [/flight-booking] }
guide-rules: *rules
deleter:
  - agents: { actions: [{ action: list_agents, resources: [all] }, { action: delete_agent, resources: [all] }] }
group_mappings:
  admin: [mcp-registry-admin]
  guide: [guide]
  guide-ui: [guide-ui]
  guide-rules: [guide-rules]
  lister: [lister]
  publisher: [publisher]
  modifier: [modifier]
  deleter: [deleter]
  blind: [blind]
  servers-only: [servers-only]
`;

let trial: AgentsTrial;
beforeEach(async () => {
  trial = await openAgents(scopes, { allowPrivate: false });
  for (const path of ['/flight-booking', '/hotels'])
    await trial.ask('admin', 'POST', '/api/agents', { path, card });
});
afterEach(() => trial.database.close());

/** What each operation answers to each role, on the agent of the guide and on another. 404: it looks like nothing is there. */
const expected: Record<string, Record<string, [flights: number, hotels: number]>> = {
  //             get          card         put          patch        toggle       delete
  admin: table(200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 204, 204),
  guide: table(200, 404, 200, 404, 403, 404, 403, 404, 403, 404, 403, 404),
  'guide-ui': table(200, 404, 200, 404, 403, 404, 403, 404, 403, 404, 403, 404),
  'guide-rules': table(200, 404, 200, 404, 403, 404, 403, 404, 403, 404, 403, 404),
  lister: table(403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403),
  publisher: table(404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404),
  modifier: table(403, 404, 403, 404, 200, 404, 200, 404, 200, 404, 403, 404),
  deleter: table(403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 204, 204),
  blind: table(404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404),
  'servers-only': table(404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404),
  nobody: table(404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404),
};

function table(...statuses: number[]): Record<string, [number, number]> {
  const operations = ['get', 'card', 'put', 'patch', 'toggle', 'delete'];
  return Object.fromEntries(
    operations.map((name, index) => [name, [statuses[2 * index]!, statuses[2 * index + 1]!]]),
  );
}

const requests: Record<string, [method: string, more: string, body?: object]> = {
  get: ['GET', ''],
  card: ['GET', '/card'],
  put: ['PUT', '', { card }],
  patch: ['PATCH', '', { tags: ['x'] }],
  toggle: ['POST', '/toggle', { enabled: true }],
  delete: ['DELETE', ''],
};

describe.each(Object.entries(expected))('%s', (role, operations) => {
  test.each(Object.entries(operations))('%s answers %j', async (operation, statuses) => {
    const [method, more, body] = requests[operation]!;
    const answers = [];
    for (const path of ['/flight-booking', '/hotels'])
      answers.push((await trial.ask(role, method, `/api/agents${path}${more}`, body)).status);
    expect(answers).toEqual(statuses);
  });
});

test.each([
  ['admin', ['/flight-booking', '/hotels'], true],
  ['guide', ['/flight-booking'], false],
  ['guide-ui', ['/flight-booking'], false],
  ['guide-rules', ['/flight-booking'], false],
  ['lister', ['/flight-booking', '/hotels'], false],
  ['publisher', [], true],
  ['modifier', ['/flight-booking'], false],
  ['blind', [], false],
  ['servers-only', [], false],
  ['nobody', [], false],
])('the list of %s holds %j', async (role, paths, canRegister) => {
  const { body } = await trial.ask(role, 'GET', '/api/agents');
  expect(body.agents.map(({ path }: { path: string }) => path)).toEqual(paths);
  expect([body.total_count, body.can_register]).toEqual([paths.length, canRegister]);
});

test('a list tells where agents are only to those who may get their cards', async () => {
  const urls = async (role: string) =>
    (await trial.ask(role, 'GET', '/api/agents')).body.agents.map(({ url }: { url: string | null }) => url);
  expect(await urls('lister')).toEqual([null, null]);
  expect(await urls('guide')).toEqual(['https://agents.example/flights']);
});

test.each([
  ['admin', 201, 201],
  ['publisher', 201, 403],
  ['guide', 403, 403],
  ['blind', 403, 403],
  ['nobody', 403, 403],
])('%s registers at a path of its own and at another: %i, %i', async (role, own, other) => {
  for (const path of ['/flight-booking', '/hotels']) await trial.ask('admin', 'DELETE', `/api/agents${path}`);
  const at = async (path: string, url = '/api/agents') =>
    (await trial.ask(role, 'POST', url, { path, card })).status;
  expect([await at('/flight-booking'), await at('/hotels', '/api/agents/register')]).toEqual([own, other]);
});

test('what is forbidden and what is unknown are told in the same words', async () => {
  const words = async (path: string) => {
    const { body } = await trial.ask('guide', 'GET', `/api/agents${path}`);
    return JSON.stringify(body).replaceAll(path.slice(1), 'X');
  };
  expect(await words('/hotels')).toBe(await words('/unheard-of'));
});
