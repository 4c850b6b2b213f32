import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { startEmulator } from '../../../entra-emulator/main.ts';
import { adminGraph } from '../../../entra-emulator/testing/graph.ts';
import { asFailure } from '../../errors.ts';
import { type AccountsTrial, startAccountsTrial } from './accounts.test-support.ts';

const emulator = await startEmulator();
afterAll(() => emulator.close());
let trial: AccountsTrial;
beforeEach(async () => {
  emulator.reset();
  trial = await startAccountsTrial(emulator);
});
afterEach(() => trial.close());

/** Texts that mean something to somebody on the way: OData, URLs, paths, shells, terminals, readers. */
const hostile: readonly (readonly [string, string])[] = [
  ['a quote', "o'brien"],
  ['an OData filter', "x' or startswith(displayName,'a') or displayName eq 'x"],
  ['an OData function', "') or true or startswith(displayName,'"],
  ['a path', '../../users'],
  ['an encoded path', '..%2F..%2Fusers%3F$top=999'],
  ['a query', 'x?$filter=true&$select=passwordProfile'],
  ['a fragment', 'x#y'],
  ['an alternate key', "(appId='9a7e3a70-0000-4000-8000-000000000001')"],
  ['a look-alike in Cyrillic', 'а' + 'lice@contoso.example'],
  ['a full-width look-alike', 'ａlice@contoso.example'],
  ['a right-to-left override', '\u202Ealice'],
  ['10 kB', 'x'.repeat(10_000)],
  ['a template', '{{constructor}}<%= 7*7 %>'],
  ['a spreadsheet formula', '=cmd|calc!A1'],
  ['markup', '<img src=x onerror=alert(1)>'],
];

/** Everything of the tenant that these endpoints could change, or that a widened filter would show. */
async function tenant(): Promise<string> {
  const graph = await adminGraph(emulator);
  const parts = ['/users?$top=999', '/groups?$top=999', '/applications?$top=999'].map((path) =>
    graph('GET', path),
  );
  return JSON.stringify((await Promise.all(parts)).map(({ body }) => body.value));
}

/** What became of a call: its answer, or the code of the refusal; anything that is no refusal is thrown. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    const isOfTheSchema = error instanceof Error && error.constructor.name.includes('ZodError');
    const { code } = asFailure(error);
    if (code === 'internal' && !isOfTheSchema) throw error;
    return isOfTheSchema ? 'invalid_input' : code;
  }
}

const refusals = ['invalid_input', 'not_found', 'directory_refused'];

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
