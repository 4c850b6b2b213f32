import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { expectAccessible, expectFits, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';
import { askAsAdmin } from './sign-in.ts';

const { groups } = shippedTenant;
const notTheirs = 'This page is for administrators';
let gateway: TestGateway;
let ask: Awaited<ReturnType<typeof askAsAdmin>>;

const { openAs } = browserTrial(
  () => ({}),
  async (started) => {
    gateway = started;
    ask = await askAsAdmin(gateway);
  },
  () => [],
  { signsInOnce: true },
);
beforeEach(async () => {
  if (!gateway) return;
  const server_access = [{ server: 'currenttime', methods: ['initialize', 'tools/list'], tools: [] }];
  await ask('/api/servers/groups/import', {
    ...{ scope_name: 'team/readers', description: 'Reads the time' },
    ...{ group_mappings: [groups.users], server_access },
  });
});

const decision = (page: Page) => page.getByRole('region', { name: 'Decision' });
const scopeRows = (page: Page) =>
  page.getByRole('list', { name: 'Scopes', exact: true }).getByRole('listitem');

/** The form that asks about one call. */
const question = (page: Page) => page.getByRole('region', { name: /^Why is a call/ });

async function fillGroups(page: Page, group: string, server: string): Promise<void> {
  await question(page).getByLabel('Who', { exact: true }).selectOption('groups');
  await question(page).getByRole('textbox', { name: 'Groups', exact: true }).fill(group);
  await question(page).getByLabel('Server', { exact: true }).fill(server);
}

test('an administrator learns why members of a group can call a method, and goes on to the scope', async () => {
  const page = await openAs('alice', '/servers');
  await page.getByRole('link', { name: 'Access', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Access' }).waitFor();
  await page.getByRole('link', { name: 'Check access' }).click();
  await fillGroups(page, groups.operators, 'currenttime');
  await question(page).getByLabel('Tool', { exact: true }).fill('current_time_by_timezone');
  await page.getByRole('button', { name: 'Explain' }).click();
  await decision(page).getByText('Allowed').waitFor();
  await decision(page).getByText('"tools/call"').waitFor();
  // Another question has no answer yet.
  await question(page).getByLabel('Method', { exact: true }).selectOption('prompts/get');
  expect(await decision(page).count()).toBe(0);
  await page.getByLabel('Prompt', { exact: true }).fill('x');
  await page.getByRole('button', { name: 'Explain' }).click();
  await decision(page).getByText('Denied').waitFor();
  await decision(page)
    .getByText('No rule of these scopes that names the server allows the method.')
    .waitFor();
  await decision(page).getByRole('link', { name: 'mcp-servers-restricted/read' }).click();
  await page.getByRole('heading', { level: 1, name: 'mcp-servers-restricted/read' }).waitFor();
});

test('somebody known is asked about by name, with the keyboard alone, and a stranger is told to be one', async () => {
  await openAs('bob', '/servers');
  const page = await openAs('alice', '/access?tab=check');
  await tabTo(page, question(page).getByLabel('User name or application'));
  await page.keyboard.type(shippedTenant.accounts.user.userPrincipalName);
  await page.keyboard.press('Tab');
  await page.keyboard.type('currenttime');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.type('current_time_by_timezone');
  await page.keyboard.press('Enter');
  await decision(page).getByText('mcp-test-users').waitFor();
  await decision(page).getByText('Denied').waitFor();
  await question(page).getByLabel('User name or application').fill('nobody@example.com');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page
    .getByRole('alert')
    .getByText(/No one called 'nobody@example.com' has signed in/)
    .waitFor();
});

test('scopes are listed with source, holders and servers, and the groups of the directory with their scopes', async () => {
  const page = await openAs('alice', '/access');
  await scopeRows(page).first().waitFor();
  const listed = (await (await ask('/api/servers/groups')).json()) as { scopes_groups: object };
  expect(await scopeRows(page).count()).toBe(Object.keys(listed.scopes_groups).length);
  await page.getByRole('searchbox', { name: 'Search scopes' }).fill('team/');
  await page.getByText(/^1 of \d+ scopes\.$/).waitFor();
  const row = await scopeRows(page).first().innerText();
  expect(row).toMatch(
    /created in the UI or API[\s\S]*Reads the time[\s\S]*Assigned to mcp-test-users · Servers: currenttime/,
  );
  await page.getByRole('searchbox', { name: 'Search scopes' }).fill('no such scope');
  await page.getByText('No scope matches.').waitFor();
  await page.getByRole('link', { name: 'Groups', exact: true }).click();
  const users = page
    .getByRole('list', { name: 'Groups', exact: true })
    .getByRole('listitem')
    .filter({ hasText: groups.users });
  await users.getByRole('link', { name: 'team/readers' }).click();
  await page.getByRole('heading', { level: 1, name: 'team/readers' }).waitFor();
});

test('a scope of the file is shown whole, and says that it is changed in the file', async () => {
  const page = await openAs('alice', '/access/scopes/mcp-servers-restricted/read');
  await page.getByText('is read-only here').waitFor();
  await page.getByRole('region', { name: 'What it allows' }).getByText('currenttime').first().waitFor();
  await page.getByText('Definition as JSON').click();
  await page.getByText('"scope_name": "mcp-servers-restricted/read"').waitFor();
  expect(await page.getByRole('button', { name: /save|delete/i }).count()).toBe(0);
  await page.goto(`${gateway.url}/access/scopes/no-such-scope`);
  await page.getByRole('alert').getByText("There is no scope 'no-such-scope'").waitFor();
});

test('a scope of the API is deleted with the keyboard alone, once that was confirmed', async () => {
  const page = await openAs('alice', '/access/scopes/team/readers');
  const opener = page.getByRole('button', { name: 'Delete', exact: true });
  await opener.waitFor();
  await tabTo(page, opener);
  await page.keyboard.press('Enter');
  const question = page.getByRole('dialog', { name: 'Delete this scope?' });
  await question.waitFor();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await question.waitFor({ state: 'detached' });
  expect((await ask('/api/servers/groups/team%2Freaders')).status).toBe(200);
  await opener.press('Enter');
  await question.getByRole('button', { name: 'Delete' }).press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Access' }).waitFor();
  await page.getByText('team/readers was deleted.').waitFor();
  expect((await ask('/api/servers/groups/team%2Freaders')).status).toBe(404);
});

test('while scopes are asked the page says so, and an error can be tried again', async () => {
  const page = await openAs('alice', '/tokens');
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const said = { title: 'Not now', status: 503, code: 'overloaded', detail: 'Come back.' };
  await page.route('**/api/servers/groups*', async (route) => {
    await released;
    await route.fulfill({ status: 503, json: said });
  });
  await page.getByRole('link', { name: 'Access', exact: true }).click();
  await page.getByText('Loading').first().waitFor();
  release();
  await page.getByText('Come back.').waitFor();
  await page.unrouteAll({ behavior: 'wait' });
  await page.getByRole('button', { name: 'Try again' }).click();
  await scopeRows(page).first().waitFor();
});

test('without any scope to show the page says what to do', async () => {
  const page = await openAs('alice', '/tokens');
  await page.route('**/api/servers/groups*', async (route) => {
    const answer = (await (await route.fetch()).json()) as object;
    await route.fulfill({ json: { ...answer, scopes_groups: {}, keycloak_groups: [], directory: null } });
  });
  await page.getByRole('link', { name: 'Access', exact: true }).click();
  await page.getByText('There is no scope yet').waitFor();
  await page.getByRole('link', { name: 'Groups', exact: true }).click();
  await page.getByText('No directory is set up').waitFor();
  await page.unrouteAll({ behavior: 'wait' });
});

test('a plain user has no link to it, is told whose page it is, and gets nothing from the API', async () => {
  const page = await openAs('bob', '/access');
  await page.getByText(notTheirs).waitFor();
  expect(await page.getByRole('link', { name: 'Access', exact: true }).count()).toBe(0);
  await page.goto(`${gateway.url}/access/scopes/team/readers`);
  await page.getByText(notTheirs).waitFor();
  expect(await page.evaluate(`fetch('/api/servers/groups').then((answer) => answer.status)`)).toBe(403);
});

/** The views, by who sees them and how to get there. */
const views: [name: string, who: string, path: string, ready: string][] = [
  ['the page', 'alice', '/access', 'created in the UI or API'],
  ['the groups', 'alice', '/access?tab=groups', 'mcp-test-users'],
  ['a scope of the file', 'alice', '/access/scopes/registry-admins', 'is read-only here'],
  ['a scope of the API', 'alice', '/access/scopes/team/readers', 'Definition'],
  ['no permission', 'bob', '/access', notTheirs],
];

// In turns: that every page is right in both themes is held by browser-pages.test.ts.
describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  test.each(views.filter((_, index) => (index % 2 === 0) === (colorScheme === 'light')))(
    '%s is accessible and fits 1280 and 360 pixels',
    async (_name, who, path, ready) => {
      const page = await openAs(who, path, { colorScheme });
      await page.getByText(ready).first().waitFor();
      await page.waitForLoadState('networkidle');
      await expectAccessible(page);
      await expectFits(page);
      await page.setViewportSize({ width: 360, height: 740 });
      await expectFits(page);
      await expectAccessible(page);
    },
  );

  test('a decision is accessible and fits 1280 and 360 pixels', async () => {
    const page = await openAs('alice', '/access?tab=check', { colorScheme });
    await fillGroups(page, groups.admin, 'currenttime');
    await page.getByRole('button', { name: 'Explain' }).click();
    await decision(page).getByText('Denied').waitFor();
    await question(page).getByLabel('Tool', { exact: true }).fill('x');
    await page.getByRole('button', { name: 'Explain' }).click();
    await decision(page).getByText('Allowed').waitFor();
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await expectFits(page);
    await expectAccessible(page);
  });
});
