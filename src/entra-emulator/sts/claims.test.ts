import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Emulator, shippedSeed, shippedTenant, startEmulator } from '../main.ts';
import { claimsOf, headerOf } from '../testing/browser.ts';
import { adminGraph } from '../testing/graph.ts';
import { askAgentToken, askToken, signInForTokens } from '../testing/sign-in.ts';

const { accounts, agents, appIdUri, groups } = shippedTenant;
let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.reset());
afterAll(() => emulator.close());

/** Changes the gateway's registration through Graph. */
async function configure(change: Record<string, unknown>): Promise<void> {
  const graph = await adminGraph(emulator);
  const { status, body } = await graph('PATCH', `/applications(appId='${emulator.clientId}')`, change);
  if (status !== 204) throw new Error(JSON.stringify(body));
}

const delegated = { scope: `${shippedTenant.clientId}/access_as_user` };

test('a default v2.0 app-only token has exactly the captured claims', async () => {
  await configure({ optionalClaims: null, groupMembershipClaims: null });
  const { body } = await askAgentToken(emulator, agents.stray);
  expect(Object.keys(claimsOf(body.access_token)).sort()).toEqual(
    [
      'aio',
      'aud',
      'azp',
      'azpacr',
      'exp',
      'iat',
      'iss',
      'nbf',
      'oid',
      'rh',
      'sub',
      'tid',
      'uti',
      'ver',
      'xms_ftd',
    ].sort(),
  );
  expect(Object.keys(body).sort()).toEqual(['access_token', 'expires_in', 'ext_expires_in', 'token_type']);
});

test('an app-only token has oid = sub, granted roles, azpacr by kind of credential, never scp', async () => {
  const claims = claimsOf((await askAgentToken(emulator, agents.admin)).body.access_token);
  expect(claims).toMatchObject({
    aud: emulator.clientId,
    azp: agents.admin.clientId,
    azpacr: '1',
    oid: agents.admin.objectId,
    sub: agents.admin.objectId,
    roles: ['Gateway.Invoke'],
    ver: '2.0',
    idtyp: 'app',
  });
  expect(claims).not.toHaveProperty('scp');
});

test.each([null, 1])(
  'with requestedAccessTokenVersion %s the API gets v1.0 tokens from the v2.0 endpoint',
  async (version) => {
    await configure({ api: { requestedAccessTokenVersion: version } });
    const { body } = await askAgentToken(emulator, agents.admin);
    expect(claimsOf(body.access_token)).toMatchObject({
      aud: appIdUri,
      iss: emulator.issuers.v1,
      appid: agents.admin.clientId,
      appidacr: '1',
      idp: emulator.issuers.v1,
      ver: '1.0',
    });
    expect(headerOf(body.access_token)).toHaveProperty('x5t');
    expect(claimsOf(body.access_token)).not.toHaveProperty('azp');
  },
);

test('the audience of a v1.0 token is the identifier as it was asked for', async () => {
  await configure({ api: { requestedAccessTokenVersion: null } });
  for (const asked of [appIdUri, `${appIdUri}/`, emulator.clientId]) {
    const { body } = await askAgentToken(emulator, agents.admin, { scope: `${asked}/.default` });
    expect(claimsOf(body.access_token).aud).toBe(asked);
  }
});

test('a v2.0 delegated token has scp, a pairwise sub, and the user as oid', async () => {
  const { access_token } = await signInForTokens(emulator, accounts.admin, delegated);
  const claims = claimsOf(access_token);
  expect(claims).toMatchObject({
    aud: emulator.clientId,
    azp: emulator.clientId,
    azpacr: '1',
    scp: 'access_as_user',
    oid: accounts.admin.objectId,
    name: 'Alice Contoso',
    preferred_username: 'alice@contoso.example',
    groups: [groups.admin],
    ver: '2.0',
  });
  expect(claims.sub).not.toBe(claims.oid);
  expect(headerOf(access_token)).toEqual({ typ: 'JWT', alg: 'RS256', kid: expect.any(String) });
});

test('a v1.0 delegated token has upn, unique_name, names, ipaddr, amr and acr', async () => {
  await configure({ api: { requestedAccessTokenVersion: null } });
  const { access_token } = await signInForTokens(emulator, accounts.admin, delegated);
  expect(claimsOf(access_token)).toMatchObject({
    ver: '1.0',
    appid: emulator.clientId,
    upn: 'alice@contoso.example',
    unique_name: 'alice@contoso.example',
    given_name: 'Alice',
    family_name: 'Contoso',
    ipaddr: '127.0.0.1',
    amr: ['pwd'],
    acr: '1',
  });
});

test('a guest has no upn in a v1.0 token, and is named as at home', async () => {
  await configure({ api: { requestedAccessTokenVersion: null } });
  const { access_token } = await signInForTokens(emulator, accounts.guest, delegated);
  const claims = claimsOf(access_token);
  expect(claims).toMatchObject({ ver: '1.0', unique_name: 'gus@fabrikam.example' });
  expect(claims).not.toHaveProperty('upn');
});

test('tokens are issued five minutes in the past and live 60 to 90 minutes', async () => {
  const { body } = await askAgentToken(emulator, agents.admin);
  const { iat, nbf, exp } = claimsOf(body.access_token) as { iat: number; nbf: number; exp: number };
  expect(nbf).toBe(iat);
  expect(exp - iat).toBe(Number(body.expires_in) + 300);
  expect(body.expires_in).toBeGreaterThanOrEqual(3600);
  expect(body.expires_in).toBeLessThan(5400);
});

test('a client that can take revocations gets a token for a day', async () => {
  const claims = JSON.stringify({ access_token: { xms_cc: { values: ['cp1'] } } });
  const { body } = await askAgentToken(emulator, agents.admin, { claims });
  expect(body.expires_in).toBe(86_399);
});

test('the ID token has what its scopes give, and the sub of this application', async () => {
  const { id_token } = await signInForTokens(emulator, accounts.admin);
  const claims = claimsOf(id_token);
  expect(claims).toMatchObject({
    aud: emulator.clientId,
    iss: emulator.issuers.v2,
    nonce: 'some-nonce',
    name: 'Alice Contoso',
    preferred_username: 'alice@contoso.example',
    email: 'alice@contoso.example',
    oid: accounts.admin.objectId,
    groups: [groups.admin],
    ver: '2.0',
  });
  expect(claims).not.toHaveProperty('at_hash');
  await configure({ optionalClaims: null });
  const bare = claimsOf((await signInForTokens(emulator, accounts.admin, { scope: 'openid' })).id_token);
  expect(bare).not.toHaveProperty('name');
  expect(bare).not.toHaveProperty('oid');
  expect(bare).not.toHaveProperty('email');
});

test('optional claims appear where the registration asks for them and there is a value', async () => {
  const list = [
    'acct',
    'ctry',
    'upn',
    'family_name',
    'auth_time',
    'sid',
    'verified_primary_email',
    'xms_edov',
  ];
  const optional = list.map((name) => ({ name }));
  await configure({
    optionalClaims: {
      idToken: optional,
      accessToken: [...optional, { name: 'idtyp', additionalProperties: ['include_user_token'] }],
    },
  });
  const user = await signInForTokens(emulator, accounts.user, {
    scope: `openid ${emulator.clientId}/access_as_user`,
  });
  expect(claimsOf(user.access_token)).toMatchObject({
    acct: 0,
    upn: 'bob@contoso.example',
    family_name: 'Contoso',
    idtyp: 'user',
  });
  expect(claimsOf(user.access_token)).not.toHaveProperty('ctry');
  const guest = await signInForTokens(emulator, accounts.guest, {
    scope: `openid ${emulator.clientId}/access_as_user`,
  });
  expect(claimsOf(guest.id_token)).toMatchObject({
    acct: 1,
    email: 'gus@fabrikam.example',
    idp: expect.stringContaining(shippedTenant.other.tenantId),
  });
  expect(claimsOf(guest.id_token)).not.toHaveProperty('upn');
});

test('idtyp is in app-only tokens only when the API asks for it', async () => {
  await configure({ optionalClaims: null });
  expect(claimsOf((await askAgentToken(emulator, agents.admin)).body.access_token)).not.toHaveProperty(
    'idtyp',
  );
});

test('Graph tokens are v1.0 and nobody else can verify them', async () => {
  const { access_token } = await signInForTokens(emulator, accounts.admin);
  expect(claimsOf(access_token)).toMatchObject({ aud: 'https://graph.microsoft.com', ver: '1.0' });
  expect(headerOf(access_token)).toHaveProperty('nonce');
  const keys = createRemoteJWKSet(new URL(`${emulator.origin}/common/discovery/v2.0/keys`));
  await expect(jwtVerify(String(access_token), keys)).rejects.toThrow('signature verification failed');
});

test('MSAL gets the client_info it keys its cache by', async () => {
  const { client_info } = await signInForTokens(emulator, accounts.admin);
  expect(JSON.parse(Buffer.from(String(client_info), 'base64url').toString())).toEqual({
    uid: accounts.admin.objectId,
    utid: emulator.tenantId,
  });
});

test('sub differs per application and stays the same between sign-ins', async () => {
  const one = claimsOf((await signInForTokens(emulator, accounts.admin)).id_token);
  const two = claimsOf((await signInForTokens(emulator, accounts.admin)).id_token);
  expect(one.sub).toBe(two.sub);
});

test.each([
  ['null', null, {}],
  ['SecurityGroup', 'SecurityGroup', { groups: [groups.nested, groups.users] }],
  ['All', 'All', { groups: [groups.nested, groups.users] }],
  ['DirectoryRole', 'DirectoryRole', {}],
])(
  'with groupMembershipClaims %s the claims are the matching ones, nested groups included',
  async (_name, setting, expected) => {
    await configure({ groupMembershipClaims: setting });
    const claims = claimsOf((await signInForTokens(emulator, accounts.nested)).id_token);
    if ('groups' in expected) expect([...(claims.groups as string[])].sort()).toEqual(expected.groups.sort());
    else expect(claims).not.toHaveProperty('groups');
  },
);

test('DirectoryRole emits wids with template ids', async () => {
  await configure({ groupMembershipClaims: 'DirectoryRole' });
  const claims = claimsOf((await signInForTokens(emulator, accounts.globalAdmin)).id_token);
  expect(claims.wids).toEqual(['62e90394-69f5-4237-9190-012177145e10']);
});

test('ApplicationGroup emits only groups assigned to the application, directly, by name if wanted', async () => {
  await configure({
    groupMembershipClaims: 'ApplicationGroup',
    optionalClaims: { idToken: [{ name: 'groups', additionalProperties: ['cloud_displayname'] }] },
  });
  const graph = await adminGraph(emulator);
  const resourceId = shippedTenant.gatewayServicePrincipalId;
  await graph('POST', `/groups/${groups.users}/appRoleAssignments`, {
    principalId: groups.users,
    resourceId,
    appRoleId: '00000000-0000-0000-0000-000000000000',
  });
  expect(claimsOf((await signInForTokens(emulator, accounts.user)).id_token).groups).toEqual([
    'mcp-test-users',
  ]);
  expect(claimsOf((await signInForTokens(emulator, accounts.nested)).id_token)).not.toHaveProperty('groups');
});

test('groups can be emitted as roles', async () => {
  await configure({
    optionalClaims: { idToken: [{ name: 'groups', additionalProperties: ['emit_as_roles'] }] },
  });
  const claims = claimsOf((await signInForTokens(emulator, accounts.admin)).id_token);
  expect(claims.roles).toEqual([groups.admin]);
  expect(claims).not.toHaveProperty('groups');
});

test('more than 200 groups become an overage marker in ID and access token', async () => {
  const tokens = await signInForTokens(emulator, accounts.manyGroups, {
    scope: `openid ${emulator.clientId}/access_as_user`,
  });
  for (const token of [tokens.id_token, tokens.access_token]) {
    const claims = claimsOf(token);
    expect(claims).not.toHaveProperty('groups');
    expect(claims._claim_names).toEqual({ groups: 'src1' });
    expect(claims._claim_sources).toEqual({
      src1: {
        endpoint: `https://graph.windows.net/${emulator.tenantId}/users/${accounts.manyGroups.objectId}/getMemberObjects`,
      },
    });
  }
});

test('exactly 200 groups are still listed', async () => {
  const seed = shippedSeed();
  const tenant = seed.tenants[0];
  if (tenant)
    tenant.groups = Array.from({ length: 200 }, (_, index) => ({
      displayName: `g${index}`,
      members: [accounts.admin.objectId],
    }));
  const other = await startEmulator({ seed });
  expect((claimsOf((await signInForTokens(other, accounts.admin)).id_token).groups as string[]).length).toBe(
    200,
  );
  await other.close();
});

test('an app-only token above the limit has no groups and no marker', async () => {
  emulator.faults.add({ kind: 'overageThreshold', groups: 0 });
  const claims = claimsOf((await askAgentToken(emulator, agents.admin)).body.access_token);
  expect(claims).not.toHaveProperty('groups');
  expect(claims).not.toHaveProperty('_claim_names');
});

test('a role of a group reaches its users, not the service principals in it', async () => {
  const graph = await adminGraph(emulator);
  const path = `/applications(appId='${emulator.clientId}')`;
  const { body } = await graph('GET', `${path}?$select=appRoles`);
  const role = { id: crypto.randomUUID(), value: 'Reader', allowedMemberTypes: ['User', 'Application'] };
  await graph('PATCH', path, { appRoles: [...body.appRoles, role] });
  const roles = (await graph('GET', `${path}?$select=appRoles`)).body.appRoles;
  const appRoleId = roles.find(({ value }: { value: string }) => value === 'Reader').id;
  const assignment = {
    principalId: groups.admin,
    resourceId: shippedTenant.gatewayServicePrincipalId,
    appRoleId,
  };
  expect((await graph('POST', `/groups/${groups.admin}/appRoleAssignments`, assignment)).status).toBe(201);
  expect(claimsOf((await signInForTokens(emulator, accounts.admin)).id_token).roles).toEqual(['Reader']);
  expect(claimsOf((await askAgentToken(emulator, agents.admin)).body.access_token).roles).toEqual([
    'Gateway.Invoke',
  ]);
});

test('a removed member loses the group with the next token', async () => {
  const graph = await adminGraph(emulator);
  const tokens = await signInForTokens(emulator, accounts.admin, { scope: 'openid profile offline_access' });
  await graph('DELETE', `/groups/${groups.admin}/members/${accounts.admin.objectId}/$ref`);
  const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
  expect(claimsOf((await askToken(emulator, refresh)).body.id_token)).not.toHaveProperty('groups');
});
