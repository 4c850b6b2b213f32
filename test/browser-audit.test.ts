import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { expectAccessible, expectFits, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';
import { agentToken } from './sign-in.ts';

const { accounts, agents, groups } = shippedTenant;
const auditor = accounts.operator.userPrincipalName.split('@')[0] ?? '';
const markup = '<img src=x onerror="document.title=1">';
const directory = mkdtempSync(join(tmpdir(), 'browser-audit-'));
let gateway: TestGateway;
/** The correlation id of the change that every test may look for. */
let changed: string;

const { openAs } = browserTrial(
  () => {
    const file = join(directory, 'scopes.yml');
    // The operators of the shipped tenant become auditors and nothing else.
    const operators = new RegExp(`("${groups.operators}":\\n)(?:    - .*\\n?)+`);
    const scopes = readFileSync('examples/scopes.yml', 'utf8').replace(
      operators,
      '$1    - mcp-registry-auditor\n',
    );
    writeFileSync(file, scopes);
    return { environment: { SCOPES_CONFIG_PATH: file } };
  },
  async (started) => {
    gateway = started;
    const [admin, user] = [
      await agentToken(gateway.emulatorUrl, agents.admin),
      await agentToken(gateway.emulatorUrl, agents.user),
    ];
    const ask = (token: string, path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`${gateway.url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      });
    const body = JSON.stringify({ description: markup });
    const answer = await ask(admin, '/api/servers/currenttime', { method: 'PATCH', body });
    changed = answer.headers.get('x-correlation-id') ?? '';
    for (let turn = 0; turn < 4; turn++) await ask(user, '/api/sessions?all=true');
    for (let turn = 0; turn < 60; turn++) await ask(admin, '/api/servers');
    const denied = `${gateway.url}/oauth2/callback/entra?error=access_denied&state=unknown`;
    for (let turn = 0; turn < 2; turn++) await fetch(denied, { redirect: 'manual' });
    await ask(admin, `/api/servers/${encodeURIComponent(markup)}`);
  },
  () => [],
  { signsInOnce: true },
);
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});
const rows = (page: Page) => page.getByRole('list', { name: 'Events' }).getByRole('listitem');
const search = (page: Page) => page.getByRole('searchbox', { name: 'Search events' });

test('an administrator finds a change and reads what it was before and after', async () => {
  const page = await openAs('alice', '/servers');
  await page.getByRole('link', { name: 'Audit', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Audit' }).waitFor();
  await page.getByLabel('Kind', { exact: true }).selectOption({ label: 'Changes' });
  await search(page).fill('servers.patch');
  await page.waitForURL(/kind=change.*q=servers\.patch|q=servers\.patch.*kind=change/);
  await rows(page)
    .getByRole('button', { name: /servers\.patch · currenttime/ })
    .click();
  const change = page.getByRole('region', { name: 'What changed' });
  await change
    .getByRole('row', { name: /^description/ })
    .getByText(markup)
    .waitFor();
  await page.getByText(changed, { exact: true }).waitFor();
  expect(await page.locator('img').count()).toBe(0);
  expect(await page.title()).toBe('Audit · MCP Gateway & Registry');
  const id = new URL(page.url()).searchParams.get('open');
  // The link to it works for somebody else whose list has it not.
  const other = await openAs(auditor, `/audit?kind=token&open=${id}`);
  const chosen = other.getByRole('region', { name: 'The chosen event' });
  await chosen.getByText(changed, { exact: true }).waitFor();
});

test('the page opens on denials and changes, and everything on it follows the filters', async () => {
  const page = await openAs(auditor, '/audit');
  await rows(page).first().waitFor();
  expect(await page.getByLabel('Show', { exact: true }).inputValue()).toBe('attention');
  // What the pages themselves ask before anybody is signed in is no denial.
  expect(await rows(page).filter({ hasText: 'auth.me' }).count()).toBe(0);
  await page.getByLabel('Show', { exact: true }).selectOption('denials');
  const facets = page.getByRole('region', { name: 'Narrow down' });
  await facets.getByRole('region', { name: 'Reasons' }).getByText('not_allowed').waitFor();
  await rows(page).first().waitFor();
  await expect
    .poll(() => rows(page).filter({ hasText: 'sessions.list' }).count(), { timeout: 60_000 })
    .toBe(4);
  await page.getByLabel('Show', { exact: true }).selectOption('sign-ins');
  await page.getByLabel('Outcome', { exact: true }).selectOption({ label: 'Denied' });
  await page
    .getByRole('img', { name: /^0 allowed/ })
    .or(page.getByRole('img', { name: / 0 allowed/ }))
    .waitFor();
  await expect.poll(() => rows(page).count(), { timeout: 60_000 }).toBeGreaterThan(1);
  for (const name of ['System', 'Agents'])
    expect(await page.getByRole('link', { name, exact: true }).count()).toBe(0);
});

test('the picture of time says its figures, and narrows to one bar with the keyboard alone', async () => {
  const page = await openAs(auditor, '/audit?period=1h&q=servers.patch');
  await page.getByRole('img', { name: /\d+ allowed, \d+ denied, \d+ failed/ }).waitFor();
  await tabTo(page, page.getByText('As a table'));
  await page.keyboard.press('Enter');
  const link = page
    .getByRole('table', { name: /Events per minute/ })
    .getByRole('link')
    .first();
  await tabTo(page, link);
  await page.keyboard.press('Enter');
  await page.waitForURL(/from=.*to=/);
  await page.getByRole('heading', { name: 'Events per minute' }).waitFor();
  await tabTo(page, rows(page).getByRole('button').first());
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'What changed' }).waitFor();
  const all = page.getByRole('button', { name: /show all again/ });
  await tabTo(page, all);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => !url.searchParams.has('from'));
});

test('older events come when asked for, each once', async () => {
  const page = await openAs('alice', '/audit?q=servers.list');
  await page.getByText('50 events so far', { exact: false }).waitFor();
  expect(await rows(page).count()).toBe(50);
  await page.getByRole('button', { name: 'Older events' }).click();
  await rows(page).nth(59).waitFor();
  expect(await page.getByRole('button', { name: 'Older events' }).count()).toBe(0);
});

test('what is shown is exported as a file', async () => {
  const page = await openAs(auditor, '/audit?q=servers.patch');
  await rows(page).first().waitFor();
  for (const [label, name] of [
    ['Export CSV', /^audit-export-.*\.csv$/],
    ['Export JSON lines', /^audit-export-.*\.jsonl$/],
  ] as const) {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: label }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(name);
    const text = readFileSync(await download.path(), 'utf8');
    expect(text).toContain(changed);
    expect(text).not.toContain('sessions.list');
  }
});

test('a plain user has no link to it, is told whose page it is, and gets nothing from the API', async () => {
  const page = await openAs('bob', '/audit');
  await page.getByText('This page is for administrators and auditors.').waitFor();
  expect(await page.getByRole('link', { name: 'Audit', exact: true }).count()).toBe(0);
  for (const path of ['events', 'summary', 'export'])
    expect(await page.evaluate(`fetch('/api/audit/${path}').then((answer) => answer.status)`)).toBe(403);
});

test('while the trail is asked the page says so, and an error can be tried again', async () => {
  const page = await openAs('alice', '/tokens');
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const said = { title: 'Not now', status: 503, code: 'overloaded', detail: 'Come back.' };
  await page.route('**/api/audit/**', async (route) => {
    await released;
    await route.fulfill({ status: 503, json: said });
  });
  await page.getByRole('link', { name: 'Audit', exact: true }).click();
  await page.getByText('Loading').first().waitFor();
  release();
  await page.getByText('Come back.').nth(1).waitFor();
  await page.unrouteAll({ behavior: 'wait' });
  await page.getByRole('button', { name: 'Try again' }).last().click();
  await rows(page).first().waitFor();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('img', { name: /allowed/ }).waitFor();
});

/** The views of the trail, by who sees them and how to get there. */
const views: [name: string, who: string, path: string, ready: string][] = [
  ['the trail', 'alice', '/audit', 'Events are kept for'],
  ['a narrowed view', auditor, '/audit?decision=deny&subject=x&q=y&period=7d', 'No event matches.'],
  ['no permission', 'bob', '/audit', 'This page is for administrators and auditors.'],
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

  test('an open event is accessible and fits 1280 and 360 pixels', async () => {
    const page = await openAs('alice', '/audit?q=servers.patch', { colorScheme });
    await rows(page).getByRole('button').first().click();
    await page.getByText('As a table').click();
    await page.getByRole('region', { name: 'What changed' }).waitFor();
    await expectAccessible(page);
    await expectFits(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await expectFits(page);
    await expectAccessible(page);
  });
});
