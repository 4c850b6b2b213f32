import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import {
  expectAccessible,
  expectFits,
  launchBrowser,
  openPage,
  signIn,
  type Visit,
  whyNoBrowser,
} from './browser.ts';
import { startGateway, type TestGateway } from './harness.ts';

const { accounts } = shippedTenant;
let gateway: TestGateway;
let browser: Browser;
const visits: Visit[] = [];
const missing = process.env.CI === 'true' ? undefined : whyNoBrowser();

beforeAll(async () => {
  if (missing) return;
  [browser, gateway] = await Promise.all([launchBrowser(), startGateway()]);
});

afterAll(async () => {
  await browser?.close();
  await gateway?.close();
});

beforeEach((context) => {
  if (missing) context.skip(missing);
});

afterEach(async () => {
  const faults = visits.flatMap((visit) => visit.faults);
  await Promise.all(visits.splice(0).map(({ page }) => page.context().close()));
  expect(faults).toEqual([]);
});

async function openAs(name: string, path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const visit = await openPage(browser, [gateway.url, gateway.emulatorUrl], options);
  visits.push(visit);
  await signIn(visit.page, `${gateway.url}${path}`, name);
  return visit.page;
}

test.each([
  { colorScheme: 'light', width: 1280 },
  { colorScheme: 'dark', width: 360 },
] as const)('the list is accessible and fits: $colorScheme, $width px', async ({ colorScheme, width }) => {
  const page = await openAs('alice', '/accounts', {
    colorScheme,
    viewport: { width, height: 800 },
  });
  await page.getByRole('list', { name: 'Accounts' }).getByText(accounts.admin.userPrincipalName).waitFor();
  await expectAccessible(page);
  await expectFits(page);
});

test('an account is found, and deleted only after the question was answered', async () => {
  const { userPrincipalName: name } = accounts.user;
  const page = await openAs('alice', '/accounts');
  const rows = page.getByRole('list', { name: 'Accounts' }).getByRole('listitem');
  await page.getByRole('searchbox', { name: 'Search accounts' }).fill(name);
  await page.keyboard.press('Enter');
  await page.getByText('1 of 1 accounts.').waitFor();
  expect(new URL(page.url()).searchParams.get('q')).toBe(name);
  const ask = rows.getByRole('button', { name: `Delete ${name}` });
  await ask.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Keep' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await rows.count()).toBe(1);
  await ask.click();
  await expectAccessible(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText(`${name} was deleted.`).first().waitFor();
  await page.getByText('No account begins with that.').waitFor();
});

test('whoever is no administrator is told whose page it is', async () => {
  const page = await openAs('dora', '/accounts');
  await page.getByText('This page is for administrators').waitFor();
  expect(await page.getByRole('link', { name: 'Accounts' }).count()).toBe(0);
});
