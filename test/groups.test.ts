import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../src/entra-emulator/main.ts';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { adminGraph } from '../src/entra-emulator/testing/graph.ts';
import { ageGroups, seenEverywhere, startGateway, type TestGateway } from './harness.ts';
import { agentToken, cookiesOf, mintToken, signIn, submitSignIn } from './sign-in.ts';

const { accounts, agents, groups } = shippedTenant;
let gateway: TestGateway;
const secrets: string[] = [];

beforeAll(async () => {
  gateway = await startGateway();
});
afterEach(() => fetch(`${gateway.emulatorUrl}/_emulator/faults`, { method: 'DELETE' }));
afterAll(() => gateway?.close());

/** Makes every question to the emulator's Graph fail, and for longer than anybody waits to ask it again. */
const failGraph = () =>
  fetch(`${gateway.emulatorUrl}/_emulator/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'status', status: 503, path: '/graph/', retryAfterSeconds: 600 }),
  });

/** Asks for tokens of a person: signs in at the emulator as the command-line client of the tenant would. */
async function personToken(userPrincipalName: string): Promise<string> {
  const base = `${gateway.emulatorUrl}/${shippedTenant.tenantId}/oauth2/v2.0`;
  const shared = { client_id: shippedTenant.publicClientId, redirect_uri: 'http://localhost' };
  const scope = `openid ${shippedTenant.appIdUri}/access_as_user`;
  const asked = new URLSearchParams({ ...shared, scope, response_type: 'code' });
  const callback = await submitSignIn(`${base}/authorize?${asked}`, userPrincipalName);
  const code = callback.searchParams.get('code') ?? '';
  const body = new URLSearchParams({ ...shared, grant_type: 'authorization_code', code });
  const answer = await fetch(`${base}/token`, { method: 'POST', body });
  const { access_token } = (await answer.json()) as { access_token: string };
  secrets.push(access_token);
  return access_token;
}

const listTools = (token: string) =>
  fetch(`${gateway.url}/currenttime/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  });

test('somebody in 205 groups is told that they cannot be read while Graph is away, in every place', async () => {
  await failGraph();
  const begun = await fetch(`${gateway.url}/oauth2/login/entra`, { redirect: 'manual' });
  const callback = await submitSignIn(
    begun.headers.get('location') ?? '',
    accounts.manyGroups.userPrincipalName,
  );
  const done = await fetch(callback, { redirect: 'manual', headers: { cookie: cookiesOf(begun) } });
  expect(done.headers.get('location')).toMatch(/^\/login\?error=groups_unavailable&/);
  expect(cookiesOf(done)).not.toContain('mcp_gateway_session=');
  const answer = await listTools(await personToken(accounts.manyGroups.userPrincipalName));
  expect(answer.status).toBe(503);
  expect((await answer.text()).includes('groups_unavailable')).toBe(true);
});

test('the same person signs in, and their bearer token works on the gateway', async () => {
  const session = await signIn(gateway.url, accounts.manyGroups.userPrincipalName);
  const me = await fetch(`${gateway.url}/api/auth/me`, { headers: { cookie: session.cookie } });
  const { groups: found } = (await me.json()) as { groups: string[] };
  expect(found).toHaveLength(205);
  expect(found).toContain(groups.users);
  // Signing in also ends the pause in which the gateway does not ask about this person again.
  expect((await listTools(await personToken(accounts.manyGroups.userPrincipalName))).status).toBe(200);
});

test('an administrator ends sessions and tokens of a person: the next request is refused', async () => {
  const session = await signIn(gateway.url, accounts.user.userPrincipalName);
  const { token } = await mintToken(gateway.url, session);
  secrets.push(token, session.cookie.split('=')[1]!);
  expect((await listTools(token)).status).toBe(200);
  const bearer = await agentToken(gateway.emulatorUrl, agents.admin);
  secrets.push(bearer);
  const path = `/api/people/entra/${accounts.user.objectId}/end-sessions`;
  const ended = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ revoke_tokens: true }),
  });
  expect((await ended.json()) as object).toEqual({ sessions_ended: 1, tokens_revoked: 1 });
  await seenEverywhere();
  expect((await listTools(token)).status).toBe(401);
  const me = await fetch(`${gateway.url}/api/auth/me`, { headers: { cookie: session.cookie } });
  expect(me.status).toBe(401);
  expect((await me.text()).includes('ended by an administrator')).toBe(true);
});

test('somebody removed from a group loses what it gave within the refresh time: pages, API, servers', async () => {
  const origin = gateway.emulatorUrl;
  const graph = await adminGraph({
    ...shippedTenant,
    origin,
    graphOrigin: `${origin}/graph`,
  } as unknown as Emulator);
  const session = await signIn(gateway.url, accounts.operator.userPrincipalName);
  const { token } = await mintToken(gateway.url, session);
  const { token: unused } = await mintToken(gateway.url, session);
  secrets.push(token, unused);
  const groupsNow = async (): Promise<{ groups: string[]; scopes: string[] }> => {
    const answer = await fetch(`${gateway.url}/api/auth/me`, { headers: { cookie: session.cookie } });
    return (await answer.json()) as { groups: string[]; scopes: string[] };
  };
  const before = await groupsNow();
  expect(before.scopes).not.toEqual([]);
  expect((await listTools(token)).status).toBe(200);
  const mine = `/groups/${before.groups[0]}/members`;
  expect((await graph('DELETE', `${mine}/${accounts.operator.objectId}/$ref`)).status).toBe(204);
  // What was read a moment ago is believed until it is ten minutes old.
  expect(await groupsNow()).toEqual(before);
  await ageGroups(gateway);
  expect(await groupsNow()).toMatchObject({ groups: [], scopes: [] });
  // It was not used before: what is cached of one that was may make it a minute more.
  expect((await listTools(unused)).status).toBe(403);
  const body = { '@odata.id': `${origin}/graph/v1.0/directoryObjects/${accounts.operator.objectId}` };
  expect((await graph('POST', `${mine}/$ref`, body)).status).toBe(204);
});

test('a person who is no administrator ends nobody', async () => {
  const session = await signIn(gateway.url, accounts.user.userPrincipalName);
  const answer = await fetch(`${gateway.url}/api/people/entra/${accounts.admin.objectId}/end-sessions`, {
    method: 'POST',
    headers: { cookie: session.cookie, 'x-csrf-token': session.csrf, 'content-type': 'application/json' },
    body: '{}',
  });
  expect(answer.status).toBe(403);
});

test('no secret has reached the log', () => {
  const printed = gateway.output();
  expect(secrets.length).toBeGreaterThan(3);
  for (const secret of [...secrets, shippedTenant.clientSecret]) expect(printed).not.toContain(secret);
  expect(printed).not.toMatch(/eyJ[\w-]{20,}\.eyJ|1\.emulator\.[\w-]{20}/);
});
