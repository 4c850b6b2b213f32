import { expect, test } from 'vitest';
import { cli, problem, scripted } from '../../../test/cli-trial.ts';
import type { Connection } from '../../contract/servers/connections.ts';

function aConnection(parts: Partial<Connection> = {}): Connection {
  return {
    ...{ server_path: '/github', server_name: 'GitHub', host: 'mcp.github.example', id: null, account: null },
    ...{ egress_auth_mode: 'oauth_user', egress_provider: 'github', status: 'none', scopes: ['repo'] },
    ...{ connected_at: null, ends_at: null, last_used_at: null, last_used_for: null, max_days: 7 },
    ...parts,
  };
}

const jira = aConnection({ server_path: '/jira', egress_auth_mode: 'pat', egress_provider: 'custom' });
const connected = aConnection({ status: 'connected', id: 'c1', account: 'ann', connected_at: '2026-11-29' });
const listed = (...connections: Connection[]) => ({ body: { connections } });
const at = 'GET /api/egress-auth/connections';

test('connection-list shows the servers that want a credential, or says that there are none', async () => {
  const registry = await scripted({ [at]: listed(connected, jira) });
  const { code, out } = await cli(['connection-list'], { registry });
  expect(code).toBe(0);
  expect(out).toMatch(/\/github +mcp\.github\.example +oauth_user +connected +ann/);
  expect(out).toMatch(/\/jira .* none/);
  const none = await cli(['connection', 'list'], { registry: await scripted({ [at]: listed() }) });
  expect([none.out, none.err]).toEqual(['', expect.stringContaining('None of your servers needs')]);
});

test('connection-connect opens the page and waits until somebody has connected there', async () => {
  const said = [listed(aConnection()), listed(aConnection()), listed(connected)];
  const registry = await scripted({ [at]: () => said.shift() ?? listed(connected) });
  const opened: string[] = [];
  const waited: number[] = [];
  const { code, out, err } = await cli(['connection-connect', '--path', 'github'], {
    registry,
    terminal: {
      openUrl: (url) => void opened.push(url),
      clock: { now: () => 0, pause: async (ms) => void waited.push(ms) },
    },
  });
  expect([code, waited]).toEqual([0, [2000]]);
  expect(opened).toEqual([`${registry.url}/oauth2/egress/connect?server=%2Fgithub`]);
  expect(err).toContain(opened[0]);
  expect(out).toContain('connected');
});

test('connection-connect only prints the address where it is told so, and says what to do instead', async () => {
  const registry = await scripted({ [at]: listed(aConnection(), jira) });
  const { out } = await cli(['connection-connect', '--path', '/github', '--no-wait', '--no-browser'], {
    registry,
  });
  expect(out.trim()).toBe(`${registry.url}/oauth2/egress/connect?server=%2Fgithub`);
  const byToken = await cli(['connection', 'connect', '/jira'], { registry });
  expect([byToken.code, byToken.err]).toEqual([2, expect.stringContaining('connection set-token /jira')]);
  const unknown = await cli(['connection', 'connect', '/nothing'], { registry });
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('connection list')]);
});

test('connection-set-token reads the token from standard input and keeps it as long as the server allows', async () => {
  const sent: unknown[] = [];
  const registry = await scripted({
    [at]: listed(jira),
    'POST /api/egress-auth/pat': ({ text }) => {
      sent.push(JSON.parse(text));
      return { body: { ...jira, status: 'connected' } };
    },
  });
  const { code, out, err } = await cli(['connection-set-token', '--path', '/jira'], {
    registry,
    stdin: 's3cret\n',
  });
  expect(code).toBe(0);
  expect(out + err).not.toContain('s3cret');
  await cli(['connection', 'set-token', '/jira', '--days', '3'], { registry, stdin: 'other' });
  expect(sent).toEqual([
    { server_path: '/jira', token: 's3cret', ttl_value: 7, ttl_unit: 'days' },
    { server_path: '/jira', token: 'other', ttl_value: 3, ttl_unit: 'days' },
  ]);
  const nothing = await cli(['connection-set-token', '--path', '/jira'], { registry });
  expect([nothing.code, nothing.err]).toEqual([2, expect.stringContaining('holds no token')]);
});

test('connection-disconnect asks first and deletes what is there', async () => {
  const registry = await scripted({
    [at]: listed(connected),
    'DELETE /api/egress-auth/connections/github/github': { status: 204 },
  });
  const asked = await cli(['connection-disconnect', '--path', '/github'], { registry });
  expect([asked.code, registry.asked]).toEqual([2, [at]]);
  const { code, out } = await cli(['connection', 'disconnect', '/github', '--yes'], { registry });
  expect([code, out.trim()]).toEqual([0, 'Disconnected from /github.']);
  expect(registry.asked.at(-1)).toBe('DELETE /api/egress-auth/connections/github/github');
  const refused = await scripted({
    [at]: listed(connected),
    'DELETE /api/egress-auth/connections/github/github': problem(404, 'not_found', 'You are not connected.'),
  });
  expect((await cli(['connection', 'disconnect', '/github', '--yes'], { registry: refused })).code).toBe(1);
});
