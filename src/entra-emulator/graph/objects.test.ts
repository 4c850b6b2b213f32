import { createHash, generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeCertificate } from '../keys/certificate.ts';
import { type Emulator, shippedTenant, startEmulator } from '../main.ts';
import { claimsOf } from '../testing/browser.ts';
import { adminGraph, appGraph, type Client, eventual, graphClient, userGraph } from '../testing/graph.ts';
import { askAgentToken, authorizeUrl, signInForTokens } from '../testing/sign-in.ts';

const { accounts, agents, groups } = shippedTenant;
let emulator: Emulator;
let graph: Client;
beforeAll(async () => {
  emulator = await startEmulator();
});
beforeEach(async () => {
  graph = await adminGraph(emulator);
});
afterEach(() => emulator.reset());
afterAll(() => emulator.close());

const reference = (id: string) => ({ '@odata.id': `${emulator.graphOrigin}/v1.0/directoryObjects/${id}` });
const newUser = {
  accountEnabled: true,
  displayName: 'John Smith',
  mailNickname: 'jsmith',
  userPrincipalName: 'jsmith@contoso.example',
  passwordProfile: { password: 'SecurePassword123!', forceChangePasswordNextSignIn: false },
};
const newGroup = {
  displayName: 'public-mcp-users',
  mailEnabled: false,
  mailNickname: 'public-mcp-users',
  securityEnabled: true,
};

test('the M2M sequence of the setup: application, service principal, secret, member, role, token', async () => {
  const application = (
    await graph('POST', '/applications', { displayName: 'my-ai-agent', tags: ['mcp-gateway'] })
  ).body;
  const principal = (await graph('POST', '/servicePrincipals', { appId: application.appId })).body;
  expect(new Set([application.id, application.appId, principal.id]).size).toBe(3);
  const secret = (
    await graph('POST', `/applications/${application.id}/addPassword`, {
      passwordCredential: { displayName: 'one' },
    })
  ).body;
  expect(secret).toMatchObject({
    keyId: expect.any(String),
    secretText: expect.any(String),
    hint: secret.secretText.slice(0, 3),
    customKeyIdentifier: null,
  });
  expect((await graph('POST', `/groups/${groups.users}/members/$ref`, reference(principal.id))).status).toBe(
    204,
  );
  const gateway = (await graph('GET', `/servicePrincipals(appId='${emulator.clientId}')?$select=id,appRoles`))
    .body;
  const assignment = { principalId: principal.id, resourceId: gateway.id, appRoleId: gateway.appRoles[0].id };
  const assigned = await graph('POST', `/servicePrincipals/${gateway.id}/appRoleAssignedTo`, assignment);
  expect(assigned.body).toMatchObject({
    principalType: 'ServicePrincipal',
    principalDisplayName: 'my-ai-agent',
    resourceDisplayName: 'mcp-gateway-web',
  });
  const { body } = await askAgentToken(emulator, {
    clientId: application.appId,
    clientSecret: secret.secretText,
  });
  expect(claimsOf(body.access_token)).toMatchObject({
    oid: principal.id,
    groups: [groups.users],
    roles: ['Gateway.Invoke'],
  });
});

test('a secret is shown once; two can overlap and each can be removed', async () => {
  const path = `/applications(appId='${agents.user.clientId}')`;
  const { secretText, keyId } = (await graph('POST', `${path}/addPassword`, {})).body;
  const [old, fresh] = (await graph('GET', `${path}?$select=passwordCredentials`)).body.passwordCredentials;
  expect(fresh).toMatchObject({ keyId, secretText: null, hint: secretText.slice(0, 3) });
  expect(Date.parse(fresh.endDateTime) - Date.parse(fresh.startDateTime)).toBe(730 * 86_400_000);
  expect((await askAgentToken(emulator, agents.user)).status).toBe(200);
  expect((await graph('POST', `${path}/removePassword`, { keyId: old.keyId })).status).toBe(204);
  expect((await askAgentToken(emulator, agents.user)).status).toBe(401);
  expect(
    (await askAgentToken(emulator, { clientId: agents.user.clientId, clientSecret: secretText })).status,
  ).toBe(200);
  expect((await graph('POST', `${path}/removePassword`, { keyId: old.keyId })).status).toBe(400);
});

test('actions refuse parameters that their signature does not have', async () => {
  const path = `/applications(appId='${agents.user.clientId}')`;
  const { status, body } = await graph('POST', `${path}/addPassword`, { displayName: 'x' });
  expect(status).toBe(400);
  expect(body.error.message).toContain("'displayName'");
});

test('uniqueName makes creation idempotent for applications and groups', async () => {
  const prefer = { prefer: 'create-if-missing' };
  for (const [path, body] of [
    ["/applications(uniqueName='gw-x')", { displayName: 'x' }],
    ["/groups(uniqueName='gw-x')", newGroup],
  ] as const) {
    expect((await graph('PATCH', path, body)).status).toBe(404);
    expect((await graph('PATCH', path, body, prefer)).status).toBe(201);
    expect((await graph('PATCH', path, body, prefer)).status).toBe(204);
    expect((await graph('GET', path)).body.uniqueName).toBe('gw-x');
  }
  expect(
    (await graph('PATCH', "/servicePrincipals(appId='00000000-0000-4000-8000-000000000000')", {}, prefer))
      .status,
  ).toBe(400);
});

test('a second service principal for an application is refused', async () => {
  const { status, body } = await graph('POST', '/servicePrincipals', { appId: agents.user.clientId });
  expect(status).toBe(409);
  expect(body.error.code).toBe('Request_MultipleObjectsWithSameKeyValue');
});

test('deleting an application takes its service principal and memberships; each is restored on its own', async () => {
  const { id } = (await graph('GET', `/applications(appId='${agents.user.clientId}')?$select=id`)).body;
  expect((await graph('DELETE', `/applications/${id}`)).status).toBe(204);
  expect((await graph('GET', `/servicePrincipals/${agents.user.objectId}`)).status).toBe(404);
  expect((await askAgentToken(emulator, agents.user)).body.error_codes).toEqual([700016]);
  expect((await graph('GET', `/directory/deletedItems/${id}`)).body.deletedDateTime).toBeTruthy();
  expect((await graph('POST', `/directory/deletedItems/${id}/restore`)).status).toBe(200);
  expect((await graph('GET', `/servicePrincipals/${agents.user.objectId}`)).status).toBe(404);
  const principal = `/directory/deletedItems/${agents.user.objectId}/restore`;
  expect((await graph('POST', principal)).status).toBe(200);
  const { body } = await askAgentToken(emulator, agents.user);
  expect(claimsOf(body.access_token).groups).toEqual([groups.users]);
  await graph('DELETE', `/applications/${id}`);
  expect((await graph('DELETE', `/directory/deletedItems/${id}`)).status).toBe(204);
  expect((await graph('POST', `/directory/deletedItems/${id}/restore`)).status).toBe(404);
});

test('a unique name stays taken while its object is in the bin', async () => {
  const upsert = (set: string, more: object = {}) =>
    graph(
      'PATCH',
      `/${set}(uniqueName='taken')`,
      { displayName: 'x', ...more },
      { prefer: 'create-if-missing' },
    );
  const group = { mailEnabled: false, securityEnabled: true, mailNickname: 'x' };
  for (const [set, more] of [
    ['applications', {}],
    ['groups', group],
  ] as const) {
    const { body: made } = await upsert(set, more);
    await graph('DELETE', `/${set}/${made.id}`);
    const { status, body } = await upsert(set, more);
    expect([status, body.error.message]).toEqual([
      400,
      'Another object with the same value for property uniqueName already exists.',
    ]);
    await graph('DELETE', `/directory/deletedItems/${made.id}`);
    expect((await upsert(set, more)).status).toBe(201);
  }
});

test('App ID URIs are unique and need the own id or a verified domain', async () => {
  const { id, appId } = (await graph('POST', '/applications', { displayName: 'api' })).body;
  const set = async (uri: string) =>
    (await graph('PATCH', `/applications/${id}`, { identifierUris: [uri] })).status;
  expect(await set(`api://${appId}`)).toBe(204);
  expect(await set('https://api.contoso.example/x')).toBe(204);
  expect(await set('https://gateway.elsewhere.example')).toBe(400);
  expect(await set(shippedTenant.appIdUri)).toBe(400);
});

test('a certificate is registered by PATCH, and one that is there already may go back without its key', async () => {
  const { id } = (await graph('POST', '/applications', { displayName: 'certificates' })).body;
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const validity = { from: new Date('2026-01-01'), to: new Date('2036-01-01') };
  const make = (subject: string) =>
    makeCertificate({ subject, publicKey, signWith: privateKey, ...validity });
  const sent = (der: Buffer) => ({
    ...{ type: 'AsymmetricX509Cert', usage: 'Verify', displayName: 'gateway' },
    key: der.toString('base64'),
  });
  const set = async (keyCredentials: unknown[]) =>
    (await graph('PATCH', `/applications/${id}`, { keyCredentials })).status;
  const list = async () => (await graph('GET', `/applications/${id}`)).body.keyCredentials;
  const one = make('one');
  expect(await set([sent(one)])).toBe(204);
  const [first] = await list();
  expect(first).toMatchObject({
    ...{ displayName: 'gateway', key: null, endDateTime: expect.stringMatching(/^2036-01-01T/) },
    customKeyIdentifier: createHash('sha1').update(one).digest('hex').toUpperCase(),
  });
  expect(await set([first, sent(make('two'))])).toBe(204);
  expect((await list()).map(({ keyId }: { keyId: string }) => keyId)).toContain(first.keyId);
  expect(await list()).toHaveLength(2);
  expect(await set([{ ...sent(one), key: 'bm90aGluZw==' }])).toBe(400);
  expect(await set([])).toBe(204);
  expect(await list()).toEqual([]);
});

test('the front-channel logout URL is part of web, which keeps its redirect URIs', async () => {
  const { id, appId } = (await graph('POST', '/applications', { displayName: 'logout' })).body;
  await graph('POST', '/servicePrincipals', { appId });
  const redirectUris = ['https://gw.example/oauth2/callback/entra'];
  await graph('PATCH', `/applications/${id}`, { web: { redirectUris } });
  const logoutUrl = 'https://gw.example/oauth2/frontchannel-logout/entra';
  expect((await graph('PATCH', `/applications/${id}`, { web: { logoutUrl } })).status).toBe(204);
  expect((await graph('GET', `/applications/${id}`)).body.web).toMatchObject({ redirectUris, logoutUrl });
  expect((await graph('GET', `/servicePrincipals(appId='${appId}')`)).body.logoutUrl).toBe(logoutUrl);
});

test('redirect URIs are https, or http to this machine', async () => {
  const { id } = (await graph('POST', '/applications', { displayName: 'redirects' })).body;
  const set = async (uri: string) =>
    (await graph('PATCH', `/applications/${id}`, { web: { redirectUris: [uri] } })).status;
  expect(await set('https://your-domain.example/oauth2/callback/entra')).toBe(204);
  expect(await set('http://localhost/auth/callback')).toBe(204);
  expect(await set('http://your-domain.example/auth/callback')).toBe(400);
  expect(await set(`https://x.example/${'x'.repeat(256)}`)).toBe(400);
});

test('a scope value cannot start with a dot', async () => {
  const { id } = (await graph('POST', '/applications', { displayName: 'api' })).body;
  const api = (value: string) => ({ api: { oauth2PermissionScopes: [{ id: crypto.randomUUID(), value }] } });
  expect((await graph('PATCH', `/applications/${id}`, api('.default'))).status).toBe(400);
  expect((await graph('PATCH', `/applications/${id}`, api('use'))).status).toBe(204);
});

test('an enabled permission or role must be disabled before it goes, and brings its own id', async () => {
  const path = `/applications(appId='${emulator.clientId}')`;
  const { appRoles } = (await graph('GET', `${path}?$select=appRoles`)).body;
  const gone = await graph('PATCH', path, { appRoles: [] });
  expect(gone.body.error.code).toBe('CannotDeleteOrUpdateEnabledEntitlement');
  expect((await graph('PATCH', path, { appRoles: [...appRoles, { value: 'No.Id' }] })).status).toBe(400);
  expect((await graph('PATCH', path, { appRoles: [{ ...appRoles[0], isEnabled: false }] })).status).toBe(204);
  expect((await graph('PATCH', path, { appRoles: [] })).status).toBe(204);
});

test('a new user can sign in; what Graph demands of one is checked', async () => {
  const created = await graph('POST', '/users', newUser);
  expect(created.status).toBe(201);
  expect(created.body).toMatchObject({ userPrincipalName: 'jsmith@contoso.example', mail: null });
  expect(created.body).not.toHaveProperty('passwordProfile');
  const form = new URLSearchParams({
    emulator_username: 'jsmith@contoso.example',
    emulator_password: 'SecurePassword123!',
  });
  const signedIn = await fetch(authorizeUrl(emulator), { method: 'POST', redirect: 'manual', body: form });
  expect(signedIn.status).toBe(302);
  const again = await graph('POST', '/users', newUser);
  expect(again.body.error.details[0].code).toBe('ObjectConflict');
});

test('a password that Graph sets must be changed at the next sign-in, unless told otherwise, and ends sessions', async () => {
  await graph('PATCH', `/users/${accounts.user.objectId}`, {
    passwordProfile: { password: 'Changed-by-admin-1' },
  });
  const form = { emulator_username: 'bob@contoso.example', emulator_password: 'Changed-by-admin-1' };
  const send = (more: Record<string, string>) =>
    fetch(authorizeUrl(emulator), {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ ...form, ...more }),
    });
  const asked = await (await send({})).text();
  expect(asked).toContain('AADSTS50055');
  expect(asked).toContain('emulator_new_password');
  expect((await send({ emulator_new_password: 'weak' })).status).toBe(200);
  expect((await send({ emulator_new_password: 'Chosen-by-bob-1' })).status).toBe(302);
  expect((await send({ emulator_password: 'Chosen-by-bob-1' })).status).toBe(302);
});

test.each([
  ['a foreign domain', { userPrincipalName: 'jsmith@example.com' }, 'domain portion'],
  ['odd characters', { userPrincipalName: 'j smith@contoso.example' }, 'userPrincipalName is invalid'],
  ['no password', { passwordProfile: {} }, 'passwordProfile'],
  ['a weak password', { passwordProfile: { password: 'abc' } }, 'complexity'],
  ['no displayName', { displayName: undefined }, 'displayName'],
  ['no accountEnabled', { accountEnabled: undefined }, 'accountEnabled'],
  ['an unknown property', { shoeSize: 44 }, 'shoeSize'],
  ['a wrong type', { jobTitle: 1 }, 'jobTitle'],
])('a user with %s is refused', async (_what, change, words) => {
  const { status, body } = await graph('POST', '/users', { ...newUser, ...change });
  expect(status).toBe(400);
  expect(body.error.message).toContain(words);
});

test('a deleted user goes to the bin and comes back with the groups it had', async () => {
  const path = `/users/${accounts.user.objectId}`;
  expect((await graph('DELETE', path)).status).toBe(204);
  expect((await graph('GET', path)).body.error.code).toBe('Request_ResourceNotFound');
  const binned = (await graph('GET', '/directory/deletedItems/microsoft.graph.user')).body.value;
  expect(binned.map(({ id }: { id: string }) => id)).toEqual([accounts.user.objectId]);
  await graph('POST', `/directory/deletedItems/${accounts.user.objectId}/restore`);
  expect((await graph('GET', `${path}/memberOf`)).body.value.map(({ id }: { id: string }) => id)).toEqual([
    groups.users,
  ]);
});

test('an invitation makes the guest at once', async () => {
  const invitation = {
    invitedUserEmailAddress: 'pat@fabrikam.example',
    inviteRedirectUrl: 'http://localhost',
    sendInvitationMessage: true,
  };
  const { status, body } = await graph('POST', '/invitations', invitation);
  expect(status).toBe(201);
  expect(body).toMatchObject({
    status: 'PendingAcceptance',
    invitedUserType: 'Guest',
    inviteRedeemUrl: expect.any(String),
  });
  const guest = await graph('GET', `/users/${body.invitedUser.id}?$select=userPrincipalName,userType,mail`);
  expect(guest.body).toMatchObject({
    userPrincipalName: 'pat_fabrikam.example#EXT#@contoso.example',
    userType: 'Guest',
    mail: 'pat@fabrikam.example',
  });
});

test('a new group takes members of every kind, nested, and twenty at once', async () => {
  const group = (await graph('POST', '/groups', newGroup)).body;
  expect(group).toMatchObject({ groupTypes: [], securityEnabled: true });
  const bind = [accounts.user.objectId, agents.user.objectId, groups.nested].map(
    (id) => reference(id)['@odata.id'],
  );
  expect((await graph('PATCH', `/groups/${group.id}`, { 'members@odata.bind': bind })).status).toBe(204);
  const direct = (await graph('GET', `/groups/${group.id}/members`)).body.value;
  expect(direct.map((member: Record<string, string>) => member['@odata.type']).sort()).toEqual([
    '#microsoft.graph.group',
    '#microsoft.graph.servicePrincipal',
    '#microsoft.graph.user',
  ]);
  const all = (await graph('GET', `/groups/${group.id}/transitiveMembers`)).body.value;
  expect(all.map(({ id }: { id: string }) => id)).toContain(accounts.nested.objectId);
  const again = await graph('POST', `/groups/${group.id}/members/$ref`, reference(accounts.user.objectId));
  expect(again.status).toBe(400);
  expect(again.body.error.message).toContain('One or more added object references already exist');
  expect((await graph('DELETE', `/groups/${group.id}/members/${accounts.user.objectId}/$ref`)).status).toBe(
    204,
  );
  expect((await graph('DELETE', `/groups/${group.id}/members/${accounts.user.objectId}/$ref`)).status).toBe(
    404,
  );
});

test.each([
  ['a mail nickname with a space', { mailNickname: 'two words' }],
  ['a mail nickname that is too long', { mailNickname: 'x'.repeat(65) }],
  ['no securityEnabled', { securityEnabled: undefined }],
  ['mail and no unified type', { mailEnabled: true }],
])('a group with %s is refused', async (_what, change) => {
  expect((await graph('POST', '/groups', { ...newGroup, ...change })).status).toBe(400);
});

test('Microsoft 365 groups take users only, dynamic groups take nobody', async () => {
  const unified = (
    await graph('POST', '/groups', { ...newGroup, groupTypes: ['Unified'], mailEnabled: true })
  ).body;
  expect(
    (await graph('POST', `/groups/${unified.id}/members/$ref`, reference(agents.user.objectId))).status,
  ).toBe(400);
  expect(
    (await graph('POST', `/groups/${unified.id}/members/$ref`, reference(accounts.user.objectId))).status,
  ).toBe(204);
  const dynamic = (
    await graph('POST', '/groups', { ...newGroup, groupTypes: ['DynamicMembership'], membershipRule: 'x' })
  ).body;
  expect(
    (await graph('POST', `/groups/${dynamic.id}/members/$ref`, reference(accounts.user.objectId))).status,
  ).toBe(400);
});

test('a deleted group is in the bin, a security group too', async () => {
  const security = (await graph('POST', '/groups', newGroup)).body;
  const unified = (
    await graph('POST', '/groups', { ...newGroup, groupTypes: ['Unified'], mailEnabled: true })
  ).body;
  await graph('DELETE', `/groups/${security.id}`);
  await graph('DELETE', `/groups/${unified.id}`);
  expect((await graph('GET', `/directory/deletedItems/${security.id}`)).status).toBe(200);
  expect((await graph('GET', `/directory/deletedItems/${unified.id}`)).status).toBe(200);
});

test('getMember and checkMember answer with nested groups, for users and service principals', async () => {
  const nested = `/users/${accounts.nested.objectId}`;
  expect(
    (await graph('POST', `${nested}/getMemberObjects`, { securityEnabledOnly: true })).body.value.sort(),
  ).toEqual([groups.nested, groups.users].sort());
  expect(
    (await graph('POST', `${nested}/microsoft.graph.getMemberGroups`, { securityEnabledOnly: true })).body
      .value,
  ).toContain(groups.users);
  expect(
    (await graph('POST', `${nested}/checkMemberGroups`, { groupIds: [groups.users, groups.admin] })).body
      .value,
  ).toEqual([groups.users]);
  expect(
    (await graph('POST', `/servicePrincipals/${agents.admin.objectId}/getMemberObjects`, {})).body.value,
  ).toEqual([groups.admin]);
  expect(
    (
      await graph('POST', `/directoryObjects/${agents.admin.objectId}/checkMemberObjects`, {
        ids: [groups.admin],
      })
    ).body.value,
  ).toEqual([groups.admin]);
  const many = Array.from({ length: 21 }, () => groups.users);
  expect((await graph('POST', `${nested}/checkMemberGroups`, { groupIds: many })).status).toBe(400);
});

test('getByIds, organization and domains answer', async () => {
  const ids = [accounts.user.objectId, groups.users];
  expect(
    (await graph('POST', '/directoryObjects/getByIds', { ids, types: ['user'] })).body.value,
  ).toHaveLength(1);
  const { value } = (await graph('GET', '/organization?$select=id,verifiedDomains')).body;
  expect(value).toMatchObject([
    { id: emulator.tenantId, verifiedDomains: [{ name: 'contoso.example', isDefault: true }] },
  ]);
  expect((await graph('GET', '/domains/contoso.example')).body.isVerified).toBe(true);
});

test('role assignments are unique, fit their resource and their kind', async () => {
  const resource = shippedTenant.gatewayServicePrincipalId;
  const path = `/servicePrincipals/${resource}/appRoleAssignedTo`;
  const { value } = (await graph('GET', path)).body;
  const { principalId, resourceId, appRoleId } = value[0];
  const twice = await graph('POST', path, { principalId, resourceId, appRoleId });
  expect(twice.body.error.message).toBe('Permission being assigned already exists on the object');
  const unknown = await graph('POST', path, {
    principalId: agents.stray.objectId,
    resourceId,
    appRoleId: groups.users,
  });
  expect(unknown.status).toBe(400);
  const user = await graph('POST', path, { principalId: accounts.user.objectId, resourceId, appRoleId });
  expect(user.status).toBe(400);
  const nobody = await graph('POST', path, {
    principalId: groups.users.replace('62', '99'),
    resourceId,
    appRoleId,
  });
  expect(nobody.body.error.message).toBe('Not a valid reference update.');
  expect((await graph('DELETE', `${path}/${value[0].id}`)).status).toBe(204);
});

test('delegated permission grants can be made, widened and removed', async () => {
  const clientId = agents.stray.objectId;
  const resourceId = (
    await graph('GET', "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id")
  ).body.id;
  const made = await graph('POST', '/oauth2PermissionGrants', {
    clientId,
    resourceId,
    consentType: 'AllPrincipals',
    scope: 'User.Read',
  });
  expect(made.status).toBe(201);
  expect(made.body.id).not.toMatch(/^[0-9a-f-]{36}$/);
  const { consentType, scope } = made.body;
  const again = await graph('POST', '/oauth2PermissionGrants', { clientId, resourceId, consentType, scope });
  expect([again.status, again.body.error.code]).toEqual([409, 'Request_MultipleObjectsWithSameKeyValue']);
  expect(
    (await graph('PATCH', `/oauth2PermissionGrants/${made.body.id}`, { scope: 'User.Read email' })).status,
  ).toBe(204);
  const filter = encodeURIComponent(`clientId eq '${clientId}'`);
  expect((await graph('GET', `/oauth2PermissionGrants?$filter=${filter}`)).body.value).toMatchObject([
    { scope: 'User.Read email' },
  ]);
  expect((await graph('DELETE', `/oauth2PermissionGrants/${made.body.id}`)).status).toBe(204);
});

test('federated credentials: at most twenty, one audience, unique by name and by issuer and subject', async () => {
  const path = `/applications(appId='${agents.user.clientId}')/federatedIdentityCredentials`;
  const make = (index: number, more = {}) =>
    graph('POST', path, {
      name: `n${index}`,
      issuer: 'https://i.example',
      subject: `s${index}`,
      audiences: ['api://AzureADTokenExchange'],
      ...more,
    });
  expect((await make(0)).status).toBe(201);
  expect((await make(0)).status).toBe(400);
  expect((await make(1, { audiences: [] })).status).toBe(400);
  for (let index = 1; index < 20; index += 1) await make(index);
  expect((await make(20)).status).toBe(400);
  const { value } = (await graph('GET', path)).body;
  expect((await graph('DELETE', `${path}/${value[0].id}`)).status).toBe(204);
});

test('owners can be listed, added and removed; whoever makes an application owns it', async () => {
  const { id } = (await graph('POST', '/applications', { displayName: 'owned' })).body;
  const owners = async () => (await graph('GET', `/applications/${id}/owners`)).body.value;
  expect(await owners()).toHaveLength(1);
  expect(
    (await graph('POST', `/applications/${id}/owners/$ref`, reference(accounts.user.objectId))).status,
  ).toBe(204);
  expect((await graph('DELETE', `/applications/${id}/owners/${accounts.user.objectId}/$ref`)).status).toBe(
    204,
  );
  expect(
    (await graph('POST', `/groups/${groups.users}/owners/$ref`, reference(accounts.user.objectId))).status,
  ).toBe(204);
  expect((await graph('GET', `/users/${accounts.user.objectId}/ownedObjects`)).body.value).toHaveLength(1);
});

test('a user sees itself with User.Read, and what it may not read is an id with nulls', async () => {
  const graph = await adminGraph(emulator);
  for (const { id, scope } of (await graph('GET', '/oauth2PermissionGrants')).body.value)
    if (scope.includes('User.Read'))
      await graph('PATCH', `/oauth2PermissionGrants/${id}`, { scope: `${scope} GroupMember.Read.All` });
  const me = await userGraph(emulator, accounts.noGroup);
  expect((await me('GET', '/me')).body.userPrincipalName).toBe('nora@contoso.example');
  expect((await me('POST', '/me/getMemberObjects', { securityEnabledOnly: true })).body.value).toEqual([]);
  expect((await me('GET', '/users')).body.error.code).toBe('Authorization_RequestDenied');
  const members = (await me('GET', `/groups/${groups.users}/members`)).body.value;
  const user = members.find((member: Record<string, unknown>) => member.id === accounts.user.objectId);
  expect(user).toMatchObject({ '@odata.type': '#microsoft.graph.user', displayName: null });
});

test('app-only callers have no /me', async () => {
  const { status, body } = await graph('GET', '/me');
  expect(status).toBe(400);
  expect(body.error.code).toBe('BadRequest');
});

test('an application with OwnedBy changes only what it made', async () => {
  const { appRoles, id: resourceId } = (
    await graph('GET', "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')")
  ).body;
  const appRoleId = appRoles.find(
    ({ value }: { value: string }) => value === 'Application.ReadWrite.OwnedBy',
  ).id;
  await graph('POST', `/servicePrincipals/${resourceId}/appRoleAssignedTo`, {
    principalId: agents.stray.objectId,
    resourceId,
    appRoleId,
  });
  const limited = await appGraph(emulator, agents.stray);
  const own = (await limited('POST', '/applications', { displayName: 'mine' })).body;
  expect((await limited('POST', `/applications/${own.id}/addPassword`, {})).status).toBe(200);
  expect((await limited('PATCH', `/applications(appId='${emulator.clientId}')`, { notes: 'x' })).status).toBe(
    403,
  );
  expect((await limited('POST', '/groups', newGroup)).status).toBe(403);
});

test('a delegated change needs the permission and an administrator', async () => {
  const scope = 'https://graph.microsoft.com/Group.ReadWrite.All';
  const clientId = shippedTenant.gatewayServicePrincipalId;
  const filter = encodeURIComponent(`clientId eq '${clientId}'`);
  const grants = (await graph('GET', `/oauth2PermissionGrants?$filter=${filter}`)).body.value;
  const grant = grants.find((one: { scope: string }) => one.scope.includes('User.Read'));
  await graph('PATCH', `/oauth2PermissionGrants/${grant.id}`, {
    scope: `${grant.scope} Group.ReadWrite.All`,
  });
  const as = async (account: { objectId: string }) =>
    graphClient(emulator, String((await signInForTokens(emulator, account, { scope })).access_token));
  expect((await (await as(accounts.user))('POST', '/groups', newGroup)).status).toBe(403);
  expect((await (await as(accounts.globalAdmin))('POST', '/groups', newGroup)).status).toBe(201);
});

test.each([
  ['no token', ''],
  ['nonsense', 'nonsense'],
  ['a forged token', 'eyJhbGciOiJub25lIn0.e30.'],
])('%s is 401 InvalidAuthenticationToken with the authorization_uri', async (_what, token) => {
  const { status, body, headers } = await graphClient(emulator, token)('GET', '/users');
  expect(status).toBe(401);
  expect(body.error.code).toBe('InvalidAuthenticationToken');
  expect(headers.get('www-authenticate')).toContain('authorization_uri=');
});

test('a token for another API or one that expired is 401', async () => {
  const other = await askAgentToken(emulator, agents.admin);
  expect(
    (await graphClient(emulator, String(other.body.access_token))('GET', '/users')).body.error.message,
  ).toContain('audience');
  emulator.clock.advance(2 * 3_600_000);
  expect((await graph('GET', '/users')).body.error.message).toContain('expired');
});

test('a batch answers each request by itself, in any order', async () => {
  const { status, body } = await graph('POST', '/$batch', {
    requests: [
      { id: 'a', method: 'GET', url: `/users/${accounts.user.objectId}?$select=id` },
      { id: 'b', method: 'GET', url: '/users/nobody', dependsOn: ['a'] },
      {
        id: 'c',
        method: 'POST',
        url: '/groups',
        headers: { 'Content-Type': 'application/json' },
        body: newGroup,
        dependsOn: ['b'],
      },
      { id: 'd', method: 'GET', url: '/groups/$count', headers: eventual },
    ],
  });
  expect(status).toBe(200);
  const by = Object.fromEntries(
    body.responses.map((one: { id: string; status: number }) => [one.id, one.status]),
  );
  expect(by).toEqual({ a: 200, b: 404, c: 424, d: 200 });
});

test.each([
  [{ requests: [] }],
  [{}],
  [
    {
      requests: Array.from({ length: 21 }, (_, index) => ({
        id: String(index),
        method: 'GET',
        url: '/users',
      })),
    },
  ],
  [
    {
      requests: [
        { id: '1', method: 'GET', url: '/users' },
        { id: '1', method: 'GET', url: '/users' },
      ],
    },
  ],
  [{ requests: [{ id: '1', method: 'GET', url: 'https://evil.example/' }] }],
  [
    {
      requests: [
        { id: '1', method: 'GET', url: '/users', dependsOn: ['2'] },
        { id: '2', method: 'GET', url: '/users', dependsOn: ['1'] },
      ],
    },
  ],
])('a malformed batch is refused (%#)', async (batch) => {
  expect((await graph('POST', '/$batch', batch)).status).toBe(400);
});

test('what Graph does and the emulator does not is 501 and named', async () => {
  const { status, body } = await graph('GET', '/users/x/messages');
  expect(status).toBe(501);
  expect(body.error.message).toContain('/users/x/messages');
  const beta = await graph('GET', `${emulator.graphOrigin}/beta/users`);
  expect(beta.status).toBe(501);
  expect((await graph('DELETE', '/organization')).status).toBe(405);
});

test('guests and members of one tenant are not visible in the other', async () => {
  const { agent, tenantId, account } = shippedTenant.other;
  const response = await fetch(`${emulator.origin}/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: agent.clientId,
      client_secret: agent.clientSecret,
      scope: 'https://graph.microsoft.com/.default',
    }),
  });
  const { access_token } = (await response.json()) as { access_token: string };
  expect((await graphClient(emulator, access_token)('GET', '/users')).status).toBe(403);
  expect((await graph('GET', `/users/${account.objectId}`)).status).toBe(404);
});
