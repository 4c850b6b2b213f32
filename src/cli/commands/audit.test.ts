import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli, folderWith, problem, scripted } from '../../../test/cli-trial.ts';
import type { AuditEventInFull } from '../../contract/audit.ts';
import { askedBy } from '../input/audit-flags.ts';

function anEvent(parts: Partial<AuditEventInFull> = {}): AuditEventInFull {
  return {
    id: 'e1',
    at: '2026-01-02T03:04:05.000Z',
    kind: 'change',
    correlation_id: 'c1',
    provider: 'entra',
    subject: 's1',
    username: 'alice',
    client_id: null,
    auth_method: 'session',
    credential_id: null,
    client_ip: '10.0.0.1',
    action: 'servers.patch',
    resource: 'currenttime',
    tool: null,
    decision: 'allow',
    reason: null,
    status: 200,
    duration_ms: 2,
    count: 1,
    last_at: null,
    detail: { before: { tags: [] }, after: { tags: ['x'] } },
    ...parts,
  };
}

const page = (events: AuditEventInFull[], next_cursor: string | null = null) => ({
  body: { events, next_cursor, searched_to: null },
});

test('audit-list sends every filter and goes on through short pages until it has enough', async () => {
  const pages = [page([anEvent()], 'one'), page([], 'two'), page([anEvent({ username: null })], 'three')];
  const script = await scripted({
    'GET /api/audit/events': () => pages.shift() ?? problem(500, 'internal', 'too many'),
  });
  const flags = [
    '--from',
    '2026-01-01',
    '--to',
    '2026-01-03T00:00Z',
    '--kind',
    'change',
    '--decision',
    'allow',
  ];
  const more = ['--status', '2xx', '--username', 'al', '--subject', 's', '--client-id', 'w', '--action', 'a'];
  const rest = ['--resource', '/r', '--tool', 't', '--correlation-id', 'c', '--query', 'q', '--limit', '2'];
  const { code, out, err } = await cli(['audit-list', ...flags, ...more, ...rest], { registry: script });
  expect(code).toBe(0);
  expect(Object.fromEntries(new URL(script.asked[0]?.slice(4) ?? '', 'http://x').searchParams)).toEqual({
    ...{
      from: '2026-01-01T00:00:00.000Z',
      to: '2026-01-03T00:00:00.000Z',
      kind: 'change',
      decision: 'allow',
    },
    ...{
      status: '2xx',
      username: 'al',
      subject: 's',
      client_id: 'w',
      action: 'a',
      resource: '/r',
      tool: 't',
    },
    ...{ correlation_id: 'c', q: 'q', limit: '2' },
  });
  expect(script.asked.slice(1).map((asked) => /cursor=(\w+)/.exec(asked)?.[1])).toEqual(['one', 'two']);
  expect(out.split('\n').slice(0, 3)).toEqual([
    'TIME                      WHO       KIND    ACTION         RESOURCE     TOOL  OUTCOME  STATUS  ID',
    '2026-01-02T03:04:05.000Z  alice     change  servers.patch  currenttime        allow    200     e1',
    '2026-01-02T03:04:05.000Z  10.0.0.1  change  servers.patch  currenttime        allow    200     e1',
  ]);
  expect(err).toContain('--cursor three');
});

test('audit-list says that there is nothing, and gives one JSON document when asked', async () => {
  const script = await scripted({ 'GET /api/audit/events': page([]) });
  expect((await cli(['audit-list'], { registry: script })).err).toContain('No events.');
  const { out } = await cli(['audit-list', '--json'], { registry: script });
  expect(JSON.parse(out)).toEqual({ events: [], next_cursor: null });
});

test('repeated refusals are shown with how many, and until when', async () => {
  const merged = anEvent({
    ...{ username: null, subject: null, client_ip: null, action: 'POST', decision: 'deny', status: 401 },
    ...{ count: 9995, last_at: '2026-01-02T03:04:50.000Z' },
  });
  const script = await scripted({
    'GET /api/audit/events': page([merged]),
    'GET /api/audit/events/e1': { body: merged },
  });
  expect((await cli(['audit-list'], { registry: script })).out).toMatch(/several .*POST \(9995 times\)/);
  const { out } = await cli(['audit-show', '--id', 'e1'], { registry: script });
  expect(out).toMatch(/^Until: +2026-01-02T03:04:50.000Z$/m);
  expect(out).toMatch(/^Requests: +9995$/m);
});

test('what an event says cannot control the terminal', async () => {
  const odd = anEvent({ resource: 'a\u001b[2Jb', username: '\u202ealice' });
  const script = await scripted({
    'GET /api/audit/events': page([odd]),
    'GET /api/audit/events/e1': { body: { ...odd, detail: { x: '\u009b2J' } } },
  });
  for (const command of [['audit-list'], ['audit-show', '--id', 'e1']]) {
    const { out } = await cli(command, { registry: script });
    for (const control of ['\u001b', '\u009b', '\u202e']) expect(out).not.toContain(control);
  }
});

test('audit-show shows an event with before and after', async () => {
  const script = await scripted({ 'GET /api/audit/events/e1': { body: anEvent() } });
  const { out } = await cli(['audit-show', '--id', 'e1'], { registry: script });
  expect(out).toMatch(/^Who: +alice$/m);
  expect(out).toContain('"before"');
  expect(out).not.toContain('Tool:');
});

test('audit-export writes a file for its owner alone, or prints what came', async () => {
  const csv = '"id"\r\n"e1"\r\n';
  const script = await scripted({
    'GET /api/audit/export': { headers: { 'content-type': 'text/csv; charset=utf-8' }, body: csv },
  });
  const cwd = await folderWith();
  const { code, out } = await cli(['audit-export', '--format', 'csv', '--output', 'a.csv', '--kind', 'mcp'], {
    registry: script,
    cwd,
  });
  expect([code, out]).toEqual([0, 'Wrote a.csv (12 bytes).\n']);
  expect(readFileSync(join(cwd, 'a.csv'), 'utf8')).toBe(csv);
  expect(statSync(join(cwd, 'a.csv')).mode & 0o777).toBe(0o600);
  expect(script.asked[0]).toBe('GET /api/audit/export?kind=mcp&format=csv&limit=100000');
  expect((await cli(['audit-export', '--format', 'csv'], { registry: script })).out).toBe(csv);
});

test('an export that is refused leaves no file and says what to do', async () => {
  const script = await scripted({
    'GET /api/audit/export': problem(403, 'not_allowed', 'Required: read_audit.'),
  });
  const cwd = await folderWith();
  const { code, err } = await cli(['audit-export', '--output', 'a.jsonl'], { registry: script, cwd });
  expect(code).toBe(1);
  expect(err).toContain('Required: read_audit.');
  expect(readdirSync(cwd)).toEqual([]);
});

test('a time that is none is misuse', async () => {
  for (const time of ['yesterday', '2026-13-01', '24'])
    expect((await cli(['audit-list', '--from', time], { env: { MCP_GATEWAY_TOKEN: 't' } })).code).toBe(2);
});

test.each([
  ['24h', '2026-03-09T12:00:00.000Z'],
  ['7d', '2026-03-03T12:00:00.000Z'],
  ['90m', '2026-03-10T10:30:00.000Z'],
  ['2026-03-01', '2026-03-01T00:00:00.000Z'],
  ['2026-03-01T09:30', '2026-03-01T09:30:00.000Z'],
  ['2026-03-01T09:30+02:00', '2026-03-01T07:30:00.000Z'],
])('the time %s is %s', (text, expected) => {
  expect(askedBy({ from: text }, Date.parse('2026-03-10T12:00:00Z'))).toEqual({ from: expected });
});
