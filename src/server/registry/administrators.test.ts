import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../access/caller.ts';
import { compile } from '../access/grants.ts';
import { groupKey } from '../access/names.ts';
import type { Scope } from '../access/scope-set.ts';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import { Failure } from '../failure/errors.ts';
import type { Directory, DirectoryGroup } from '../iam/directory.ts';
import { groupNames } from '../identity/groups/group-names.ts';
import type { Identity } from '../identity/identity.ts';
import {
  assertApplicationCanGo,
  assertOthersAdminister,
  assertOthersThanGroup,
  groupsGainingPower,
  lockOutBy,
} from './administrators.ts';

const id = (last: string): string => `16c7e67e-e8ae-498c-ba2e-0000000000${last}`;
const group = (last: string): DirectoryGroup => ({
  ...{ id: id(last), name: `group-${last}`, description: null, mapping: id(last), editable: true },
});
const [admins, others, inner] = [group('aa'), group('bb'), group('cc')];
const alice = { id: 'alice', username: 'alice@contoso.example' };

const scope = (name: string, groupMappings: string[], more: Partial<Scope> = {}): [string, Scope] => [
  name,
  { name, serverRules: [], agentRules: [], uiPermissions: {}, groupMappings, ...more },
];
const grantsOf = (...scopes: [string, Scope][]) => compile(new Map(scopes));

let database: OpenDatabase;
beforeEach(async () => {
  database = await openMemory();
});
afterEach(() => database.close());

const entra = groupNames(['entra'], ['entra', 'keycloak']);
const second = groupNames(['keycloak', 'entra'], ['entra', 'keycloak']);

function worldOf(mappings: string[], names = entra) {
  const grants = grantsOf(scope('registry-admins', mappings.map(names.canonical)));
  return { db: database.db, grants: () => grants, qualify: names.qualify };
}

/** A directory of which the groups have these people, directly or through others. */
function directoryOf(members: Readonly<Record<string, readonly string[]>>, direct = members): Directory {
  const all = [admins, others, inner];
  return {
    provider: 'entra',
    groups: { find: async (name: string) => all.find((one) => groupKey(one.id) === groupKey(name)) },
    memberships: {
      people: async (of: string, limit: number) => (members[of] ?? []).slice(0, limit),
      ofUsers: async (ids: readonly string[]) =>
        ids.map((person) => all.filter((one) => direct[one.id]?.includes(person))),
    },
  } as unknown as Directory;
}

async function outcome(act: Promise<void>): Promise<string> {
  return act.then(
    () => 'allowed',
    (error) => (error instanceof Failure ? error.code : Promise.reject(error)),
  );
}

describe.each([
  ['an id', [admins.id], entra],
  ['an id in upper case', [admins.id.toUpperCase()], entra],
  ['an id behind its provider, as ENTRA_GROUP_ADMIN_ID has it', [`entra:${admins.id}`], entra],
  ['the id of a second provider', [`entra:${admins.id}`], second],
])('where the administrators’ group is mapped by %s', (_, mappings, names) => {
  test('the last one cannot leave it, nor be deleted', async () => {
    const directory = directoryOf({ [admins.id]: ['alice'] });
    const world = worldOf(mappings, names);
    const change = { left: [admins], kept: [others] };
    expect(await outcome(assertOthersAdminister(world, directory, alice, change))).toBe('would_lock_out');
    expect(await outcome(assertOthersAdminister(world, directory, alice))).toBe('would_lock_out');
  });

  test('one of two can', async () => {
    const directory = directoryOf({ [admins.id]: ['alice', 'bob'] });
    const change = { left: [admins], kept: [] };
    expect(await outcome(assertOthersAdminister(worldOf(mappings, names), directory, alice, change))).toBe(
      'allowed',
    );
  });

  test('the group cannot be removed', async () => {
    const directory = directoryOf({ [admins.id]: ['alice', 'bob'] });
    expect(await outcome(assertOthersThanGroup(worldOf(mappings, names), directory, admins))).toBe(
      'would_lock_out',
    );
  });
});

test('the last one who is an administrator through another group cannot leave that one', async () => {
  const directory = directoryOf({ [admins.id]: ['alice'], [inner.id]: ['alice'] }, { [inner.id]: ['alice'] });
  const world = worldOf([admins.id]);
  const change = { left: [inner], kept: [] };
  expect(await outcome(assertOthersAdminister(world, directory, alice, change))).toBe('would_lock_out');
  expect(await outcome(assertOthersThanGroup(world, directory, inner))).toBe('would_lock_out');
});

test('the last one may leave groups that make nobody an administrator, and they may be removed', async () => {
  const directory = directoryOf({ [admins.id]: ['alice'], [others.id]: ['alice', 'bob'] });
  const world = worldOf([admins.id]);
  const change = { left: [others], kept: [admins] };
  expect(await outcome(assertOthersAdminister(world, directory, alice, change))).toBe('allowed');
  expect(await outcome(assertOthersThanGroup(world, directory, others))).toBe('allowed');
});

test('who is an administrator by a role of the provider may leave the group', async () => {
  await database.db
    .insertInto('people')
    .values({
      ...{ provider: 'entra', subject: 'alice', username: 'alice', groups: '["role:Admin"]' },
      ...{ name: null, email: null, groups_read_at: '2026-01-01T00:00:00.000Z', tenant: null },
      ...{ refresh_sealed: null, refused_at: null, refused_because: null },
    } as never)
    .execute();
  const directory = directoryOf({ [admins.id]: ['alice'] });
  const change = { left: [admins], kept: [] };
  const world = worldOf([admins.id, 'role:Admin']);
  expect(await outcome(assertOthersAdminister(world, directory, alice, change))).toBe('allowed');
  expect(
    await outcome(assertOthersAdminister(worldOf([admins.id, 'role:Other']), directory, alice, change)),
  ).toBe('would_lock_out');
});

test('an application that is the only administrator cannot take that from itself', async () => {
  const world = worldOf([admins.id]);
  const identity = { kind: 'agent', clientId: 'Agent-1', groups: [admins.id] } as unknown as Identity;
  const caller = { identity } as Caller<Identity>;
  const application = { clientId: 'agent-1', groups: [] };
  const act = (directory: Directory | undefined, changed = application, by = caller) =>
    outcome(assertApplicationCanGo(world, directory, by, changed));
  expect(await act(directoryOf({}))).toBe('would_lock_out');
  expect(await act(undefined)).toBe('would_lock_out');
  expect(await act(directoryOf({ [admins.id]: ['alice'] }))).toBe('allowed');
  expect(await act(directoryOf({}), { clientId: 'agent-1', groups: [admins.id] as never })).toBe('allowed');
  expect(await act(directoryOf({}), { clientId: 'agent-2', groups: [] })).toBe('allowed');
});

test('who would be an administrator through one program only is nobody who is left', async () => {
  const grants = grantsOf(
    scope('registry-admins', [id('aa')]),
    scope('mcp-registry-admin', [id('bb')], { clients: ['a-program'] }),
  );
  const world = { ...worldOf([]), grants: () => grants };
  const people = directoryOf({ [id('aa')]: ['alice'], [id('bb')]: ['bob'] });
  expect(await outcome(assertOthersAdminister(world, people, alice))).toBe('would_lock_out');
});

test('scopes from elsewhere leave an administrator of those who are known, or are refused', async () => {
  const record = {
    name: 'a',
    description: '',
    source: 'manual',
    created_by: 'a',
    created_at: '',
    updated_at: '',
  };
  await database.db
    .insertInto('m2m_clients')
    .values({ ...record, provider: 'entra', client_id: 'a', groups: '["a"]', is_enabled: 1 } as never)
    .execute();
  const before = grantsOf(scope('registry-admins', ['a']));
  const after = (...mappings: string[]) =>
    lockOutBy(database.db, before, grantsOf(scope('registry-admins', mappings)));
  expect(await after()).toMatch(/no group holds/);
  expect(await after('b')).toMatch(/no current administrator would remain/);
  expect(await after('b', 'a')).toBeUndefined();
  const throughOneProgram = grantsOf(scope('registry-admins', ['a'], { clients: ['a-program'] }));
  expect(await lockOutBy(database.db, before, throughOneProgram)).toMatch(/no group holds/);
  expect(await lockOutBy(database.db, grantsOf(), grantsOf())).toBeUndefined();
});

test.each<[what: string, before: Partial<Scope>, after: Partial<Scope>, gaining: string[]]>([
  ['every server', {}, { serverRules: [{ server: '*', methods: ['ping'], tools: [] }] }, ['g']],
  ['changing every server', {}, { uiPermissions: { modify_service: 'all' } }, ['g']],
  ['seeing every server', {}, { uiPermissions: { list_service: 'all' } }, []],
  ['one server', {}, { serverRules: [{ server: 'a', methods: ['*'], tools: ['*'] }] }, []],
  [
    'more than before',
    { uiPermissions: { modify_service: 'all' } },
    { uiPermissions: { modify_service: 'all', delete_service: 'all' } },
    ['g'],
  ],
  [
    'every server through one program',
    {},
    { clients: ['cli'], serverRules: [{ server: '*', methods: ['ping'], tools: [] }] },
    ['g'],
  ],
  ['publishing agents', {}, { agentRules: [{ action: 'publish_agent', resources: 'all' }] }, ['g']],
])('a scope widened to %s is a grant', (_, before, after, gaining) => {
  const grants = (more: Partial<Scope>) => grantsOf(scope('s', ['g'], more));
  expect(groupsGainingPower(grants(before), grants(after))).toEqual(gaining);
});
