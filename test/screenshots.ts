// Makes pictures of the pages into docs/images/, in both themes: `npm run screenshots`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { launchBrowser, openPage, signIn } from './browser.ts';
import { startGateway } from './harness.ts';
import { smallPng } from './small-png.ts';

const directory = 'docs/images';

type Shot = readonly [
  name: string,
  who: string | null,
  path: string,
  enter?: (page: Page) => Promise<unknown>,
];

const connect = (page: Page): Promise<void> =>
  page.getByRole('button', { name: 'Connect', exact: true }).click();

async function tryTool(page: Page): Promise<void> {
  await page.getByText('current_time_by_timezone').first().click();
  await page.getByRole('button', { name: 'Try it: current_time_by_timezone' }).click();
  await page.getByRole('button', { name: 'Run' }).click();
  await page.getByText(/^Answered after/).waitFor();
}

async function showAccess(page: Page): Promise<void> {
  const access = page.getByRole('region', { name: 'Who can use it' });
  await access.getByText('mcp-test-users').first().waitFor();
  await access.evaluate((section) => section.scrollIntoView());
}

const newApplication = (page: Page): Promise<void> =>
  page.getByRole('button', { name: 'New application' }).click();

const fillCard = (page: Page): Promise<void> =>
  page.getByRole('button', { name: 'Start from an example' }).click();

/** Asks once; the second theme finds the request there. */
async function askForAccess(page: Page): Promise<void> {
  const request = page.getByText('Dates and times in the weekly report');
  if ((await request.count()) > 0) return;
  await page.getByRole('button', { name: 'Request access' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Server').fill('/everything');
  await dialog.getByLabel('Reason').fill('Dates and times in the weekly report');
  await dialog.getByRole('button', { name: 'Send request' }).click();
  await request.waitFor();
}

async function openGrant(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Grant the request/ }).click();
  await page.getByRole('dialog').getByRole('checkbox', { name: 'echo', exact: true }).check();
}

async function openPalette(page: Page): Promise<void> {
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('time');
  await page.getByRole('option').first().waitFor();
}

/** The pages, by who sees them and how to get there. */
const shots: readonly Shot[] = [
  ['login', null, '/login'],
  ['signed-out', null, '/signed-out'],
  ['no-access', 'nora', '/no-access'],
  ['home', 'alice', '/'],
  ['servers', 'alice', '/servers'],
  ['servers-cards', 'alice', '/servers?view=cards'],
  ['servers-user', 'bob', '/servers'],
  ['server', 'alice', '/servers/currenttime'],
  ['server-tool', 'alice', '/servers/currenttime?tab=tools', tryTool],
  ['server-access', 'alice', '/servers/currenttime?tab=access', showAccess],
  ['connect', 'alice', '/servers/currenttime', connect],
  ['register', 'alice', '/register'],
  ['edit', 'alice', '/edit/currenttime'],
  ['agents', 'alice', '/agents'],
  ['agent', 'alice', '/agents/flight-booking'],
  ['register-agent', 'alice', '/register-agent', fillCard],
  ['requests', 'bob', '/requests', askForAccess],
  ['requests-waiting', 'alice', '/requests?tab=waiting'],
  ['request-grant', 'alice', '/requests?tab=waiting', openGrant],
  ['connections', 'alice', '/connections'],
  ['connected-clients', 'alice', '/clients'],
  ['tokens', 'alice', '/tokens'],
  ['sessions', 'alice', '/sessions'],
  ['account', 'bob', '/me'],
  ['accounts', 'alice', '/accounts'],
  ['access', 'alice', '/access'],
  ['scope-new', 'alice', '/access/new'],
  ['scope', 'alice', '/access/scopes/mcp-servers-restricted/read'],
  ['new-application', 'alice', '/accounts', newApplication],
  ['audit', 'alice', '/audit'],
  ['usage', 'alice', '/usage'],
  ['tools', 'alice', '/tools?q=time'],
  ['virtual-servers', 'alice', '/virtual-servers'],
  ['clients', 'alice', '/oauth-clients'],
  ['tokens-all', 'alice', '/tokens?tab=all&state=all'],
  ['api', null, '/docs/api'],
  ['operations', 'alice', '/operations'],
  ['settings', 'alice', '/operations?tab=settings'],
  ['palette', 'alice', '/', openPalette],
];

const [browser, gateway] = await Promise.all([launchBrowser(), startGateway()]);
mkdirSync(directory, { recursive: true });
try {
  for (const colorScheme of ['light', 'dark'] as const) {
    // One session a person: signing in for each picture would take most of the time.
    const pages = new Map<string | null, Page>();
    for (const [name, who, path, enter] of shots) {
      const known = pages.get(who);
      const page =
        known ?? (await openPage(browser, [gateway.url, gateway.emulatorUrl], { colorScheme })).page;
      if (!known && who) await signIn(page, `${gateway.url}${path}`, who);
      else await page.goto(`${gateway.url}${path}`);
      pages.set(who, page);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => {});
      await enter?.(page);
      writeFileSync(join(directory, `${name}-${colorScheme}.png`), smallPng(await page.screenshot()));
    }
    for (const page of pages.values()) await page.context().close();
  }
  console.log(`${shots.length * 2} pictures are in ${directory}`);
} finally {
  await browser.close();
  await gateway.close();
}
