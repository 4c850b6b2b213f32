import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { freePort, startGateway, type TestGateway } from '../harness.ts';
import { agentToken, askAsAdmin, type BrowserSession, mintToken, signIn } from '../sign-in.ts';
import { type Authority, decideAt, startAuthority } from './authority.ts';
import { callWhoami, clientAt } from './clients.ts';
import { type GuardedServer, startGuarded } from './guarded.ts';

const { accounts, agents, groups } = shippedTenant;
const directory = mkdtempSync(join(tmpdir(), 'connections-'));
let gateway: TestGateway;
/** What processes before have said. */
let printed = '';
let authority: Authority;
let hub: GuardedServer;
let payroll: GuardedServer;
let asAdmin: Awaited<ReturnType<typeof askAsAdmin>>;

interface Person {
  readonly session: BrowserSession;
  readonly token: string;
}
const people = {} as Record<'alice' | 'bob' | 'dora', Person>;

const scopes = `
UI-Scopes:
  mcp-registry-admin: { list_service: [all], register_service: [all], modify_service: [all], delete_service: [all], read_audit: [all] }
group_mappings:
  "${groups.admin}": [mcp-registry-admin, everything]
  "${groups.users}": [everything]
  "${groups.developers}": [everything]
everything:
  - { server: "*", methods: [all], tools: [all] }
`;

/** How a server is arranged whose authorization server says nothing of itself, as that of GitHub. */
const likeGithub = () => ({
  ...{ egress_auth_mode: 'oauth_user', scopes: ['openid', 'offline_access', 'repo'] },
  ...{ client_id: authority.client.id, client_secret: authority.client.secret, audience_parameter: 'none' },
  custom_authorize_url: `${authority.issuer}/auth`,
  custom_token_url: `${authority.issuer}/token`,
});

beforeAll(async () => {
  const file = join(directory, 'scopes.yml');
  writeFileSync(file, scopes);
  const port = await freePort();
  const redirectUri = `http://localhost:${port}/oauth2/egress/callback`;
  [gateway, authority] = await Promise.all([
    startGateway({ port, environment: { SCOPES_CONFIG_PATH: file } }),
    startAuthority(redirectUri),
  ]);
  hub = await startGuarded((token) => authority.whose(token), authority.issuer);
  // It asks the directory whose the token is: one that is for anything else, or nobody's, is refused there.
  payroll = await startGuarded(async (token) => {
    const me = await fetch(`${gateway.emulatorUrl}/graph/v1.0/me`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (me.status === 401) return undefined;
    return me.ok ? ((await me.json()) as { userPrincipalName: string }).userPrincipalName : 'an application';
  }, gateway.emulatorUrl);
  asAdmin = await askAsAdmin(gateway);
  for (const [name, account] of [
    ['alice', accounts.admin],
    ['bob', accounts.user],
    ['dora', accounts.developer],
  ] as const) {
    const session = await signIn(gateway.url, account.userPrincipalName);
    people[name] = { session, token: (await mintToken(gateway.url, session)).token };
  }
  await register('hub', hub.url, likeGithub());
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([authority?.stop(), hub?.close(), payroll?.close()]);
  rmSync(directory, { recursive: true, force: true });
});

async function register(name: string, url: string, egress: object): Promise<void> {
  const made = await asAdmin('/api/servers', {
    server_name: name,
    path: `/${name}`,
    proxy_pass_url: url,
    is_enabled: true,
  });
  expect(made.status, await made.clone().text()).toBe(201);
  await configure(name, egress);
}

async function configure(name: string, egress: object): Promise<void> {
  const said = await asAdmin(`/api/servers/${name}/egress-auth`, egress);
  expect(said.status, await said.clone().text()).toBe(200);
}

const browsing = ({ session }: Person) => ({ cookie: session.cookie, 'x-csrf-token': session.csrf });

/** Where the browser is sent to connect. */
async function begin(who: Person, name: string, purpose = 'call'): Promise<string> {
  const answer = await fetch(`${gateway.url}/api/egress-auth/initiate`, {
    method: 'POST',
    headers: { ...browsing(who), 'content-type': 'application/json' },
    body: JSON.stringify({ server_path: `/${name}`, purpose }),
  });
  const said = (await answer.json()) as { authorize_url: string };
  expect(answer.status, JSON.stringify(said)).toBe(200);
  return said.authorize_url;
}

/** What the page says after the browser has come back to `callback`, with the cookies of `who`. */
async function comeBack(callback: URL, who?: Person): Promise<string> {
  const headers: Record<string, string> = who ? { cookie: who.session.cookie } : {};
  const answer = await fetch(callback, { redirect: 'manual', headers });
  return answer.headers.get('location') ?? `${answer.status}`;
}

async function connect(who: Person, name: string, account: string): Promise<string> {
  return comeBack(await decideAt(await begin(who, name), account), who);
}

const whoami = (token: string, name = 'hub') => callWhoami(`${gateway.url}/${name}/mcp`, token);

/** Whom the server takes the caller for, or why the gateway refuses. */
async function seenAs(token: string, name = 'hub'): Promise<string | undefined> {
  const { result, error } = await whoami(token, name);
  return result?.content[0]?.text ?? error?.data.code;
}

async function statusOf(who: Person, path: string): Promise<string | undefined> {
  const answer = await fetch(`${gateway.url}/api/egress-auth/connections`, { headers: browsing(who) });
  const { connections } = (await answer.json()) as { connections: { server_path: string; status: string }[] };
  return connections.find(({ server_path }) => server_path === path)?.status;
}

test('each person connects with an account of their own and is known to the server as that, at a service that says nothing of itself', async () => {
  const { alice, bob, dora } = people;
  expect(await seenAs(alice.token)).toBe('connection_needed');
  expect(await connect(alice, 'hub', 'alice-at-hub')).toBe('/connections?server=%2Fhub&connected=true');
  expect(await connect(bob, 'hub', 'bob-at-hub')).toBe('/connections?server=%2Fhub&connected=true');
  // Each token ends at once, and each refresh token serves once: the service ends a grant whose old one comes again.
  const calls = Array.from({ length: 12 }, (_, at) => (at % 2 ? bob : alice));
  const seen = await Promise.all(calls.map(({ token }) => seenAs(token)));
  expect(seen).toEqual(calls.map((one) => (one === bob ? 'bob-at-hub' : 'alice-at-hub')));
  for (let turn = 0; turn < 3; turn += 1) expect(await seenAs(alice.token)).toBe('alice-at-hub');
  expect(authority.asked.filter((one) => one.startsWith('refused'))).toEqual([]);
  expect(authority.asked.filter((one) => one === 'refresh_token').length).toBeGreaterThan(3);
  expect(await seenAs(dora.token)).toBe('connection_needed');
  const { error } = await whoami(dora.token);
  expect(error?.message).toContain(`${gateway.url}/oauth2/egress/connect?server=%2Fhub`);
});

test('a service that is down, or that refuses the gateway, ends no connection; the next call goes on', async () => {
  const { alice } = people;
  await authority.stop();
  expect(await seenAs(alice.token)).toBe('connection_unavailable');
  expect(await statusOf(alice, '/hub')).toBe('connected');
  await authority.start();
  expect(await seenAs(alice.token)).toBe('alice-at-hub');
  await configure('hub', { ...likeGithub(), client_secret: 'not-the-secret' });
  expect(await seenAs(alice.token)).toBe('connection_unavailable');
  expect(await statusOf(alice, '/hub')).toBe('connected');
  await configure('hub', likeGithub());
  expect(await seenAs(alice.token)).toBe('alice-at-hub');
});

test('what is revoked at the service is deleted here at the next call, for that person alone, and is made anew by connecting', async () => {
  const { alice, bob } = people;
  await authority.revoke('alice-at-hub');
  expect(await seenAs(alice.token)).toBe('connection_needed');
  expect(await statusOf(alice, '/hub')).toBe('none');
  expect(await seenAs(bob.token)).toBe('bob-at-hub');
  await connect(alice, 'hub', 'alice-again');
  expect(await seenAs(alice.token)).toBe('alice-again');
});

test('who says no at the service is told so, and nothing is stored', async () => {
  const { dora } = people;
  const callback = await decideAt(await begin(dora, 'hub'), 'dora', 'deny');
  expect(await comeBack(callback, dora)).toBe('/connections?server=%2Fhub&problem=denied');
  expect(await statusOf(dora, '/hub')).toBe('none');
});

test("nobody finishes another's attempt, none serves twice, and no account is swapped", async () => {
  const { alice, bob, dora } = people;
  const callback = await decideAt(await begin(dora, 'hub'), 'dora-at-hub');
  // The link that one person was given is opened by another, by nobody, with another's cookie: nothing is stored.
  expect(await comeBack(callback, bob)).toBe('/connections?problem=state');
  expect(await comeBack(callback)).toBe('/connections?problem=state');
  const forged = new URL(callback);
  forged.searchParams.set('state', `${callback.searchParams.get('state')}A`);
  expect(await comeBack(forged, dora)).toBe('/connections?problem=state');
  // A second session of the same person is another browser.
  const other = { ...dora, session: await signIn(gateway.url, accounts.developer.userPrincipalName) };
  expect(await comeBack(callback, other)).toBe('/connections?problem=state');
  expect(await comeBack(callback, dora)).toBe('/connections?server=%2Fhub&connected=true');
  expect(await comeBack(callback, dora)).toBe('/connections?server=%2Fhub&problem=state');
  // The attacker's code in the victim's attempt: the code was for another verifier.
  const [mine, theirs] = [
    await decideAt(await begin(bob, 'hub'), 'mallory'),
    new URL(await begin(alice, 'hub')),
  ];
  const swapped = new URL(mine);
  swapped.searchParams.set('state', theirs.searchParams.get('state') ?? '');
  expect(await comeBack(swapped, alice)).toBe('/connections?server=%2Fhub&problem=refused');
  expect([await seenAs(alice.token), await seenAs(bob.token), await seenAs(dora.token)]).toEqual([
    'alice-again',
    'bob-at-hub',
    'dora-at-hub',
  ]);
  for (const headers of [{}, { cookie: alice.session.cookie }])
    expect(
      (
        await fetch(`${gateway.url}/api/egress-auth/initiate`, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json', origin: 'https://evil.example' },
          body: '{"server_path":"/hub"}',
        })
      ).status,
    ).toBeGreaterThan(400);
});

test('the address to connect at leads to a page of the gateway and nowhere else', async () => {
  for (const server of ['//evil.example', 'https://evil.example/', '/\\evil.example', '/hub\r\nx: y', '']) {
    const at = `${gateway.url}/oauth2/egress/connect?server=${encodeURIComponent(server)}`;
    const to = (await fetch(at, { redirect: 'manual' })).headers.get('location') ?? '';
    expect(new URL(to, gateway.url).origin).toBe(gateway.url);
    expect(to).toMatch(/^\/connections\?server=/);
  }
});

test('a server that says itself where its tokens come from is connected to by registering there', async () => {
  const { alice, bob } = people;
  await register('found', hub.url, { egress_auth_mode: 'oauth_user' });
  expect(await connect(alice, 'found', 'alice-by-discovery')).toBe(
    '/connections?server=%2Ffound&connected=true',
  );
  expect(await seenAs(alice.token, 'found')).toBe('alice-by-discovery');
  expect(await seenAs(alice.token)).toBe('alice-again');
  expect(await seenAs(bob.token, 'found')).toBe('connection_needed');
});

test('a token for another audience is not kept', async () => {
  const { bob } = people;
  await register('audience', hub.url, { egress_auth_mode: 'oauth_user', target_audience: hub.url });
  authority.audience = 'https://mail.example';
  expect(await connect(bob, 'audience', 'bob')).toBe('/connections?server=%2Faudience&problem=refused');
  authority.audience = undefined;
  expect(await statusOf(bob, '/audience')).toBe('none');
  expect(await connect(bob, 'audience', 'bob')).toBe('/connections?server=%2Faudience&connected=true');
});

test('a sign-in is exchanged on behalf of the person, each for themselves', async () => {
  const { alice, bob } = people;
  await register('payroll', payroll.url, {
    egress_auth_mode: 'obo_exchange',
    scopes: ['https://graph.microsoft.com/User.Read'],
  });
  const calls = [alice, bob, alice, bob];
  expect(await Promise.all(calls.map(({ token }) => seenAs(token, 'payroll')))).toEqual([
    ...[accounts.admin.userPrincipalName, accounts.user.userPrincipalName],
    ...[accounts.admin.userPrincipalName, accounts.user.userPrincipalName],
  ]);
  await configure('payroll', {
    egress_auth_mode: 'obo_exchange',
    scopes: ['https://graph.microsoft.com/Directory.Read.All'],
  });
  const { error } = await whoami(alice.token, 'payroll');
  // Nobody consented to that: what the directory says is passed on.
  expect(error?.data.code).toBe('connection_needed');
  expect(error?.message).toMatch(/AADSTS65001/);
});

/** How many tools are stored of a server, for somebody who may call all. */
async function toolsOf(name: string): Promise<number> {
  const answer = await fetch(`${gateway.url}/api/servers/${name}`, { headers: browsing(people.alice) });
  return ((await answer.json()) as { num_tools: number }).num_tools;
}

test('what a server offers is listed by who was set up for that, and by no one of the people who call it', async () => {
  const { alice, bob } = people;
  expect([await toolsOf('payroll'), await toolsOf('hub')]).toEqual([0, 0]);
  const scopes = ['https://graph.microsoft.com/User.Read'];
  await configure('payroll', { egress_auth_mode: 'obo_exchange', scopes, discovery: 'app_only' });
  expect(await toolsOf('payroll')).toBe(1);
  expect(await seenAs(bob.token, 'payroll')).toBe(accounts.user.userPrincipalName);
  await register('listed', hub.url, { ...likeGithub(), discovery: 'person' });
  await connect(bob, 'listed', 'bob-at-listed');
  expect(await toolsOf('listed')).toBe(0);
  const refused = await begin(bob, 'listed', 'discovery').catch((error: unknown) => String(error));
  expect(refused).toContain('Only administrators');
  const callback = await decideAt(await begin(alice, 'listed', 'discovery'), 'the-lister');
  expect(await comeBack(callback, alice)).toBe('/servers/listed?tab=settings');
  const shown = (await (await asAdmin('/api/servers/listed/egress-auth')).json()) as object;
  expect(shown).toMatchObject({ lists_connection: { status: 'connected', account: 'the-lister' } });
  await asAdmin('/api/servers/listed/health', {});
  expect(await toolsOf('listed')).toBe(1);
  expect(await seenAs(alice.token, 'listed')).toBe('connection_needed');
  expect(await seenAs(bob.token, 'listed')).toBe('bob-at-listed');
});

test('clients of both generations show where to connect if they can, else the link is in the error', async () => {
  const { bob, dora } = people;
  await register('sdk', hub.url, likeGithub());
  const link = `${gateway.url}/oauth2/egress/connect?server=%2Fsdk`;
  const call = { name: 'whoami', arguments: {} };
  for (const isModern of [false, true]) {
    const plain = await clientAt(`${gateway.url}/sdk/mcp`, dora.token, isModern);
    await expect(plain.callTool(call)).rejects.toThrow(link);
    await plain.close();
  }
  const legacy = await clientAt(`${gateway.url}/sdk/mcp`, dora.token, false, async () => undefined);
  const refusal = await legacy.callTool(call).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(UrlElicitationRequiredError);
  expect((refusal as UrlElicitationRequiredError).elicitations).toMatchObject([{ mode: 'url', url: link }]);
  await connect(dora, 'sdk', 'dora-by-sdk');
  // The same session goes on.
  expect(JSON.stringify(await legacy.callTool(call))).toContain('dora-by-sdk');
  await legacy.close();
  // A client of 2026-07-28 shows the address, says so, and its one call goes through.
  const shown: string[] = [];
  const modern = await clientAt(`${gateway.url}/sdk/mcp`, bob.token, true, async (url) => {
    shown.push(url);
    await connect(bob, 'sdk', 'bob-by-sdk');
  });
  expect(JSON.stringify(await modern.callTool(call))).toContain('bob-by-sdk');
  expect(shown).toEqual([link]);
  await modern.close();
});

test('an agent that does not act for a person is told why it gets nothing', async () => {
  const token = await agentToken(gateway.emulatorUrl, agents.user);
  const before = hub.seen.length;
  const { error } = await whoami(token);
  expect(error).toMatchObject({ data: { code: 'connection_impossible' } });
  expect(error?.message).toContain('an agent that does not act for a person');
  expect(hub.seen.length).toBe(before);
});

test('a server that moves to another host gets nothing that was made for the one before', async () => {
  const { alice } = people;
  const elsewhere = await startGuarded(async () => 'anybody', authority.issuer);
  const moved = await fetch(`${gateway.url}/api/servers/found`, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${await agentToken(gateway.emulatorUrl, agents.admin)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ proxy_pass_url: elsewhere.url }),
  });
  expect(moved.status, await moved.clone().text()).toBe(200);
  await seenAs(alice.token, 'found');
  await configure('found', { egress_auth_mode: 'oauth_user' });
  expect(await seenAs(alice.token, 'found')).toBe('connection_needed');
  expect(elsewhere.seen.filter(Boolean)).toEqual([]);
  await elsewhere.close();
});

test('all sessions of a person end with their connections, and so do theirs alone', async () => {
  const { bob } = people;
  const ended = await asAdmin(`/api/people/entra/${accounts.developer.objectId}/end-sessions`, {});
  expect(ended.status, await ended.clone().text()).toBe(200);
  expect(await seenAs(bob.token)).toBe('bob-at-hub');
  const again = await signIn(gateway.url, accounts.developer.userPrincipalName);
  people.dora = { session: again, token: (await mintToken(gateway.url, again)).token };
  expect(await seenAs(people.dora.token)).toBe('connection_needed');
});

test('connections outlive a process that is killed', async () => {
  const { alice, bob } = people;
  const { dataDir, url, emulatorUrl } = gateway;
  printed += gateway.output();
  await gateway.stop('SIGKILL');
  gateway = await startGateway({
    ...{ dataDir, port: Number(new URL(url).port), emulatorPort: Number(new URL(emulatorUrl).port) },
    environment: { SCOPES_CONFIG_PATH: join(directory, 'scopes.yml') },
  });
  const seen = await Promise.all([alice, bob, alice].map(({ token }) => seenAs(token)));
  expect(seen).toEqual(['alice-again', 'bob-at-hub', 'alice-again']);
});

test('the audit trail and the log name connections, and hold no secret', async () => {
  const trail = await (await asAdmin('/api/audit/export')).text();
  const lines = trail.split('\n').filter((line) => line.includes('connection_mode'));
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.some((line) => line.includes('obo_exchange'))).toBe(true);
  expect(trail).toContain('connections.connect');
  const secrets = [authority.client.secret, 'not-the-secret', ...hub.seen, ...payroll.seen]
    .map((one) => one?.replace('Bearer ', '') ?? '')
    .filter((one) => one.length > 8);
  expect(secrets.length).toBeGreaterThan(20);
  for (const secret of secrets) {
    expect(trail).not.toContain(secret);
    expect(printed + gateway.output()).not.toContain(secret);
  }
});
