import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchBrowser, whyNoBrowser } from '../browser.ts';
import { type GuardedServer, startGuarded } from '../egress/guarded.ts';
import { admin, clientToken, keycloakUrl } from './admin.ts';
import { type RealmGateway, startRealmGateway } from './gateway.ts';
import { makeAgent, makeClient, makePerson } from './realm.ts';
import { signInAs } from './sign-in.ts';

const realm = 'exchange';
const payroll = { clientId: 'payroll', clientSecret: 'secret-of-payroll' };
const directory = mkdtempSync(join(tmpdir(), 'keycloak-exchange-'));
const missing = process.env.CI === 'true' ? undefined : whyNoBrowser();
const people: Record<string, Page> = {};
let gateway: RealmGateway;
let browser: Browser;
let server: GuardedServer;
let operator: string;

const scopes = `
UI-Scopes:
  mcp-registry-admin: { list_service: [all], register_service: [all], modify_service: [all] }
group_mappings:
  mcp-admins: [mcp-registry-admin]
  mcp-users: [everything]
everything:
  - { server: "*", methods: [all], tools: [all] }
`;

/** Whose a token is, as the service's own client hears it of Keycloak; undefined for one that is not for that service. */
async function whose(token: string): Promise<string | undefined> {
  const answer = await fetch(`${keycloakUrl}/realms/${realm}/protocol/openid-connect/token/introspect`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ token, client_id: payroll.clientId, client_secret: payroll.clientSecret },
    }),
  });
  const { active, aud, username } = (await answer.json()) as Record<string, unknown>;
  return active === true && [aud].flat().includes(payroll.clientId) ? String(username) : undefined;
}

beforeAll(async () => {
  if (missing) return;
  const file = join(directory, 'scopes.yml');
  writeFileSync(file, scopes);
  [browser, gateway] = await Promise.all([
    launchBrowser(),
    startRealmGateway(realm, async () => ({ SCOPES_CONFIG_PATH: file })),
  ]);
  // The gateway may exchange tokens, and those of the service are for the service: its audience comes by an optional scope.
  const [own] = (await admin('GET', `/${realm}/clients?clientId=${gateway.realm.gateway.clientId}`)).body;
  await admin('PUT', `/${realm}/clients/${own.id}`, {
    ...own,
    attributes: { ...own.attributes, 'standard.token.exchange.enabled': 'true' },
  });
  await makeClient(realm, { clientId: payroll.clientId, secret: payroll.clientSecret, withScope: false });
  const { id: scope } = await admin('POST', `/${realm}/client-scopes`, {
    ...{ name: 'payroll', protocol: 'openid-connect' },
    protocolMappers: [
      {
        ...{ name: 'audience', protocol: 'openid-connect', protocolMapper: 'oidc-audience-mapper' },
        config: { 'included.client.audience': payroll.clientId, 'access.token.claim': 'true' },
      },
    ],
  });
  await admin('PUT', `/${realm}/clients/${own.id}/optional-client-scopes/${scope}`);
  server = await startGuarded(whose, `${keycloakUrl}/realms/${realm}`);
  const agent = await makeAgent(realm, 'operator', { groups: [gateway.realm.groups.admins] });
  operator = await clientToken(realm, agent);
  for (const [path, audience] of [
    ['payroll', payroll.clientId],
    ['other', 'nobody'],
  ] as const) {
    await asOperator('/api/servers', {
      server_name: path,
      path: `/${path}`,
      proxy_pass_url: server.url,
      is_enabled: true,
    });
    await asOperator(`/api/servers/${path}/egress-auth`, {
      ...{ egress_auth_mode: 'obo_exchange', scopes: ['payroll'] },
      ...{ target_audience: audience, audience_parameter: 'audience' },
    });
  }
  for (const name of ['ada', 'ben']) {
    await makePerson(realm, name, [gateway.realm.groups.users]);
    people[name] = await signInAs(name, browser, gateway);
  }
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await gateway?.close();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach((context) => {
  if (missing) context.skip(missing);
});

async function asOperator(path: string, body: object): Promise<void> {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status, await answer.text()).toBeLessThan(300);
}

/** Whom the server takes somebody for who calls it with a personal token, or why the gateway refuses. */
async function seenAs(name: string, path = 'payroll'): Promise<string> {
  const token = await people[name]?.evaluate<string>(`(async () => {
    const { csrf_token } = await (await fetch('/api/auth/me')).json();
    const headers = { 'x-csrf-token': csrf_token, 'content-type': 'application/json' };
    const made = await fetch('/api/tokens/generate', { method: 'POST', headers, body: '{}' });
    return (await made.json()).tokens.access_token;
  })()`);
  const answer = await fetch(`${gateway.url}/${path}/mcp`, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami' } }),
  });
  const { result, error } = (await answer.json()) as {
    result?: { content: { text: string }[] };
    error?: { message: string; data: { code: string } };
  };
  return result?.content[0]?.text ?? `${error?.data.code}: ${error?.message}`;
}

test("each person's sign-in is exchanged for a token of the service, by RFC 8693", async () => {
  expect(await Promise.all(['ada', 'ben', 'ada'].map((name) => seenAs(name)))).toEqual(['ada', 'ben', 'ada']);
});

test('an audience that Keycloak does not give is refused, with what it says', async () => {
  expect(await seenAs('ada', 'other')).toMatch(/^connection_refused: .*audience/i);
});
