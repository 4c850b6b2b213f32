import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditEventShown } from '../../src/contract/audit.ts';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { startGateway, type TestGateway } from '../harness.ts';
import { agentToken } from '../sign-in.ts';

let gateway: TestGateway;
let admin: string;

beforeAll(async () => {
  gateway = await startGateway();
  admin = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
});
afterAll(() => gateway?.close());

const json = { 'content-type': 'application/json' };

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${gateway.url}${path}`, {
    redirect: 'manual',
    ...init,
    headers: { authorization: `Bearer ${admin}`, ...init.headers },
  });
}

async function events(search: string): Promise<AuditEventShown[]> {
  return ((await (await ask(`/api/audit/events?${search}`)).json()) as { events: AuditEventShown[] }).events;
}

test.each(['login', 'callback'])(
  'an unknown provider of /oauth2/%s is 404 and leaves no record',
  async (page) => {
    const name = 'eyJ'.repeat(900);
    const answer = await fetch(`${gateway.url}/oauth2/${page}/${name}?state=a&code=b`, {
      redirect: 'manual',
    });
    expect(answer.status).toBe(404);
    expect(await answer.text()).not.toContain('eyJ');
    expect(await events('kind=sign-in')).toEqual([]);
    expect(gateway.output()).not.toContain('eyJeyJ');
  },
);

test('a change with a large text is recorded in bounded room', async () => {
  const metadata = { text: 'eyJ'.repeat(4_000) };
  const body = JSON.stringify({ metadata });
  const answer = await ask('/api/servers/currenttime', { method: 'PATCH', headers: json, body });
  expect(answer.status).toBe(200);
  const [event] = await events(`correlation_id=${answer.headers.get('x-correlation-id')}`);
  const shown = await (await ask(`/api/audit/events/${event?.id}`)).text();
  expect(shown.length).toBeLessThan(12_000);
});

const wildcards = ['/all', 'all/', 'ALL', '%61ll', '%2561ll', '*', '\uff0a', '\uff41ll', 'a\u200bll'];

test.each(wildcards)('nothing can be registered as %s, and no scope takes it for a name', async (name) => {
  const server = { server_name: 'x', path: name, proxy_pass_url: 'http://127.0.0.1:9/' };
  const rule = { server: name, methods: ['tools/call'], tools: ['x'] };
  const answers = await Promise.all([
    post('/api/servers', server),
    post('/api/servers/groups/import', { scope_name: name }),
    ...[
      { ui_permissions: { list_service: [name] } },
      { ui_permissions: { list_agents: [name] } },
      { agent_access: [`/x/../${name}/`, name].slice(1) },
      { server_access: [{ ...rule, server: 'currenttime', tools: [name] }] },
      { server_access: [{ ...rule, server: 'currenttime', methods: [name] }] },
      { server_access: [rule] },
    ].map((part) => post('/api/servers/groups/import', { scope_name: 'attack', ...part })),
  ]);
  const mayStand = name === '*' ? [200, 422] : [422];
  for (const [index, answer] of answers.entries())
    expect([index, mayStand.includes(answer.status)]).toEqual([index, true]);
});

function post(path: string, body: unknown): Promise<Response> {
  return ask(path, { method: 'POST', headers: json, body: JSON.stringify(body) });
}
