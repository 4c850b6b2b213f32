import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
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

let gateway: TestGateway;
let browser: Browser;
const visits: Visit[] = [];
const missing = process.env.CI === 'true' ? undefined : whyNoBrowser();

beforeAll(async () => {
  if (missing) return;
  // Every session is in its last minutes from its beginning.
  const environment = { SESSION_MAX_AGE_SECONDS: '200' };
  [browser, gateway] = await Promise.all([launchBrowser(), startGateway({ environment })]);
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

async function openAs(name: string, width: number): Promise<Page> {
  const options = { viewport: { width, height: 800 } };
  const visit = await openPage(browser, [gateway.url, gateway.emulatorUrl], options);
  visits.push(visit);
  await signIn(visit.page, gateway.url, name);
  return visit.page;
}

const endOf = (page: Page): Promise<string> =>
  page.evaluate("fetch('/api/auth/me').then((answer) => answer.json()).then((me) => me.session_ends_at)");

test('a session that ends soon is renewed in another tab, and what was typed stays and can be sent', async () => {
  const page = await openAs('bob', 1280);
  const notice = page.getByRole('region', { name: 'Your session' });
  await notice.getByText('Your session ends in').waitFor();
  await page.getByRole('searchbox').first().fill('curr');
  const before = await endOf(page);
  const opened = page.context().waitForEvent('page');
  await notice.getByRole('link', { name: 'Stay signed in' }).click();
  const other = await opened;
  const closed = other.waitForEvent('close');
  const account = other.getByRole('button', { name: 'bob@' });
  // Entra remembers who signed in, or asks.
  await Promise.race([closed, account.click().catch(() => {})]);
  await closed;
  await expect.poll(() => endOf(page)).not.toBe(before);
  expect(await page.getByRole('searchbox').first().inputValue()).toBe('curr');
  // The session has another CSRF token now: a change goes through, so the page has it.
  await page.getByRole('button', { name: 'Get JWT Token' }).first().click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^(Get|Make|Create)/ })
    .click();
  await page.getByText('The token is ready.').waitFor();
});

test('the notice is accessible and fits 360 pixels', async () => {
  const page = await openAs('bob', 360);
  await page.getByRole('region', { name: 'Your session' }).waitFor();
  await expectAccessible(page);
  await expectFits(page);
});
