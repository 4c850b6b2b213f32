import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { startEmulator } from '../../../entra-emulator/main.ts';
import { adminGraph } from '../../../entra-emulator/testing/graph.ts';
import { type AccountsTrial, startAccountsTrial } from './accounts.test-support.ts';
import { hostile, outcome, refusals } from './hostile.test-support.ts';

const emulator = await startEmulator();
afterAll(() => emulator.close());
let trial: AccountsTrial;
beforeEach(async () => {
  emulator.reset();
  trial = await startAccountsTrial(emulator);
});
afterEach(() => trial.close());

/** Everything of the tenant that these endpoints could change, or that a widened filter would show. */
async function tenant(): Promise<string> {
  const graph = await adminGraph(emulator);
  const parts = ['/users?$top=999', '/groups?$top=999', '/applications?$top=999'].map((path) =>
    graph('GET', path),
  );
  return JSON.stringify((await Promise.all(parts)).map(({ body }) => body.value));
}

test.each(hostile)('as a search, %s finds nothing but what begins with it', async (_, text) => {
  const found = await outcome(trial.call('users.list', { query: { search: text } }));
  if (refusals.includes(String(found))) return;
  expect((found as { users: unknown[] }).users).toEqual([]);
});

test.each(hostile)(
  'as the name of an account that is to go or to change, %s is of nobody',
  async (_, text) => {
    const before = await tenant();
    const params = { username: text };
    expect(refusals).toContain(await outcome(trial.call('users.remove', { params })));
    const body = { groups: ['mcp-test-users'] };
    expect(refusals).toContain(await outcome(trial.call('users.groups', { params, body })));
    const client = { params: { client_id: text }, body: {} };
    expect(refusals).toContain(await outcome(trial.call('users.rotateSecret', client)));
    expect(await tenant()).toBe(before);
  },
);

test.each(hostile)('as the name of a group, %s is of none, and nothing is made', async (_, text) => {
  const before = await tenant();
  const person = { username: 'newt', email: 'n@contoso.example', firstname: 'N', lastname: 'C' };
  for (const [id, body] of [
    ['users.createHuman', { ...person, groups: [text] }],
    ['users.createM2m', { name: 'bot', groups: [text] }],
  ] as const)
    expect(refusals).toContain(await outcome(trial.call(id, { body })));
  const params = { username: 'bob@contoso.example' };
  expect(refusals).toContain(await outcome(trial.call('users.groups', { params, body: { groups: [text] } })));
  expect(await tenant()).toBe(before);
});

test.each(hostile)('as a user name, %s is refused or taken literally', async (_, text) => {
  const body = { username: text, email: 'n@contoso.example', firstname: 'N', lastname: 'C' };
  const made = await outcome(
    trial.call('users.createHuman', { body: { ...body, groups: ['mcp-test-users'] } }),
  );
  if (refusals.includes(String(made))) return;
  expect(made).toMatchObject({ username: `${text}@contoso.example` });
});

test.each(hostile)(
  'as first and last name and as the name of an application, %s is taken literally',
  async (_, text) => {
    const person = { username: 'newt', email: 'n@contoso.example', firstname: text, lastname: text };
    const human = await outcome(
      trial.call('users.createHuman', { body: { ...person, groups: ['mcp-test-users'] } }),
    );
    if (human !== 'invalid_input') {
      expect(human).toMatchObject({ firstName: text, lastName: text, groups: ['mcp-test-users'] });
      const { users } = await trial.call('users.list', { query: { search: 'newt' } });
      expect(users).toMatchObject([{ firstName: text, lastName: text }]);
    }
    const bot = await outcome(
      trial.call('users.createM2m', { body: { name: text, groups: ['mcp-test-users'] } }),
    );
    if (bot === 'invalid_input') return;
    const { client_id } = bot as { client_id: string };
    expect(await trial.directory.serviceAccounts?.find(text)).toMatchObject({
      clientId: client_id,
      name: text,
    });
    expect(await trial.call('users.remove', { params: { username: text } })).toMatchObject({
      username: text,
    });
    expect(await trial.directory.serviceAccounts?.find(client_id)).toBeUndefined();
  },
);

test.each(hostile)('as a cursor, %s leads nowhere else', async (_, text) => {
  for (const from of [text, Buffer.from(text).toString('base64url')])
    expect(await outcome(trial.call('users.list', { query: { from } }))).toBe('invalid_input');
});

test.each(hostile)('as what is known of a registered application, %s is taken literally', async (_, text) => {
  const body = { client_id: 'bot-1', client_name: text, description: text, groups: [text] };
  const made = await outcome(trial.call('m2mClients.create', { body }));
  if (made === 'invalid_input') return;
  expect(made).toMatchObject({ client_name: text, description: text, groups: [text] });
  const { items } = await trial.call('m2mClients.list', {});
  expect(items.filter(({ client_id }) => client_id === 'bot-1')).toMatchObject([{ groups: [text] }]);
  const change = { params: { client_id: 'bot-1' }, body: { client_name: `${text}!`, groups: [] } };
  expect(await trial.call('m2mClients.change', change)).toMatchObject({
    client_name: `${text}!`,
    groups: [],
  });
});

test.each(hostile)(
  'as the id or provider of a registered application, %s is of none, and changes none',
  async (_, text) => {
    await trial.call('m2mClients.create', {
      body: { client_id: 'bot-1', client_name: 'Bot', groups: ['g'] },
    });
    const before = await trial.call('m2mClients.list', {});
    const params = { client_id: text };
    const query = { identity_provider: text };
    for (const call of [
      trial.call('m2mClients.create', { body: { client_id: text, client_name: 'Bot', groups: [] } }),
      trial.call('m2mClients.get', { params }),
      trial.call('m2mClients.change', { params, body: { groups: [] } }),
      trial.call('m2mClients.remove', { params }),
      trial.call('m2mClients.remove', { params: { client_id: 'bot-1' }, query }),
    ])
      expect(refusals).toContain(await outcome(call));
    const found = await outcome(trial.call('m2mClients.list', { query: { provider: text } }));
    expect(found === 'invalid_input' || (found as typeof before).total === 0).toBe(true);
    expect(await trial.call('m2mClients.list', {})).toEqual(before);
  },
);
