import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { expectAccessible, expectFits } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';
import { agentToken } from './sign-in.ts';

let gateway: TestGateway;

const { openAs } = browserTrial(
  () => ({}),
  async (started) => {
    gateway = started;
    // Something to see on every page: a call that was allowed, one that failed, a virtual server.
    const token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.operator);
    for (const name of ['current_time_by_timezone', 'no-such-tool'])
      await fetch(`${gateway.url}/currenttime/mcp`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } }),
      }).then((answer) => answer.text());
  },
);

const widths = [360, 768, 1280, 1920, 2560];

const forEverybody = [
  '/',
  '/servers',
  '/servers?view=cards',
  '/servers/currenttime',
  '/servers/currenttime?tab=tools',
  '/servers/currenttime?tab=health',
  '/tools?q=time',
  '/virtual-servers',
  '/virtual-servers/new',
  '/agents',
  '/clients',
  '/connections',
  '/tokens',
  '/sessions',
  '/me',
];
const forAdministrators = [
  '/servers/currenttime?tab=access',
  '/servers/currenttime?tab=activity',
  '/servers/currenttime?tab=settings',
  '/register',
  '/edit/currenttime',
  '/tokens?tab=all&state=all',
  '/accounts',
  '/access',
  '/access?tab=groups',
  '/access?tab=check',
  '/access/new',
  '/oauth-clients',
  '/audit',
  '/audit?matter=all',
  '/usage',
  '/usage?by=tool',
  '/operations',
];

const roles: [who: string, paths: string[]][] = [
  ['alice', [...forEverybody, ...forAdministrators]],
  ['bob', [...forEverybody, '/audit', '/access', '/oauth-clients', '/usage', '/operations']],
  ['nora', ['/no-access']],
];

/** Opens a page without loading the whole application anew. */
async function go(page: Page, path: string): Promise<void> {
  await page.goto(`${gateway.url}${path}`);
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => {});
}

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  test.each(roles)(
    'every page as %s is accessible and fits five widths',
    async (who, paths) => {
      const page = await openAs(who, '/', { colorScheme });
      for (const path of paths) {
        await page.setViewportSize({ width: 1280, height: 900 });
        await go(page, path);
        await expectAccessible(page);
        for (const width of widths) {
          await page.setViewportSize({ width, height: 900 });
          await expectFits(page);
          // Colours do not depend on the width: names and roles are looked at once more where the page is narrow.
          if (width === 360 && colorScheme === 'light') await expectAccessible(page);
        }
      }
    },
    240_000,
  );
});

test('the pages are in German where that is chosen, and in English again', async () => {
  const page = await openAs('alice', '/');
  await page.getByRole('button', { name: /account/ }).click();
  await page.getByLabel('Language').selectOption('de');
  await page.getByRole('link', { name: 'Virtuelle Server' }).waitFor();
  expect(await page.locator('html').getAttribute('lang')).toBe('de');
  await page.getByRole('heading', { name: 'Client verbinden' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: /account|Konto/ }).click();
  await page.getByLabel('Sprache').selectOption('en');
  await page.getByRole('link', { name: 'Virtual servers' }).waitFor();
});
