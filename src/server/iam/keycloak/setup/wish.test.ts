import { expect, test } from 'vitest';
import { type KeycloakWishOptions, keycloakWish } from './wish.ts';

const options: KeycloakWishOptions = {
  ...{ serverUrl: 'https://sso.example.com', realm: 'company', clientId: 'mcp-gateway-web' },
  ...{ roles: ['admin', 'user'], registryUrl: 'https://gw.example.com' },
};

test('what is not chosen is as the guide has it', () => {
  expect(keycloakWish(options)).toMatchObject({
    ...{ scopeName: 'mcp-gateway', adminClientId: 'mcp-gateway-admin', audience: 'mcp-gateway-web' },
    ...{ groupsClaim: 'groups', callback: 'https://gw.example.com/oauth2/callback/keycloak', members: [] },
    groups: [{ name: 'mcp-registry-admin' }, { name: 'mcp-users' }],
  });
});

test('a gateway of another name shares nothing with the first one', () => {
  const wish = keycloakWish({ ...options, clientId: 'acme-web', roles: ['admin', 'user', 'developer'] });
  expect(wish).toMatchObject({ scopeName: 'acme', adminClientId: 'acme-admin', audience: 'acme-web' });
  expect(wish.groups.map(({ name }) => name)).toEqual([
    'acme-registry-admin',
    'acme-users',
    'acme-developers',
  ]);
});

test('sign-in at an address of its own is where people come back to', () => {
  const { callback } = keycloakWish({ ...options, authUrl: 'https://login.example.com' });
  expect(callback).toBe('https://login.example.com/oauth2/callback/keycloak');
});

test.each<[string, Partial<KeycloakWishOptions>, RegExp]>([
  ['no server', { serverUrl: '' }, /--server-url or KEYCLOAK_URL/],
  ['the realm of the administrators', { realm: 'master' }, /master is for administering/],
  ['a realm that cannot be written down', { realm: "o'brien" }, /--realm: .*quote/],
  ['a client that cannot be written down', { clientId: 'a\nB=c' }, /--name: a quote or a control character/],
  ['administrators without a group', { roles: ['user'], admins: ['ada'] }, /--admin: there is no group/],
  ['users without a group', { roles: ['admin'], users: ['bob'] }, /--user: there is no group/],
  ['groups at a path', { groupsClaim: ['realm_access', 'roles'] }, /KEYCLOAK_GROUPS_CLAIM/],
])('%s is refused', (_, change, words) => {
  expect(() => keycloakWish({ ...options, ...change })).toThrow(words);
});
