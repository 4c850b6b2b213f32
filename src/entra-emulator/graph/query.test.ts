import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../main.ts';
import { type Answer, adminGraph, type Client, eventual } from '../testing/graph.ts';

const { accounts, agents, groups } = shippedTenant;
let emulator: Emulator;
let graph: Client;
beforeAll(async () => {
  emulator = await startEmulator();
  graph = await adminGraph(emulator);
});
afterAll(() => emulator.close());

async function names(path: string, headers?: Record<string, string>): Promise<string[]> {
  const { status, body } = await graph('GET', path, undefined, headers);
  if (status !== 200) throw new Error(`${status} ${body.error.code}: ${body.error.message}`);
  return body.value.map(({ displayName }: { displayName: string }) => displayName);
}

test.each([
  ["displayName eq 'alice contoso'", ['Alice Contoso']],
  ["startswith(displayName,'D')", ['Dora Contoso', 'Dan Contoso']],
  ["userPrincipalName in ('bob@contoso.example','dora@contoso.example')", ['Bob Contoso', 'Dora Contoso']],
  ["accountEnabled eq false and (userType eq 'Member')", ['Dan Contoso']],
  ["userType eq 'Guest' or mail eq 'nora@contoso.example'", ['Nora Contoso', 'Gus Contoso']],
  ['createdDateTime lt 2000-01-01T00:00:00Z', []],
  ["displayName eq 'it''s nobody'", []],
])('$filter %s keeps the right users', async (filter, expected) => {
  expect(await names(`/users?$filter=${encodeURIComponent(filter)}`)).toEqual(expected);
});

test('$filter looks into collections and nested objects', async () => {
  const uri = encodeURIComponent(`identifierUris/any(x:x eq '${shippedTenant.appIdUri}')`);
  expect(await names(`/applications?$filter=${uri}`)).toEqual(['mcp-gateway-web']);
  const secure = encodeURIComponent(
    "securityEnabled eq true and startswith(displayName,'mcp-test') and not(displayName eq 'mcp-test-nested')",
  );
  expect((await names(`/groups?$filter=${secure}&$count=true`, eventual)).length).toBe(4);
  const appRole = encodeURIComponent("appRoles/any(r:r/value eq 'Gateway.Invoke')");
  expect(await names(`/servicePrincipals?$filter=${appRole}`)).toEqual(['mcp-gateway-web']);
});

test.each([
  '$filter=not(accountEnabled eq true)',
  "$filter=displayName ne 'x'",
  "$filter=endswith(mail,'example')",
  '$search="displayName:alice"',
  "$filter=startswith(displayName,'A')&$orderby=displayName",
])('advanced query %s needs ConsistencyLevel and $count', async (query) => {
  const bare = await graph('GET', `/users?${query}`);
  expect(bare.status).toBe(400);
  expect(bare.body.error.code).toBe('Request_UnsupportedQuery');
  expect((await graph('GET', `/users?${query}`, undefined, eventual)).status).toBe(400);
  expect((await graph('GET', `/users?${query}&$count=true`, undefined, eventual)).status).toBe(200);
});

test('a cast needs the advanced mode too', async () => {
  const path = `/groups/${groups.users}/members/microsoft.graph.user`;
  expect((await graph('GET', path)).body.error.code).toBe('Request_UnsupportedQuery');
  expect(await names(`${path}?$count=true`, eventual)).toContain('Bob Contoso');
  expect(
    (
      await graph(
        'GET',
        `/groups/${groups.users}/members/microsoft.graph.device?$count=true`,
        undefined,
        eventual,
      )
    ).body.value,
  ).toEqual([]);
});

test('contains is not supported on directory objects', async () => {
  expect((await graph('GET', "/users?$filter=contains(displayName,'x')")).body.error.code).toBe(
    'Request_UnsupportedQuery',
  );
});

test('$search matches the beginnings of words', async () => {
  const search = (text: string) => names(`/users?$search=${encodeURIComponent(text)}&$count=true`, eventual);
  expect(await search('"displayName:ali"')).toEqual(['Alice Contoso']);
  expect(await search('"displayName:lice"')).toEqual([]);
  expect(await search('"displayName:contoso nor"')).toEqual(['Nora Contoso']);
  expect(await search('"displayName:alice" OR "mail:bob"')).toEqual(['Alice Contoso', 'Bob Contoso']);
});

test('$orderby sorts, $top cuts, and nextLink leads through everything once', async () => {
  const sorted = await names('/users?$orderby=displayName desc');
  expect(sorted).toEqual([...sorted].sort().reverse());
  const all: string[] = [];
  let next: string | undefined = '/groups?$top=50&$select=id,displayName';
  let pages = 0;
  while (next) {
    const { body }: Answer = await graph('GET', next);
    all.push(...body.value.map(({ id }: { id: string }) => id));
    next = body['@odata.nextLink'];
    pages += 1;
  }
  expect(pages).toBe(5);
  expect(new Set(all).size).toBe(209);
});

test('pages have 100 entries by default and 999 at most', async () => {
  expect((await graph('GET', '/groups')).body.value).toHaveLength(100);
  expect((await graph('GET', '/groups?$top=999')).body.value).toHaveLength(209);
  for (const top of ['0', '1000', 'x', '-1'])
    expect((await graph('GET', `/groups?$top=${top}`)).status).toBe(400);
});

test('$count counts everything, in a list and alone', async () => {
  const { body } = await graph('GET', '/groups?$count=true&$top=1', undefined, eventual);
  expect(body['@odata.count']).toBe(209);
  expect((await graph('GET', '/groups/$count', undefined, eventual)).body.text).toBe('209');
  expect((await graph('GET', '/groups/$count')).status).toBe(400);
  const path = `/users/${accounts.manyGroups.objectId}/transitiveMemberOf/microsoft.graph.group/$count`;
  expect((await graph('GET', path, undefined, eventual)).body.text).toBe('205');
});

test('$select gives what was asked for, an unknown name is 400, a known one that is not done 501', async () => {
  const { body } = await graph('GET', `/users/${accounts.user.objectId}?$select=displayName,accountEnabled`);
  expect(body).toEqual({
    '@odata.context': `${emulator.graphOrigin}/v1.0/$metadata#users(displayName,accountEnabled)/$entity`,
    displayName: 'Bob Contoso',
    accountEnabled: true,
  });
  expect((await graph('GET', '/users?$select=shoeSize')).status).toBe(400);
  expect((await graph('GET', '/users?$select=signInActivity')).status).toBe(501);
});

test('without $select a user shows the default properties only', async () => {
  const { body } = await graph('GET', `/users/${accounts.user.objectId}`);
  expect(body).not.toHaveProperty('accountEnabled');
  expect(body).toHaveProperty('userPrincipalName');
});

test('$expand brings at most twenty related objects', async () => {
  const { body } = await graph(
    'GET',
    `/users/${accounts.manyGroups.objectId}?$expand=memberOf($select=id,displayName)`,
  );
  expect(body.memberOf).toHaveLength(20);
  expect(Object.keys(body.memberOf[0]).sort()).toEqual(['@odata.type', 'displayName', 'id']);
  const group = await graph('GET', `/groups/${groups.admin}?$expand=members`);
  expect(group.body.members.map(({ id }: { id: string }) => id)).toEqual(
    expect.arrayContaining([accounts.admin.objectId, agents.admin.objectId]),
  );
  expect((await graph('GET', '/users?$expand=drive')).status).toBe(501);
  expect((await graph('GET', '/users?$expand=shoes')).status).toBe(400);
});

test.each([
  '$filter=',
  '$filter=displayName',
  "$filter=displayName eq 'open",
  '$filter=displayName eq',
  '$filter=((((',
  "$filter=displayName like 'x'",
  `$filter=${'('.repeat(500)}displayName eq 'x'${')'.repeat(500)}`,
  '$search=alice',
  '$skiptoken=AAAA',
  '$orderby=a b c',
  '$orderby=shoeSize',
  '$expand=members($filter=x)',
  '$foo=bar',
  '$top=1&$top=2',
  '$select=a b',
])('the malformed query %s is 400 in the shape of Graph', async (query) => {
  const { status, body } = await graph('GET', `/users?${query}`, undefined, eventual);
  expect(status).toBe(400);
  expect(body.error).toMatchObject({
    code: expect.any(String),
    message: expect.any(String),
    innerError: {
      'request-id': expect.any(String),
      'client-request-id': expect.any(String),
      date: expect.any(String),
    },
  });
});
