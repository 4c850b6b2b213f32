import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { expectAccessible, expectFits, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';
import { agentToken, askAsAdmin } from './sign-in.ts';

const { agents, groups } = shippedTenant;
const hidden = 'authorization=hush-hush';
let gateway: TestGateway;

const { openAs } = browserTrial(
  () => {
    const environment = { OTEL_EXPORTER_OTLP_HEADERS: hidden, HEALTH_SLOW_MS: '4321' };
    return { environment };
  },
  async (started) => {
    gateway = started;
  },
  () => [],
  { signsInOnce: true },
);
test('an administrator sees what runs since when, how servers are, and when the secret ends', async () => {
  const page = await openAs('alice', '/operations');
  const overview = page.getByRole('region', { name: 'This gateway' });
  await overview.getByText(packageJson.version).first().waitFor();
  await overview.getByText(/Evaluation: demo accounts/).waitFor();
  await overview
    .getByText(/^(just now|\d+ (minute|second)s? ago)$/)
    .first()
    .waitFor();
  await overview.getByRole('region', { name: 'Processes' }).getByRole('listitem').first().waitFor();
  const stored = overview.getByRole('region', { name: 'Storage' });
  await stored.getByText(/Embedded · [\d.,]+ [kM]?B/).waitFor();
  await stored.getByText('90 days').waitFor();
  await overview.getByText(/Client secret: ends in [\d,]+ days/).waitFor();
  await overview.getByRole('link', { name: /^\d+ healthy$/ }).click();
  await page.getByRole('heading', { level: 1, name: 'Servers' }).waitFor();
  expect(new URL(page.url()).searchParams.get('health')).toBe('healthy');
});

test('settings are shown with their source, defaults when asked for, and no secret', async () => {
  const page = await openAs('alice', '/operations?tab=settings');
  const settings = page.getByRole('region', { name: 'Active settings' });
  const row = (name: string) =>
    settings.getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) });
  await row('HEALTH_SLOW_MS').getByText('4321').waitFor();
  await row('HEALTH_SLOW_MS').getByText('Given', { exact: true }).waitFor();
  await row('OTEL_EXPORTER_OTLP_HEADERS').getByText('Set; never shown').waitFor();
  expect(await row('AUDIT_RETENTION_DAYS').count()).toBe(0);
  await settings.getByRole('checkbox', { name: 'Defaults too' }).check();
  await row('AUDIT_RETENTION_DAYS').getByText('90', { exact: true }).waitFor();
  expect(await row('AUDIT_RETENTION_DAYS').getByText('Given', { exact: true }).count()).toBe(0);
  await settings.getByRole('region', { name: 'Registry' }).getByText('ACCESS_REQUESTS').waitFor();
  await row('SECRET_KEY')
    .getByText(/made in DATA_DIR/)
    .waitFor();
  expect(await row('ENTRA_TENANT_ID').count(), 'settings without effect in this mode').toBe(0);
  await settings.getByRole('checkbox', { name: 'Defaults too' }).uncheck();
  await settings.getByRole('searchbox', { name: 'Search settings' }).fill('audit retention');
  await row('AUDIT_RETENTION_DAYS').waitFor();
  for (const text of await settings.getByRole('listitem').allTextContents())
    expect(text).toMatch(/audit[\s\S]*retention/i);
  const told = await page.evaluate<string>("fetch('/api/process').then((answer) => answer.text())");
  expect(told).toContain('OTEL_EXPORTER_OTLP_HEADERS');
  expect(told).not.toContain('hush-hush');
});

test('whose credential goes to a server is chosen with only the fields that the way needs', async () => {
  // Whatever a try before this one left.
  const ask = await askAsAdmin(gateway);
  expect((await ask('/api/servers/currenttime/egress-auth', { egress_auth_mode: 'none' })).ok).toBe(true);
  const stored = async () => (await ask('/api/servers/currenttime/egress-auth')).json();
  const page = await openAs('alice', '/servers/currenttime?tab=settings');
  const form = page.getByRole('region', { name: 'Credential for the server' });
  const fields = async () =>
    (await form.getByRole('textbox').count()) + (await form.locator('select').count());
  await form.getByRole('radio', { name: /^No credential/ }).waitFor();
  expect(await fields()).toBe(0);
  await form.getByRole('radio', { name: /^A token that each person enters/ }).press('Space');
  await form.getByLabel('Header', { exact: true }).fill('X-Service-Key');
  await form.getByLabel('Kept for at most (days)').fill('7');
  await saveOnce(form);
  await page.getByText(/The credential settings of .* are saved\./).waitFor();
  expect(await stored()).toMatchObject({
    ...{ egress_auth_mode: 'pat', header_name: 'X-Service-Key', max_days: 7, client_id: null },
  });
  // An administrator lets the server be looked at with a token of theirs; saving again keeps that.
  await form.getByLabel('Who reads its tools').selectOption('person');
  await saveOnce(form);
  await form.getByText('No one is connected for its lists yet').waitFor();
  await form.getByLabel('Token for its lists').fill('a-token-for-lists');
  await form.getByRole('button', { name: 'Connect for its lists' }).press('Enter');
  await form.getByText(/alice@.* is connected\./).waitFor();
  await expectAccessible(page);
  await form.getByLabel('Kept for at most (days)').fill('8');
  await saveOnce(form);
  await expect
    .poll(stored, { timeout: 60_000 })
    .toMatchObject({ max_days: 8, discovery: 'person', lists_connection: { username: expect.any(String) } });
  // What is wrong is said at its field, and nothing is changed.
  await form.getByRole('radio', { name: /^The gateway's own account/ }).press('Space');
  await saveOnce(form);
  await form.getByRole('alert').first().waitFor();
  await expectAccessible(page);
  await form.getByRole('radio', { name: /^No credential/ }).press('Space');
  await saveOnce(form);
  await expect.poll(stored, { timeout: 60_000 }).toMatchObject({ egress_auth_mode: 'none' });
});

/** Saves a form once no save of it is under way, which would have it ignored. */
async function saveOnce(form: Locator): Promise<void> {
  const button = form.getByRole('button', { name: 'Save' });
  await form.locator('button[aria-disabled]').waitFor({ state: 'detached' });
  await button.press('Enter');
}

test('whoever is no administrator is not told what runs, or with which settings', async () => {
  const page = await openAs('bob', '/operations');
  await page.getByText('This page is for administrators').waitFor();
  expect(await page.getByRole('region', { name: 'Active settings' }).count()).toBe(0);
  const status = await page.evaluate("fetch('/api/process').then((answer) => answer.status)");
  expect(status).toBe(403);
});

test('a person finds their groups, scopes, permissions, sessions and tokens by keyboard', async () => {
  const page = await openAs('bob', '/servers');
  await tabTo(page, page.getByRole('button', { name: /account/ }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.locator('[popover]').getByRole('link', { name: 'My access' }));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'My access' }).waitFor();
  // A group is called what the directory calls it; its id is there on demand.
  const own = page.getByRole('region', { name: 'Groups' });
  await tabTo(page, own.locator('summary').filter({ hasText: 'mcp-test-users' }));
  await page.keyboard.press('Enter');
  await own.getByText(groups.users, { exact: true }).waitFor();
  await page
    .getByRole('region', { name: 'Scopes' })
    .getByText('mcp-registry-user', { exact: true })
    .waitFor();
  const permissions = page.getByRole('region', { name: 'Permissions' });
  await permissions.getByRole('row', { name: /list_service currenttime/ }).waitFor();
  expect(await permissions.getByText('modify_service').count()).toBe(0);
  await tabTo(page, page.getByRole('main').getByRole('link', { name: 'Your tokens' }));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Tokens' }).waitFor();
  await page.goBack();
  await page.getByRole('main').getByRole('link', { name: 'Your sessions' }).click();
  await page.getByText('This session').waitFor();
});

/** Asks for a tool of a server as an agent. */
async function callTool(agent: keyof typeof agents, tool: string): Promise<number> {
  const token = await agentToken(gateway.emulatorUrl, agents[agent]);
  const answer = await fetch(`${gateway.url}/currenttime/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } }),
  });
  await answer.body?.cancel();
  return answer.status;
}

test("an administrator sees on a server's page by which scopes and groups it may be used", async () => {
  const page = await openAs('alice', '/servers/currenttime?tab=access');
  const access = page.getByRole('region', { name: 'Who can use it' });
  const row = (scope: string) =>
    access.getByRole('listitem').filter({ has: page.getByRole('heading', { name: scope, exact: true }) });
  const user = row('mcp-registry-user');
  await user.getByText('Find servers, Check the health of servers').waitFor();
  // The directory's name of the group; the id that the scope has is there on demand.
  const group = user.getByText('mcp-test-users', { exact: true });
  await group.waitFor();
  expect(await group.getAttribute('title')).toBe(groups.users);
  await row('registry-admins').getByText('On every server: every method; every tool').waitFor();
  expect(
    await row('mcp-servers-restricted/read')
      .getByText(/tools\/call/)
      .count(),
  ).toBe(0);
});

test("calls and changes are on the server's page, each opening to all that is kept of it", async () => {
  expect(await callTool('operator', 'no-such-tool')).toBe(200);
  const page = await openAs('alice', '/servers/currenttime?tab=activity');
  const calls = page.getByRole('region', { name: 'Recent calls' });
  await calls
    .getByRole('button', { name: /tools\/call · currenttime · no-such-tool/ })
    .first()
    .click();
  await calls.getByText('Correlation id', { exact: true }).waitFor();
  const changes = page.getByRole('region', { name: 'Changes' });
  await page.getByRole('button', { name: 'Check health' }).click();
  await page
    .getByRole('status')
    .getByText(/Healthy/)
    .waitFor();
  await page
    .getByRole('switch', { name: /currenttime|time/i })
    .first()
    .click();
  await changes
    .getByRole('button', { name: /servers\.toggle/ })
    .first()
    .click();
  await changes.getByRole('row', { name: /is_enabled.*true.*false/ }).waitFor();
  expect(await changes.getByText('servers.health').count()).toBe(0);
  await page.getByRole('switch').first().click();
  await calls.getByRole('link', { name: /In the audit trail/ }).click();
  await page.getByRole('heading', { level: 1, name: 'Audit' }).waitFor();
  await page
    .getByRole('button', { name: /no-such-tool/ })
    .first()
    .waitFor();
});

test("who may use a server, its calls and its changes are on no page of a plain user's", async () => {
  const page = await openAs('bob', '/servers/currenttime?tab=access');
  await page.getByRole('region', { name: 'About' }).waitFor();
  await page.getByRole('link', { name: 'Health', exact: true }).click();
  await page.getByRole('region', { name: 'Health history' }).waitFor();
  await page.waitForLoadState('networkidle');
  for (const name of ['Who can use it', 'Recent calls', 'Changes'])
    expect(await page.getByRole('region', { name, exact: true }).count(), name).toBe(0);
  const asked = ['/api/access/servers/currenttime', '/api/audit/events?resource=currenttime'];
  for (const path of asked)
    expect(await page.evaluate(`fetch('${path}').then((answer) => answer.status)`), path).toBe(403);
});

const views: [name: string, who: string, path: string, enter?: (page: Page) => Promise<unknown>][] = [
  [
    'operations with every setting',
    'alice',
    '/operations?tab=settings',
    (page) => page.getByRole('checkbox', { name: 'Defaults too' }).check(),
  ],
  [
    "a server's page with an event open",
    'alice',
    '/servers/currenttime?tab=activity',
    async (page) => {
      await page.getByRole('switch').first().click();
      const changes = page.getByRole('region', { name: 'Changes' });
      await changes
        .getByRole('button', { name: /servers\.toggle/ })
        .first()
        .click();
      await changes.getByRole('row', { name: /is_enabled/ }).waitFor();
    },
  ],
  ['the account of an administrator', 'alice', '/me'],
  ['the account of a plain user', 'bob', '/me'],
];

// In turns: that every page is right in both themes is held by browser-pages.test.ts.
describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  test.each(views.filter((_, index) => (index % 2 === 0) === (colorScheme === 'light')))(
    '%s is accessible and fits 1280 and 360 pixels',
    async (_name, who, path, enter) => {
      const page = await openAs(who, path, { colorScheme });
      await page.waitForLoadState('networkidle');
      await enter?.(page);
      await expectAccessible(page);
      await expectFits(page);
      await page.setViewportSize({ width: 360, height: 740 });
      await expectFits(page);
      if (colorScheme === 'light') await expectAccessible(page);
    },
  );
});
