import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { endpoints } from '../src/contract/index.ts';
import { expectAccessible, expectFits, signIn, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';

let gateway: TestGateway;

const { open } = browserTrial(
  () => ({}),
  async (started) => {
    gateway = started;
  },
);
const count = Object.keys(endpoints).length;
const entry = (page: Page, id: keyof typeof endpoints) =>
  page.locator('summary').filter({ hasText: endpoints[id].summary });

test('somebody who has not signed in can browse every operation, and the page loads only then', async () => {
  const page = await open();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${gateway.url}/login`);
  await page.waitForLoadState('networkidle');
  expect(asked.filter((path) => /api-reference|openapi/.test(path))).toEqual([]);
  await page.goto(`${gateway.url}/docs/api`);
  await page.getByText(`${count} operations`, { exact: true }).waitFor();
  expect(await page.locator('summary').count()).toBe(count);
  expect(asked).toContain('/openapi.json');
});

test('an operation opens to permission, parameters, body, answers, failures and a call to copy', async () => {
  const page = await open();
  await page.goto(`${gateway.url}/docs/api`);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('searchbox', { name: 'Search operations' }).fill('servers.replace');
  await page.getByText(`1 of ${count} operations`).waitFor();
  await entry(page, 'servers.replace').click();
  await page.getByText(/anyone with the permission modify_service/).waitFor();
  await page
    .getByRole('table', { name: 'Parameters of servers.replace' })
    .getByText('path')
    .first()
    .waitFor();
  await page
    .getByRole('table', { name: 'Body of servers.replace' })
    .getByText('proxy_pass_url', { exact: true })
    .waitFor();
  await page.getByRole('region', { name: 'Answer 200' }).getByText('server_name', { exact: true }).waitFor();
  await page.getByRole('region', { name: 'Failures' }).getByText('412', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Copy as curl' }).click();
  const copied = (await page.evaluate('navigator.clipboard.readText()')) as string;
  expect(copied).toContain(`curl -X PUT '${gateway.url}/api/servers/{path}'`);
  expect(copied).toContain('Bearer $TOKEN');
  await page.waitForURL(/open=servers\.replace/);
  await page.reload();
  await page.getByRole('region', { name: 'Failures' }).waitFor();
});

test('from the account menu, with the keyboard alone', async () => {
  const page = await open();
  await signIn(page, gateway.url, 'bob');
  await tabTo(page, page.getByRole('button', { name: /account/ }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('link', { name: 'API' }));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'API' }).waitFor();
  await page.getByText(`${count} operations`, { exact: true }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('audit trail, newest');
  await page.getByText(`1 of ${count} operations`).waitFor();
  await tabTo(page, entry(page, 'audit.list'));
  await page.keyboard.press('Enter');
  await page
    .getByRole('table', { name: 'Parameters of audit.list' })
    .getByText('cursor', { exact: true })
    .waitFor();
});

test('an error says its cause, and trying again recovers', async () => {
  const page = await open();
  await page.route('**/openapi.json', (route) => route.abort());
  await page.goto(`${gateway.url}/docs/api`);
  await page.getByRole('alert').getByText('The gateway did not respond').waitFor();
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText(`${count} operations`, { exact: true }).waitFor();
});

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  test.each(['?q=tokens', '?open=servers.register', '?q=nothing-like-it'])(
    '%s is accessible and fits 1280 and 360 pixels',
    async (search) => {
      const page = await open({ colorScheme });
      await page.goto(`${gateway.url}/docs/api${search}`);
      await page.getByText(/\d operations/).waitFor();
      await expectAccessible(page);
      await expectFits(page);
      await page.setViewportSize({ width: 360, height: 740 });
      await expectFits(page);
      await expectAccessible(page);
    },
  );
});
