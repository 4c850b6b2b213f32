import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditEventInFull, AuditEventShown, AuditSummary } from '../src/contract/audit.ts';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { startGateway, type TestGateway } from './harness.ts';
import { agentToken, mintToken, signIn } from './sign-in.ts';

const { accounts, agents, groups } = shippedTenant;
const directory = mkdtempSync(join(tmpdir(), 'audit-'));
let gateway: TestGateway;
let admin: string;
let auditor: string;

beforeAll(async () => {
  const file = join(directory, 'scopes.yml');
  const shipped = readFileSync('examples/scopes.yml', 'utf8');
  // The operators of the shipped tenant become auditors and nothing else.
  const given = new RegExp(`("${groups.operators}":\\n)(?:    - .*\\n?)+`);
  expect(shipped).toMatch(given);
  writeFileSync(file, shipped.replace(given, '$1    - mcp-registry-auditor\n'));
  gateway = await startGateway({ environment: { SCOPES_CONFIG_PATH: file } });
  admin = await agentToken(gateway.emulatorUrl, agents.admin);
  auditor = await agentToken(gateway.emulatorUrl, agents.operator);
});
afterAll(async () => {
  await gateway?.close();
  rmSync(directory, { recursive: true, force: true });
});

const ask = (path: string, token: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${gateway.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
const json = { 'content-type': 'application/json' };

async function events(search: string): Promise<AuditEventShown[]> {
  const answer = await ask(`/api/audit/events?${search}`, auditor);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { events: AuditEventShown[] }).events;
}

async function inFull(search: string): Promise<AuditEventInFull> {
  const [event] = await events(search);
  return (await (await ask(`/api/audit/events/${event?.id}`, auditor)).json()) as AuditEventInFull;
}

test('a change is there with before and after, under the correlation id of its answer', async () => {
  const body = JSON.stringify({ description: 'Tells the time.' });
  const answer = await ask('/api/servers/currenttime', admin, { method: 'PATCH', headers: json, body });
  const event = await inFull(`correlation_id=${answer.headers.get('x-correlation-id')}`);
  expect(event).toMatchObject({
    ...{ kind: 'change', action: 'servers.patch', resource: 'currenttime', decision: 'allow', status: 200 },
    detail: { before: { path: '/currenttime' }, after: { description: 'Tells the time.' } },
  });
});

test('while another program writes to the database calls go on, and a change waits until it is done', async () => {
  const other = new DatabaseSync(join(gateway.dataDir, 'gateway.db'));
  let isChanged = false;
  try {
    other.exec('BEGIN IMMEDIATE');
    const body = JSON.stringify({ description: 'Tells the time again.' });
    const change = ask('/api/servers/currenttime', admin, { method: 'PATCH', headers: json, body });
    const changed = change.then(({ status }) => {
      isChanged = true;
      return status;
    });
    const headers = { ...json, accept: 'application/json, text/event-stream' };
    const ping = { method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }) };
    for (let calls = 0; calls < 20; calls += 1)
      expect((await ask('/currenttime/mcp', admin, ping)).status).toBe(200);
    expect(isChanged).toBe(false);
    other.exec('ROLLBACK');
    expect(await changed).toBe(200);
  } finally {
    other.close();
  }
});

test('calls are there with method and tool, and without their arguments', async () => {
  const params = { name: 'current_time_by_timezone', arguments: { tz_name: 'Secret/Argument' } };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const headers = { ...json, accept: 'application/json, text/event-stream' };
  for (const token of [admin, auditor])
    await ask('/currenttime/mcp', token, { method: 'POST', headers, body });
  const [allowed] = await events('kind=mcp&tool=current_time_by_timezone');
  // Who has nothing on a server is refused before it is read what is asked of it.
  const [refused] = await events('kind=mcp&decision=deny');
  expect([allowed, refused]).toMatchObject([
    { action: 'tools/call', resource: 'currenttime', decision: 'allow' },
    { action: 'POST', decision: 'deny', status: 403, client_id: agents.operator.clientId },
  ]);
  const whole = await (await ask('/api/audit/export', auditor)).text();
  expect(whole).toContain('current_time_by_timezone');
  for (const secret of ['Secret/Argument', admin, auditor]) expect(whole).not.toContain(secret);
});

test('sign-ins and minted tokens are there, the token is not', async () => {
  const session = await signIn(gateway.url, accounts.user.userPrincipalName);
  const { token, id } = await mintToken(gateway.url, session, { expires_in_hours: 1 });
  expect(await events('kind=sign-in&decision=allow&limit=1')).toMatchObject([
    { action: 'sign-in', username: accounts.user.userPrincipalName },
  ]);
  const minted = await inFull('kind=token&limit=1');
  expect(minted).toMatchObject({ action: 'tokens.generate', detail: { token: id, hours: 1 } });
  expect(JSON.stringify(minted)).not.toContain(token);
});

test('failed sign-ins and refusals are counted by who and where', async () => {
  const denied = `${gateway.url}/oauth2/callback/entra?error=access_denied&state=unknown`;
  for (let turn = 0; turn < 3; turn++) await fetch(denied, { redirect: 'manual' });
  await ask('/api/sessions?all=true', auditor);
  const answer = await ask('/api/audit/summary', auditor);
  const { refusals, failed_sign_ins, timeline, retention_days } = (await answer.json()) as AuditSummary;
  expect(retention_days).toBe(90);
  expect(timeline.reduce((sum, { deny }) => sum + deny, 0)).toBeGreaterThan(0);
  expect(failed_sign_ins[0]).toMatchObject({ subject: null, count: 3 });
  expect(failed_sign_ins[0]?.client_ip).toMatch(/127\.0\.0\.1|::1/);
  expect(refusals.map(({ subject }) => subject)).toContain(
    (await events('action=sessions.list'))[0]?.subject,
  );
});

test('an auditor exports a file that any spreadsheet opens safely, and that is recorded', async () => {
  await ask('/api/servers/=cmd()', admin);
  const answer = await ask('/api/audit/export?format=csv&q=cmd', auditor);
  expect(answer.headers.get('content-type')).toMatch(/^text\/csv/);
  expect(answer.headers.get('content-disposition')).toMatch(
    /^attachment; filename="audit-export-\d{8}-\d{6}\.csv"$/,
  );
  const [head, line] = (await answer.text()).split('\r\n');
  expect(head).toMatch(/^"id","at","kind"/);
  expect(line).toContain(`,"'=cmd()",`);
  expect(await inFull('action=audit.export&limit=1')).toMatchObject({
    detail: { format: 'csv', filters: { q: 'cmd' } },
  });
});

test('the command line lists, shows and exports the same', async () => {
  const run = (...argv: string[]) => {
    const env = { PATH: process.env.PATH, REGISTRY_URL: gateway.url, MCP_GATEWAY_TOKEN: auditor };
    const asked = [resolve('bin/mcp-gateway.mjs'), ...argv];
    return spawnSync(process.execPath, asked, { encoding: 'utf8', env, cwd: directory });
  };
  await ask('/api/servers/currenttime', admin);
  const flags = ['--action', 'servers.get', '--decision', 'allow'];
  const listed = JSON.parse(run('audit-list', ...flags, '--json').stdout) as { events: AuditEventShown[] };
  expect(listed.events).toEqual(await events('action=servers.get&decision=allow'));
  const [first] = listed.events;
  expect(run('audit-show', '--id', first?.id ?? '').stdout).toContain(first?.correlation_id);
  expect(run('audit-export', ...flags, '--output', 'export.jsonl').status).toBe(0);
  const lines = readFileSync(join(directory, 'export.jsonl'), 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).id)).toEqual(listed.events.map(({ id }) => id));
});

test('an auditor reads the trail and nothing else, others do not read it', async () => {
  const user = await agentToken(gateway.emulatorUrl, agents.user);
  for (const path of ['events', 'summary', 'export', 'events/x']) {
    expect((await ask(`/api/audit/${path}`, user)).status).toBe(403);
    expect((await ask(`/api/audit/${path}`, admin)).status).toBe(path === 'events/x' ? 404 : 200);
  }
  expect((await ask('/api/servers/currenttime', auditor)).status).toBe(404);
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
    expect((await ask('/api/audit/events', admin, { method })).status).toBe(405);
});
