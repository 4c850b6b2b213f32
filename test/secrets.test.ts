import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { deriveKey, unseal } from '../src/server/identity/keys.ts';
import { freePort, startGateway, type TestGateway } from './harness.ts';
import { agentToken, cookiesOf, submitSignIn } from './sign-in.ts';

/**
 * One run through everything that handles secrets, with the log at its most talkative. Whatever comes out of the gateway
 * is kept: log, every answer with its headers, every file of its data directory. Then no secret may be in any of it.
 */
const { accounts, agents, clientSecret, password, tenantId, appIdUri, publicClientId } = shippedTenant;
const serverCredential = 'credential-of-a-server-4711';

let gateway: TestGateway;
let metricsPort: number;
/** What came out, each piece with its name. */
const captured: { from: string; text: string }[] = [];
/** What must not come out, by what it is. */
const secrets = new Map<string, string>();
/** Where a secret has to come out, by the piece that it is in; each must have been needed in the end. */
const exceptions: Record<string, { readonly from: RegExp; readonly what: RegExp }> = {
  'a minted token is in the answer that mints it': { from: /^mint: body$/, what: /^(a minted token|a JWT)$/ },
  'a server may say back what its caller sent as the name of a tool': {
    ...{ from: /^tool named like a token: body$/, what: /^(access token of an agent|a JWT)$/ },
  },
  'a session begins with its cookie': { from: /^callback .*: set-cookie$/, what: /^session cookie/ },
  'a sign-in begins with its cookie': { from: /^login .*: set-cookie$/, what: /^attempt cookie/ },
  'the banner of the evaluation mode says the password that everybody knows': {
    ...{ from: /^log$/, what: /^password$/ },
  },
};

beforeAll(async () => {
  metricsPort = await freePort();
  gateway = await startGateway({
    environment: { METRICS_PORT: String(metricsPort), LOG_LEVEL: 'trace' },
  });
  secrets.set('client secret', clientSecret);
  secrets.set('password', password);
  secrets.set('SECRET_KEY', readFileSync(join(gateway.dataDir, 'secret-key'), 'utf8').trim());
  secrets.set('server credential', serverCredential);
  for (const [name, agent] of Object.entries(agents))
    secrets.set(`secret of agent ${name}`, agent.clientSecret);
});
afterAll(() => gateway?.close());

/** Asks the gateway and keeps its whole answer. */
async function ask(name: string, path: string, init: RequestInit = {}): Promise<Response & { said: string }> {
  const answer = await fetch(new URL(path, gateway.url), { redirect: 'manual', ...init });
  const said = await answer.text();
  captured.push({ from: `${name}: body`, text: said });
  captured.push({
    from: `${name}: url`,
    text: answer.url === new URL(path, gateway.url).href ? '' : answer.url,
  });
  for (const [header, value] of answer.headers) captured.push({ from: `${name}: ${header}`, text: value });
  return Object.assign(answer, { said });
}

async function signIn(name: string, user: string): Promise<{ cookie: string; to: string }> {
  const begun = await ask(`login ${name}`, '/oauth2/login/entra');
  const attempt = cookiesOf(begun);
  secrets.set(`attempt cookie of ${name}`, attempt.split('=')[1]!);
  const callback = await submitSignIn(begun.headers.get('location') ?? '', user);
  secrets.set(`authorization code of ${name}`, callback.searchParams.get('code') ?? '');
  const done = await ask(`callback ${name}`, callback.pathname + callback.search, {
    headers: { cookie: attempt },
  });
  const cookie = cookiesOf(done);
  if (cookie) secrets.set(`session cookie of ${name}`, cookie.split('=')[1]!);
  return { cookie, to: done.headers.get('location') ?? '' };
}

const fault = (body?: object) =>
  fetch(`${gateway.emulatorUrl}/_emulator/faults`, {
    method: body ? 'POST' : 'DELETE',
    headers: { 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
const moveClock = (advanceSeconds: number) =>
  fetch(`${gateway.emulatorUrl}/_emulator/clock`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ advanceSeconds }),
  });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const json = (body: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const call = (token: string, method: string, params: object) => ({
  ...json({ jsonrpc: '2.0', id: 1, method, params }),
  headers: {
    ...{ ...bearer(token), 'content-type': 'application/json' },
    accept: 'application/json, text/event-stream',
  },
});

/** Tokens of a person from a client of their own: access, ID and refresh token. */
async function personTokens(user: string): Promise<{ access_token: string; id_token: string }> {
  const base = `${gateway.emulatorUrl}/${tenantId}/oauth2/v2.0`;
  const shared = { client_id: publicClientId, redirect_uri: 'http://localhost' };
  const scope = `openid offline_access ${appIdUri}/access_as_user`;
  const callback = await submitSignIn(
    `${base}/authorize?${new URLSearchParams({ ...shared, scope, response_type: 'code' })}`,
    user,
  );
  const code = callback.searchParams.get('code') ?? '';
  const body = new URLSearchParams({ ...shared, grant_type: 'authorization_code', code });
  const tokens = (await (await fetch(`${base}/token`, { method: 'POST', body })).json()) as Record<
    string,
    string
  >;
  for (const kind of ['access_token', 'id_token', 'refresh_token']) {
    expect(tokens[kind], kind).toBeTruthy();
    secrets.set(`${kind} of ${user}`, tokens[kind]!);
  }
  return tokens as { access_token: string; id_token: string };
}

test('people sign in, call, mint and sign out', async () => {
  const alice = await signIn('alice', accounts.admin.userPrincipalName);
  await signIn('many groups', accounts.manyGroups.userPrincipalName);
  const headers = { cookie: alice.cookie };
  const me = await ask('me', '/api/auth/me', { headers });
  const { csrf_token } = JSON.parse(me.said) as { csrf_token: string };
  const change = { cookie: alice.cookie, 'x-csrf-token': csrf_token, 'content-type': 'application/json' };
  for (const path of [
    '/api/servers',
    '/api/tokens',
    '/api/sessions?all=true',
    '/api/doctor',
    '/api/process',
    '/api/metrics',
  ])
    expect((await ask(path, path, { headers })).status).toBe(200);
  for (const path of ['/', '/login', '/tokens', '/operations', '/sessions', '/health', '/api/version'])
    expect((await ask(path, path, { headers })).status).toBe(200);
  const minted = await ask('mint', '/api/tokens/generate', { method: 'POST', headers: change, body: '{}' });
  const token = (JSON.parse(minted.said) as { tokens: { access_token: string } }).tokens.access_token;
  secrets.set('a minted token', token);
  await ask('tokens', '/api/tokens', { headers });
  await ask('server credential', '/api/servers/currenttime/auth-credential', {
    method: 'PATCH',
    headers: change,
    body: JSON.stringify({ auth_scheme: 'bearer', auth_credential: serverCredential }),
  });
  const listed = await ask('tools', '/currenttime/mcp', call(token, 'tools/list', {}));
  expect(listed.said).toContain('current_time_by_timezone');
  const called = await ask(
    'tool',
    '/currenttime/mcp',
    call(token, 'tools/call', { name: 'current_time_by_timezone', arguments: { tz_name: 'Europe/Berlin' } }),
  );
  expect(called.status).toBe(200);
  expect((await ask('csrf failure', '/api/tokens/generate', { ...json({}), headers })).status).toBe(403);
  expect((await ask('sign-out', '/logout', { method: 'POST', headers: change })).status).toBeLessThan(400);
  expect((await ask('after sign-out', '/api/auth/me', { headers })).status).toBe(401);
});

test('agents and programs show good and bad tokens, also in the wrong places', async () => {
  const agent = await agentToken(gateway.emulatorUrl, agents.admin);
  secrets.set('access token of an agent', agent);
  expect((await ask('agent', '/api/servers', { headers: bearer(agent) })).status).toBe(200);
  const { access_token, id_token } = await personTokens(accounts.user.userPrincipalName);
  expect((await ask('person', '/api/auth/me', { headers: bearer(access_token) })).status).toBe(200);
  await moveClock(-3 * 3600);
  const expired = await agentToken(gateway.emulatorUrl, agents.admin);
  await moveClock(3 * 3600);
  secrets.set('expired token', expired);
  const broken = `${agent.slice(0, -6)}AAAAAA`;
  secrets.set('tampered token', broken);
  for (const [name, bad] of Object.entries({
    expired,
    broken,
    id_token,
    noise: `${agent}.x`,
    secret: clientSecret,
  })) {
    expect((await ask(`bad ${name}`, '/api/servers', { headers: bearer(bad) })).status).toBe(401);
    expect(
      (await ask(`bad ${name} at a server`, '/currenttime/mcp', call(bad, 'tools/list', {}))).status,
    ).toBe(401);
  }
  await ask('basic', '/api/servers', {
    headers: { authorization: `Basic ${Buffer.from(`id:${clientSecret}`).toString('base64')}` },
  });
  await ask('query', `/api/servers?access_token=${agent}&token=${agent}`);
  await ask('query at a server', `/currenttime/mcp?access_token=${agent}`, call('none', 'tools/list', {}));
  await ask('path', `/api/${agent}`);
  await ask(
    'tool named like a token',
    '/currenttime/mcp',
    call(agent, 'tools/call', { name: agent, arguments: {} }),
  );
});

test('sign-ins fail at Entra ID, at Graph, at the state, and end from elsewhere', async () => {
  await fault({ kind: 'aadsts', code: 7000222, path: 'token', times: 1 });
  expect((await signIn('AADSTS', accounts.user.userPrincipalName)).to).toContain('oauth2_error');
  expect(gateway.output()).toContain('AADSTS7000222');
  await fault();
  await fault({ kind: 'status', status: 503, path: '/graph/' });
  expect((await signIn('Graph away', accounts.manyGroups.userPrincipalName)).to).toContain(
    'groups_unavailable',
  );
  await fault();
  const begun = await ask('login without cookie', '/oauth2/login/entra');
  secrets.set('attempt cookie of nobody', cookiesOf(begun).split('=')[1]!);
  const callback = await submitSignIn(begun.headers.get('location') ?? '', accounts.user.userPrincipalName);
  secrets.set('authorization code of nobody', callback.searchParams.get('code')!);
  const refused = await ask('callback without cookie', callback.pathname + callback.search);
  expect(refused.headers.get('location')).toContain('oauth2_state_invalid');
  expect((await ask('login page', refused.headers.get('location')!)).status).toBe(200);

  const bob = await signIn('bob', accounts.user.userPrincipalName);
  const db = new DatabaseSync(databaseFile(), { readOnly: true });
  const { sid } = db
    .prepare('select sid from sessions where sid is not null order by created_at desc')
    .get()!;
  db.close();
  const query = new URLSearchParams({ sid: String(sid), iss: issuer() });
  expect((await ask('front channel', `/oauth2/frontchannel-logout/entra?${query}`)).status).toBe(200);
  expect((await ask('after it', '/api/auth/me', { headers: { cookie: bob.cookie } })).status).toBe(401);
});

const issuer = (): string => `${gateway.emulatorUrl}/${tenantId}/v2.0`;
const databaseFile = (): string =>
  join(gateway.dataDir, readdirSync(gateway.dataDir).find((name) => /\.(db|sqlite3?)$/.test(name)) ?? 'none');

test('the doctor of the command line and the metrics port tell what they tell', async () => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [resolve('bin/mcp-gateway.mjs'), 'doctor', 'entra', '--json'],
    {
      cwd: gateway.dataDir,
      env: {
        ...{ PATH: process.env.PATH, PORT: new URL(gateway.url).port },
        ENTRA_EMULATOR_PORT: new URL(gateway.emulatorUrl).port,
      },
    },
  );
  captured.push({ from: 'doctor', text: stdout + stderr });
  const metrics = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  const text = await metrics.text();
  expect(text).toContain('mcp_gateway_auth_total');
  captured.push({ from: 'metrics', text });
});

/** Every file of the gateway's own: the emulator keeps its tenant, and the secret key its file. */
function filesOf(directory: string): { from: string; text: string }[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'entra-emulator' || entry.name === 'secret-key') return [];
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return filesOf(path);
    return [{ from: `file ${entry.name}`, text: readFileSync(path, 'latin1') }];
  });
}

/** Every code of the whole run, which the emulator remembers, and the refresh tokens that the gateway keeps sealed. */
async function rememberWhatNobodySaw(): Promise<void> {
  const answer = await fetch(`${gateway.emulatorUrl}/_emulator/snapshot`);
  const { codes } = JSON.parse(await answer.text()) as { codes: { $map: [string, unknown][] } };
  for (const [at, [code]] of codes.$map.entries()) secrets.set(`code ${at} of the emulator`, code);
  expect(codes.$map.length).toBeGreaterThan(5);
  const db = new DatabaseSync(databaseFile(), { readOnly: true });
  const sealed = db.prepare('select refresh_sealed from people where refresh_sealed is not null').all();
  const wrapped = db.prepare('select id, wrapped from data_keys').get();
  db.close();
  expect(sealed.length).toBeGreaterThan(1);
  const wrapping = deriveKey(secrets.get('SECRET_KEY')!, 'data-key');
  const dataKey = unseal(wrapping, String(wrapped?.wrapped), `data key ${wrapped?.id}`);
  secrets.set('the data key', dataKey);
  const key = deriveKey(Buffer.from(dataKey, 'base64'), 'refresh-token');
  for (const [at, row] of sealed.entries()) {
    const token = unseal(key, String(row.refresh_sealed));
    expect(token).toMatch(shapes['a code or refresh token']!);
    secrets.set(`refresh token ${at} of the gateway`, token);
  }
}

/** What no piece may hold, whoever it belongs to: a whole token, or the claims of one as JSON. */
const shapes: Record<string, RegExp> = {
  'a code or refresh token': /1\.emulator\.[\w-]{40}/,
  'a JWT': /eyJ[\w-]{20,}\.eyJ[\w-]{20,}/,
  'claims of a token': /\\?"(oid|nonce|login_hint|preferred_username|uti|aio)\\?":/,
  'a private key': /PRIVATE KEY-----/,
};

test('no secret, token or set of claims is in anything that came out', async () => {
  await rememberWhatNobodySaw();
  await gateway.stop();
  captured.push({ from: 'log', text: gateway.output() }, ...filesOf(gateway.dataDir));
  const db = new DatabaseSync(databaseFile(), { readOnly: true });
  const rows = db.prepare('select * from audit_events').all();
  db.close();
  expect(rows.length).toBeGreaterThan(20);
  captured.push({ from: 'audit', text: JSON.stringify(rows) });
  expect(captured.length).toBeGreaterThan(300);
  expect(secrets.size).toBeGreaterThan(25);
  const needed = new Set<string>();
  const leaks: string[] = [];
  const found = (from: string, what: string): void => {
    const exception = Object.entries(exceptions).find(
      ([, one]) => one.from.test(from) && one.what.test(what),
    );
    if (exception) needed.add(exception[0]);
    else leaks.push(`${what} is in ${from}`);
  };
  for (const [what, value] of secrets) {
    expect(value.length, what).toBeGreaterThan(7);
    const forms = [
      value,
      encodeURIComponent(value),
      Buffer.from(value).toString('base64').replace(/=+$/, ''),
    ];
    for (const { from, text } of captured) if (forms.some((form) => text.includes(form))) found(from, what);
  }
  for (const [what, shape] of Object.entries(shapes))
    for (const { from, text } of captured) if (shape.test(text)) found(from, what);
  expect(leaks).toEqual([]);
  expect(Object.keys(exceptions).filter((name) => !needed.has(name))).toEqual([]);
});
