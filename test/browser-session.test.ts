import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { expectAccessible, expectFits, signIn } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';

let gateway: TestGateway;

const { open } = browserTrial(
  () => {
    // Every session is in its last minutes from its beginning.
    const environment = { SESSION_MAX_AGE_SECONDS: '200' };
    return { environment };
  },
  async (started) => {
    gateway = started;
  },
);
async function openAs(name: string, width: number): Promise<Page> {
  const page = await open({ viewport: { width, height: 800 } });
  await signIn(page, `${gateway.url}/servers`, name);
  return page;
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
