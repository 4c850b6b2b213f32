import { admin } from './admin.ts';

/** What every realm of the tests has: the gateway's client, its client scope, two groups, and people. */
export interface Realm {
  readonly name: string;
  readonly gateway: { readonly clientId: string; readonly clientSecret: string };
  readonly groups: { readonly admins: string; readonly users: string };
}

/** Everybody's password. */
export const password = 'correct horse battery';

/** Makes a realm as docs/providers/keycloak.md does it, for a gateway at this URL. */
export async function makeRealm(name: string, gatewayUrl: string): Promise<Realm> {
  await admin('POST', '', { realm: name, enabled: true });
  const gateway = { clientId: 'mcp-gateway-web', clientSecret: 'secret-of-the-gateway' };
  const callback = `${gatewayUrl}/oauth2/callback/keycloak`;
  await admin('POST', `/${name}/client-scopes`, {
    ...{ name: 'mcp-gateway', protocol: 'openid-connect', protocolMappers: mappers(gateway.clientId) },
  });
  await makeClient(name, {
    ...{ clientId: gateway.clientId, secret: gateway.clientSecret, standardFlowEnabled: true },
    redirectUris: [callback],
    attributes: {
      'post.logout.redirect.uris': callback,
      'pkce.code.challenge.method': 'S256',
    },
    withScope: true,
  });
  const [admins, users] = [
    (await admin('POST', `/${name}/groups`, { name: 'mcp-admins' })).id,
    (await admin('POST', `/${name}/groups`, { name: 'mcp-users' })).id,
  ];
  return { name, gateway, groups: { admins, users } };
}

/** Makes a confidential client; answers its internal id. */
export async function makeClient(
  realm: string,
  { withScope, ...client }: { clientId: string; withScope: boolean; [more: string]: unknown },
): Promise<string> {
  const { id } = await admin('POST', `/${realm}/clients`, {
    ...{ publicClient: false, standardFlowEnabled: false, directAccessGrantsEnabled: false },
    ...client,
  });
  if (!withScope) return id;
  const { body: scopes } = await admin('GET', `/${realm}/client-scopes`);
  const scope = scopes.find((one: { name: string }) => one.name === 'mcp-gateway');
  await admin('PUT', `/${realm}/clients/${id}/default-client-scopes/${scope.id}`);
  return id;
}

/** Makes an agent in these groups; answers its credentials and the id of its account. */
export async function makeAgent(
  realm: string,
  clientId: string,
  { groups, withScope = true }: { groups: readonly string[]; withScope?: boolean },
) {
  const clientSecret = `secret-of-${clientId}`;
  const id = await makeClient(realm, {
    ...{ clientId, secret: clientSecret, serviceAccountsEnabled: true, withScope },
  });
  const { body: account } = await admin('GET', `/${realm}/clients/${id}/service-account-user`);
  for (const group of groups) await admin('PUT', `/${realm}/users/${account.id}/groups/${group}`);
  return { clientId, clientSecret, accountId: account.id as string };
}

/** Makes the client as which the gateway manages accounts, with these roles of `realm-management`. */
export async function makeAdministrator(realm: string, roles: readonly string[]) {
  const made = await makeAgent(realm, 'mcp-gateway-admin', { groups: [], withScope: false });
  const [management] = (await admin('GET', `/${realm}/clients?clientId=realm-management`)).body;
  const { body: known } = await admin('GET', `/${realm}/clients/${management.id}/roles`);
  const given = known.filter(({ name }: { name: string }) => roles.includes(name));
  await admin('POST', `/${realm}/users/${made.accountId}/role-mappings/clients/${management.id}`, given);
  return made;
}

/** Makes a person in these groups; answers the id. */
export async function makePerson(realm: string, username: string, groups: readonly string[]) {
  const { id } = await admin('POST', `/${realm}/users`, {
    ...{ username, email: `${username}@example.com`, firstName: username, lastName: 'Test' },
    ...{ enabled: true, emailVerified: true },
    credentials: [{ type: 'password', value: password, temporary: false }],
  });
  for (const group of groups) await admin('PUT', `/${realm}/users/${id}/groups/${group}`);
  return id;
}

function mappers(audience: string): object[] {
  const everywhere = {
    'access.token.claim': 'true',
    'id.token.claim': 'true',
    'userinfo.token.claim': 'true',
  };
  return [
    {
      ...{ name: 'groups', protocol: 'openid-connect', protocolMapper: 'oidc-group-membership-mapper' },
      config: { 'claim.name': 'groups', 'full.path': 'false', ...everywhere },
    },
    {
      ...{ name: 'audience', protocol: 'openid-connect', protocolMapper: 'oidc-audience-mapper' },
      config: { 'included.client.audience': audience, 'access.token.claim': 'true' },
    },
  ];
}
