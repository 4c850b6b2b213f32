import { describe, expect, test } from 'vitest';
import { uiPermissions } from '../../contract/permissions.ts';
import { accessOf, compile } from './grants.ts';
import { parseScopes, type ScopeSet } from './scope-set.ts';

const set = (text: string): ScopeSet => parseScopes(text, 'scopes.yml');

const grants = compile(
  set(`
UI-Scopes:
  viewer: { list_service: [currenttime, team/search], list_agents: [/flight-booking] }
  builder: { register_service: [all], modify_service: [all], toggle_service: [all], delete_service: [all], list_service: [other] }
  lister: { list_service: [all], health_check_service: [] }
  mcp-registry-admin: { list_service: [currenttime] }
registry-admins: []
reader:
  - { server: currenttime, methods: [initialize] }
everywhere:
  - { server: "*", methods: [initialize] }
group_mappings:
  viewers: [reader, viewer]
  builders: [viewer, builder]
  listers: [lister]
  admins: [mcp-registry-admin]
  super: [registry-admins]
  mcp-registry-admin: [reader]
  wide: [everywhere]
`),
);

const access = (groups: string[], limitedTo?: string[]) => accessOf({ groups, limitedTo }, grants);

test('scopes come in the order of the groups, each once', () => {
  expect(access(['builders', 'unknown', 'viewers']).scopes).toEqual(['viewer', 'builder', 'reader']);
  expect(access([]).scopes).toEqual([]);
});

test('permissions add up over scopes, and all swallows names', () => {
  expect(access(['viewers', 'builders']).permissions.get('list_service')).toEqual(
    new Set(['currenttime', 'team/search', 'other']),
  );
  expect(access(['viewers', 'listers', 'builders']).permissions.get('list_service')).toBe('all');
});

test('a permission holds for what is named, with or without slashes, and for nothing else', () => {
  const { may } = access(['viewers']);
  expect([
    may('list_service'),
    may('list_service', 'currenttime'),
    may('list_service', '/team/search/'),
  ]).toEqual([true, true, true]);
  expect([may('list_service', 'all'), may('list_service', '*'), may('list_service', 'current')]).toEqual([
    false,
    false,
    false,
  ]);
  expect([may('list_agents', 'flight-booking'), may('list_agents', '/flight-booking')]).toEqual([true, true]);
  expect([may('toggle_service'), may('toggle_service', 'currenttime')]).toEqual([false, false]);
});

describe('on agents, UI permissions and agent rules add up: either is enough', () => {
  const rule = (action: string, resource: string) =>
    `{ agents: { actions: [{ action: ${action}, resources: [${resource}] }] } }`;
  const granted = (ui: string, rules: string) =>
    accessOf(
      { groups: ['g'] },
      compile(set(`UI-Scopes: { s: { ${ui} } }\ns: [${rules}]\ngroup_mappings: { g: [s] }`)),
    );
  const one = rule('get_agent', '/flight-booking');
  const every = rule('get_agent', 'all');
  const other = rule('list_agents', 'all');
  const invoke = rule('invoke_agent', 'all');

  test.each<[ui: string, rules: string, flight: boolean, hotel: boolean, any: boolean]>([
    ['', '', false, false, false],
    ['get_agent: [/flight-booking]', '', true, false, true],
    ['', one, true, false, true],
    ['get_agent: [hotels]', one, true, true, true],
    ['get_agent: [all]', one, true, true, true],
    ['get_agent: [hotels]', every, true, true, true],
    ['get_agent: []', every, true, true, true],
    ['', other, false, false, false],
    ['', invoke, false, false, false],
    ['list_agents: [all]', one, true, false, true],
  ])('UI {%s} and rules [%s]: flight %s, hotel %s, any %s', (ui, rules, flight, hotel, any) => {
    const { may, isAdmin } = granted(ui, rules);
    expect([may('get_agent', '/flight-booking'), may('get_agent', 'hotels'), may('get_agent')]).toEqual([
      flight,
      hotel,
      any,
    ]);
    expect([isAdmin, may('modify_agent'), may('list_service')]).toEqual([false, false, false]);
  });
});

test('a permission for an empty list is none', () => {
  expect(access(['listers']).may('health_check_service')).toBe(false);
});

test('only the two administrator scopes make an administrator', () => {
  expect(access(['admins']).isAdmin).toBe(true);
  expect(access(['super']).isAdmin).toBe(true);
  // Every changing permission on everything is not administration, and neither is a group of that name.
  expect(access(['builders', 'listers', 'wide']).isAdmin).toBe(false);
  expect(access(['mcp-registry-admin', 'registry-admins']).isAdmin).toBe(false);
});

test('an administrator has every permission on everything, whatever its scopes spell out', () => {
  const { may, permissions } = access(['admins']);
  for (const permission of uiPermissions) {
    expect(may(permission, 'anything')).toBe(true);
    expect(permissions.get(permission)).toBe('all');
  }
});

test('a limit only takes away: scopes outside it, and administration with them', () => {
  expect(access(['super', 'viewers'], ['reader', 'everywhere'])).toMatchObject({
    scopes: ['reader'],
    isAdmin: false,
  });
  expect(access(['super', 'viewers'], ['registry-admins']).isAdmin).toBe(true);
  expect(access(['viewers'], ['registry-admins']).scopes).toEqual([]);
  expect(access(['super'], []).scopes).toEqual([]);
  expect(access(['super'], []).may('list_service')).toBe(false);
});

test('the servers are those that rules name, or all', () => {
  expect(access(['viewers']).servers).toEqual(new Set(['currenttime']));
  expect(access(['viewers', 'wide']).servers).toBe('all');
  expect(access(['super']).servers).toEqual(new Set());
});

test('what is compiled for a subject is kept for it, and for others with the same scopes', () => {
  const subject = { groups: ['viewers'] };
  expect(accessOf(subject, grants)).toBe(accessOf(subject, grants));
  expect(accessOf({ groups: ['viewers', 'unknown'] }, grants)).toBe(accessOf(subject, grants));
});

test('what is kept belongs to one state of the scopes', () => {
  const subject = { groups: ['viewers'] };
  expect(accessOf(subject, grants).scopes).toHaveLength(2);
  expect(accessOf(subject, compile(set('viewer: []\ngroup_mappings: { viewers: [viewer] }'))).scopes).toEqual(
    ['viewer'],
  );
});

test('scope names cannot be made to look like other scopes together', () => {
  const tricky = compile(
    set(
      'UI-Scopes: { a: {}, b: {}, "a,b": { list_service: [all] }, "a\\",\\"b": { list_service: [all] } }\n' +
        'group_mappings: { both: [a, b], comma: ["a,b"], quote: ["a\\",\\"b"] }',
    ),
  );
  expect(accessOf({ groups: ['comma'] }, tricky).may('list_service')).toBe(true);
  expect(accessOf({ groups: ['quote'] }, tricky).may('list_service')).toBe(true);
  expect(accessOf({ groups: ['both'] }, tricky).may('list_service')).toBe(false);
});

test('thousands of different limits stay correct though not all are kept', () => {
  for (let index = 0; index < 3000; index += 1)
    expect(access(['viewers'], [index % 2 ? 'reader' : 'viewer', `x${index}`]).scopes).toHaveLength(1);
  const names = Array.from({ length: 1100 }, (_, index) => `s${index}`);
  const many = compile(
    set(
      `UI-Scopes: {${names.map((name) => `${name}: {}`).join(', ')}}\ngroup_mappings: { g: [${names.join(', ')}] }`,
    ),
  );
  for (const name of names)
    expect(accessOf({ groups: ['g'], limitedTo: [name] }, many).scopes).toEqual([name]);
  expect(many.byScopes.size).toBeLessThanOrEqual(1000);
});

test('what one person holds is theirs alone, also beside a scope of the same name that groups hold', () => {
  const personal = {
    ...{ provider: 'entra', subject: 'nora' },
    scope: {
      ...{ name: 'access-request:1', agentRules: [], groupMappings: [], serverRules: [] },
      uiPermissions: { list_service: ['one'] },
    },
  };
  const both = compile(
    set(
      'UI-Scopes: { "access-request:1": { list_service: [all] } }\ngroup_mappings: { g: ["access-request:1"] }',
    ),
    [personal],
  );
  const sees = (groups: string[], subject: string, provider = 'entra') =>
    accessOf({ groups, subject, provider }, both).permissions.get('list_service');
  expect(sees(['g'], 'other')).toBe('all');
  expect(sees([], 'nora')).toEqual(new Set(['one']));
  expect(sees([], 'nora', 'okta')).toBeUndefined();
  expect(accessOf({ groups: [] }, both).scopes).toEqual([]);
});
