import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../main.ts';
import { adminGraph, type Client } from '../testing/graph.ts';
import { operations } from './answer.ts';
import metadata from './metadata.json' with { type: 'json' };
import { entityTypes } from './schema.ts';

const types: Record<string, { properties: Record<string, string>; navigation: string[] }> = metadata.types;
let emulator: Emulator;
let graph: Client;
beforeAll(async () => {
  emulator = await startEmulator();
  graph = await adminGraph(emulator);
});
afterAll(() => emulator.close());

test('the extract of the published metadata names its source and date', () => {
  expect(metadata.source).toContain('msgraph-metadata');
  expect(metadata.date).toMatch(/^\d{4}-\d\d-\d\d$/);
});

test.each(Object.entries(entityTypes))(
  'every property of %s has its published name and type',
  (name, { properties, defaults = [], writable }) => {
    const published = types[name]?.properties ?? {};
    expect(Object.fromEntries(Object.keys(properties).map((key) => [key, published[key]]))).toEqual(
      properties,
    );
    for (const key of [...defaults, ...writable]) expect(published).toHaveProperty(key);
  },
);

test.each([
  ['user', '/users?$top=3'],
  ['group', '/groups?$top=3'],
  ['application', '/applications?$top=3'],
  ['servicePrincipal', '/servicePrincipals?$top=3'],
  ['directoryRole', '/directoryRoles'],
  ['appRoleAssignment', `/servicePrincipals/${shippedTenant.gatewayServicePrincipalId}/appRoleAssignedTo`],
  ['oAuth2PermissionGrant', '/oauth2PermissionGrants'],
  ['organization', '/organization'],
  ['domain', '/domains'],
])('what Graph emits for %s has no name that is not published', async (type, path) => {
  const { value } = (await graph('GET', path)).body;
  expect(value.length).toBeGreaterThan(0);
  for (const object of value)
    for (const key of Object.keys(object))
      if (!key.startsWith('@')) expect(types[type]?.properties).toHaveProperty(key);
});

test('an invitation has only published names', async () => {
  const { body } = await graph('POST', '/invitations', {
    invitedUserEmailAddress: 'a@b.example',
    inviteRedirectUrl: 'http://localhost',
  });
  const known = [...Object.keys(types.invitation?.properties ?? {}), ...(types.invitation?.navigation ?? [])];
  for (const key of Object.keys(body)) if (!key.startsWith('@')) expect(known).toContain(key);
});

test('every published action that is in the extract is answered, and no other', () => {
  const sets: Record<string, string> = {
    application: 'applications',
    servicePrincipal: 'servicePrincipals',
    user: 'users',
    'Collection(directoryObject)': 'directoryObjects',
  };
  const answered = operations
    .filter(({ method }) => method === 'POST')
    .map(({ path }) => path.split('/').filter(Boolean));
  for (const { name, on } of metadata.actions) {
    const set = sets[on];
    expect(answered.some((parts) => parts.at(-1) === name && (!set || parts[0] === set))).toBe(true);
  }
  const names = new Set(metadata.actions.map(({ name }) => name));
  const collections = new Set([
    '$ref',
    ...Object.values(types).flatMap(({ navigation }) => navigation),
    ...Object.values(entityTypes).map(({ set }) => set),
    'invitations',
  ]);
  for (const parts of answered) {
    const last = parts.at(-1) ?? '';
    expect(names.has(last) || collections.has(last)).toBe(true);
  }
});

test('every relation in a path is a published one', () => {
  const bySet = new Map<string, string>(Object.values(entityTypes).map(({ set, name }) => [set, name]));
  for (const { path } of operations) {
    const [set = '', , relation] = path.split('/').filter(Boolean);
    const type = types[bySet.get(set) ?? ''];
    if (!type || !relation || metadata.actions.some(({ name }) => name === relation)) continue;
    expect(type.navigation).toContain(relation);
  }
});
