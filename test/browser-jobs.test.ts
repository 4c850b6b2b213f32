import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Locator, Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { hasFocus, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';
import { agentToken } from './sign-in.ts';

let gateway: TestGateway;
let administrator: string;
let fragile: Server;

const { openAs } = browserTrial(
  () => ({ environment: { HEALTH_CHECK_INTERVAL_SECONDS: '300' } }),
  async (started) => {
    gateway = started;
    administrator = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
    fragile = await startFragile();
    const { port } = fragile.address() as AddressInfo;
    await ask('/api/servers', 'POST', {
      ...{ server_name: 'Fragile', path: '/fragile', proxy_pass_url: `http://127.0.0.1:${port}/mcp` },
      is_enabled: true,
    });
  },
);
afterAll(() => fragile?.close());

/** An MCP server that can be killed. */
function startFragile(): Promise<Server> {
  const server = createServer(async (req, res) => {
    let text = '';
    for await (const chunk of req) text += chunk;
    const { id, method } = JSON.parse(text || '{}') as { id?: number; method?: string };
    if (id === undefined) return res.writeHead(req.method === 'POST' ? 202 : 405).end();
    const results: Record<string, unknown> = {
      initialize: {
        protocolVersion: '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: { name: 'fragile', version: '1' },
      },
      'tools/list': { tools: [{ name: 'work', inputSchema: { type: 'object' } }] },
      'tools/call': { content: [{ type: 'text', text: 'done' }] },
    };
    res.writeHead(200, { 'content-type': 'application/json' });
    return res.end(JSON.stringify({ jsonrpc: '2.0', id, result: results[method ?? ''] ?? {} }));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function ask(path: string, method: string, body: object, token = administrator): Promise<Response> {
  const answer = await fetch(`${gateway.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify(body),
  });
  return answer;
}

const call = (server: string, tool: string, token?: string) =>
  ask(
    `/${server}/mcp`,
    'POST',
    { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {} } },
    token,
  ).then(async (answer) => ({ status: answer.status, text: await answer.text() }));

/** Counts what a person does: clicks, and fields that they fill in. */
function counted() {
  const acts = { count: 0 };
  return {
    acts,
    click: async (target: Locator) => {
      acts.count += 1;
      await target.click();
    },
    write: async (page: Page, target: Locator, text: string, key?: string) => {
      acts.count += 1;
      await target.fill(text);
      if (key) await page.keyboard.press(key);
    },
  };
}

/** Creates a personal token of who is signed in on a page. */
function mintOn(page: Page, description: string) {
  return page.evaluate(`
    fetch('/api/auth/me').then((answer) => answer.json()).then((me) =>
      fetch('/api/tokens/generate', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-csrf-token': me.csrf_token },
        body: JSON.stringify({ description: ${JSON.stringify(description)} }),
      }).then((answer) => answer.json()))`) as Promise<{
    token_id: string;
    tokens: { access_token: string };
  }>;
}

test('a newcomer connects a client in three clicks', async () => {
  const page = await openAs('bob', '/');
  const { acts, click } = counted();
  await click(page.getByRole('button', { name: 'Connect Current Time' }));
  await click(page.getByText('Claude Code', { exact: true }));
  await click(page.getByRole('button', { name: 'Copy for Claude Code' }));
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  const text = (await page.getByRole('region', { name: 'Text to copy' }).textContent()) ?? '';
  expect(text).toBe(`claude mcp add --transport http currenttime "${gateway.url}/currenttime/mcp"`);
  expect(acts.count).toBeLessThanOrEqual(3);
});

test('a server is restricted to one tool for a group in eight actions, and it really is one tool', async () => {
  const page = await openAs('alice', '/servers/everything');
  const { acts, click, write } = counted();
  // The sidebar has a link of the same name, before the server's own tabs are there.
  await click(page.locator('main').getByRole('link', { name: 'Access', exact: true }));
  await click(page.getByRole('button', { name: 'Give access' }));
  const dialog = page.getByRole('dialog');
  await write(page, dialog.getByRole('combobox', { name: 'Who' }), 'mcp-test-users', 'Enter');
  await click(dialog.getByLabel('echo', { exact: true }));
  await dialog.getByText(/Members of mcp-test-users can call 1 tool \(echo\)/).waitFor();
  await click(dialog.getByRole('button', { name: 'Review' }));
  const gains = dialog.getByRole('row', { name: /everything/ }).first();
  await gains.waitFor();
  expect(await gains.innerText()).not.toMatch(/every other/);
  await click(dialog.getByRole('button', { name: 'Save' }));
  await page.getByText('Access was given.').waitFor();
  expect(acts.count).toBeLessThanOrEqual(8);

  const allowed = async (tool: string) => {
    const groups = [shippedTenant.groups.users];
    const body = { groups, server: 'everything', method: 'tools/call', tool };
    return ((await (await ask('/api/access/explain', 'POST', body)).json()) as { allow: boolean }).allow;
  };
  await expect.poll(() => allowed('echo')).toBe(true);
  expect([await allowed('get-sum'), await allowed('get-env')]).toEqual([false, false]);
  // They see it too: a grant to call and the entry in the catalog are given together.
  const bob = await openAs('bob', '/servers/everything?tab=tools');
  await bob.getByText('echo', { exact: true }).first().waitFor();
  expect(await bob.getByText('get-sum', { exact: true }).count()).toBe(0);
});

test('a denial and its cause are found in four actions', async () => {
  const { tokens } = await mintOn(await openAs('bob', '/tokens'), 'refused');
  await call('everything', 'get-env', tokens.access_token);
  // The trail is written a moment after the call.
  const denials = async () =>
    (await (
      await fetch(`${gateway.url}/api/audit/events?matter=denials&resource=everything`, {
        headers: { authorization: `Bearer ${administrator}` },
      })
    ).json()) as { events: unknown[] };
  await expect.poll(async () => (await denials()).events.length).toBeGreaterThan(0);
  const page = await openAs('alice', '/');
  const { acts, click } = counted();
  await click(page.getByRole('link', { name: 'Audit', exact: true }));
  const event = page.getByRole('button', { name: /tools\/call · everything/ }).first();
  await click(event);
  await click(page.getByRole('link', { name: 'Why was it denied?' }));
  const decision = page.getByRole('region', { name: 'Decision' });
  await decision.getByText('Denied').waitFor();
  expect(acts.count).toBeLessThanOrEqual(4);
});

test('a leaked token is found by its id in an audit event and revoked in four actions', async () => {
  const bob = await openAs('bob', '/tokens');
  const made = await mintOn(bob, 'leaked');
  const token = made.tokens.access_token;
  expect((await call('currenttime', 'current_time_by_timezone', token)).status).not.toBe(401);
  // Its owner is gone from the pages: the token is found all the same.
  await bob.context().clearCookies();
  const page = await openAs('alice', `/audit?credential=${made.token_id}`);
  const { acts, click } = counted();
  await click(page.getByRole('button', { name: /tools\/call · currenttime/ }).first());
  await click(page.getByRole('link', { name: 'The token that was used' }));
  await click(page.getByRole('button', { name: 'Revoke leaked' }));
  await click(page.getByRole('dialog').getByRole('button', { name: 'Revoke' }));
  await page.getByText('leaked was revoked.').waitFor();
  expect(acts.count).toBeLessThanOrEqual(4);
  const after = await fetch(`${gateway.url}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } });
  expect(after.status).toBe(401);
});

test('a killed server is seen while calls to it fail, long before its next check', async () => {
  const page = await openAs('alice', '/servers?q=fragile');
  await page.getByText('Healthy').first().waitFor();
  expect((await call('fragile', 'work')).status).toBe(200);
  fragile.closeAllConnections();
  await new Promise((resolve) => fragile.close(resolve));
  const begun = Date.now();
  await expect
    .poll(
      async () => {
        await call('fragile', 'work');
        return page.getByText('Unhealthy').count();
      },
      { timeout: 30_000, interval: 500 },
    )
    .toBeGreaterThan(0);
  console.log(`a killed server was shown as unhealthy after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
});

/** Goes to a control by the Tab key and presses a key on it. */
async function press(page: Page, target: Locator, key = 'Enter'): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press(key);
}

/** Opens a page by its name in the palette. */
async function jump(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog', { name: 'Search or jump to' });
  await palette.getByRole('combobox').waitFor();
  await page.keyboard.type(name);
  await palette.getByRole('option', { name }).first().and(page.locator('[aria-selected=true]')).waitFor();
  await page.keyboard.press('Enter');
  await palette.waitFor({ state: 'detached' });
}

test('every job is done by keyboard alone', async () => {
  // A newcomer connects a client.
  const bob = await openAs('bob', '/');
  await press(bob, bob.getByRole('button', { name: 'Connect Current Time' }));
  const program = bob.getByRole('dialog').getByRole('radio').and(bob.locator(':checked')).first();
  await tabTo(bob, program);
  const wanted = bob.getByRole('radio', { name: 'Claude Code' });
  for (let at = 0; at < 10 && !(await hasFocus(bob, wanted)); at += 1) await bob.keyboard.press('ArrowRight');
  await press(bob, bob.getByRole('button', { name: 'Copy for Claude Code' }));
  await bob.getByRole('button', { name: 'Copied' }).waitFor();
  const made = await mintOn(bob, 'typed');
  const token = made.tokens.access_token;
  const denied = () => call('everything', 'get-env', token);

  // A group gets one tool of a server.
  const page = await openAs('alice', '/');
  await jump(page, 'Everything');
  await press(page, page.locator('main').getByRole('link', { name: 'Access', exact: true }));
  await press(page, page.getByRole('button', { name: 'Give access' }));
  const dialog = page.getByRole('dialog');
  await tabTo(page, dialog.getByRole('combobox', { name: 'Who' }));
  await page.keyboard.type('mcp-test-users');
  await page.keyboard.press('Enter');
  await press(page, dialog.getByLabel('get-sum', { exact: true }), 'Space');
  await dialog.getByText(/can call 1 tool \(get-sum\)/).waitFor();
  await press(page, dialog.getByRole('button', { name: 'Review' }));
  await dialog
    .getByRole('row', { name: /everything/ })
    .first()
    .waitFor();
  await press(page, dialog.getByRole('button', { name: 'Save' }));
  await page.getByText('Access was given.').waitFor();

  // Why someone was denied.
  await denied();
  const events = async () =>
    (
      (await (
        await fetch(`${gateway.url}/api/audit/events?matter=denials&credential_id=${made.token_id}`, {
          headers: { authorization: `Bearer ${administrator}` },
        })
      ).json()) as { events: unknown[] }
    ).events.length;
  await expect.poll(events, { timeout: 60_000 }).toBeGreaterThan(0);
  await jump(page, 'Audit');
  const event = page.getByRole('button', { name: /tools\/call · everything/ }).first();
  await press(page, event);
  await press(page, page.getByRole('link', { name: 'Why was it denied?' }));
  await page.getByRole('region', { name: 'Decision' }).getByText('Denied').waitFor();

  // The token of that call is revoked.
  await jump(page, 'Audit');
  await press(page, event);
  await press(page, page.getByRole('link', { name: 'The token that was used' }));
  await press(page, page.getByRole('button', { name: 'Revoke typed' }));
  await press(page, dialog.getByRole('button', { name: 'Revoke' }));
  await page.getByText('typed was revoked.').waitFor();
  expect((await denied()).status).toBe(401);

  // The server that was killed, and what is the matter with it.
  await jump(page, 'Fragile');
  await page.getByText('Unhealthy').first().waitFor();
  await press(page, page.locator('main').getByRole('link', { name: 'Health', exact: true }));
  await page.getByRole('list', { name: 'Changes of health' }).getByText('Unhealthy').first().waitFor();
}, 240_000);
