import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  expectAccessible,
  expectFits,
  launchBrowser,
  openPage,
  signIn,
  tabTo,
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

const textToCopy = (page: Page) => page.getByRole('region', { name: 'Text to copy' }).textContent();

async function openConnect(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByRole('dialog').waitFor();
}

describe('connecting', () => {
  test('a program is set up with a fresh token that works, and the connection is tested, by keyboard alone', async () => {
    const page = await openAs('alice', '/?open=%2Fcurrenttime');
    await tabTo(page, page.getByRole('button', { name: 'Connect', exact: true }));
    await page.keyboard.press('Enter');
    await tabTo(page, page.getByRole('radio', { name: 'VS Code' }));
    for (let press = 0; press < 6; press++) await page.keyboard.press('ArrowRight');
    await page.getByRole('region', { name: 'Configuration for Roo Code' }).waitFor();
    expect(await textToCopy(page)).toContain('MCP_GATEWAY_TOKEN');
    await tabTo(page, page.getByRole('button', { name: 'Put in a fresh token' }));
    await page.keyboard.press('Enter');
    await page.getByText('holds a fresh token').waitFor();
    const { mcpServers } = JSON.parse((await textToCopy(page)) ?? '');
    const { url, headers } = mcpServers.currenttime;
    expect(url).toBe(`${gateway.url}/currenttime/mcp`);
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-11-25',
          capabilities: {},
          clientInfo: { name: 'test', version: '1' },
        },
      }),
    });
    expect(answer.status).toBe(200);
    await answer.body?.cancel();
    await tabTo(page, page.getByRole('button', { name: 'Test this connection' }));
    await page.keyboard.press('Enter');
    await page.getByText(/^Connected in \d+ ms: .* you may call\.$/).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(headers.Authorization);
  });

  test('VS Code and Cursor have a link, which holds no token', async () => {
    const page = await openAs('alice', '/?open=%2Fcurrenttime');
    await openConnect(page);
    await page.getByRole('button', { name: 'Put in a fresh token' }).click();
    await page.getByText('holds a fresh token').waitFor();
    const token = /Bearer ([\w.-]+)/.exec((await textToCopy(page)) ?? '')?.[1] ?? '';
    expect(token.length).toBeGreaterThan(100);
    for (const [client, scheme] of [
      ['VS Code', 'vscode:'],
      ['Cursor', 'cursor:'],
    ] as const) {
      await page.getByRole('radio', { name: client }).check();
      const link = (await page.getByRole('link', { name: `Add to ${client}` }).getAttribute('href')) ?? '';
      expect(link.startsWith(scheme)).toBe(true);
      expect(
        `${decodeURIComponent(link)} ${atob(new URL(link).searchParams.get('config') ?? '')}`,
      ).not.toContain(token);
    }
  });

  test('the test says why a server that is switched off cannot be reached', async () => {
    const page = await openAs('alice', '/?open=%2Feverything');
    const control = page.getByRole('listitem').filter({ hasText: '/everything' }).getByRole('switch');
    await control.click();
    await page.getByText(/is now disabled/).waitFor();
    await openConnect(page);
    await page.getByRole('button', { name: 'Test this connection' }).click();
    await page
      .getByRole('dialog')
      .getByRole('alert')
      .getByText(/switched off|disabled/)
      .waitFor();
    await page.keyboard.press('Escape');
    await control.click();
    await page.getByText(/is now enabled/).waitFor();
  });

  test('the token that a page tests with ends with the page', async () => {
    const page = await openAs('alice', '/?open=%2Fcurrenttime');
    const made = page.waitForResponse('**/api/tokens/generate');
    await openConnect(page);
    await page.getByRole('button', { name: 'Test this connection' }).click();
    const { tokens } = await (await made).json();
    await page.getByText(/^Connected in/).waitFor();
    await page.goto(`${gateway.url}/tokens`);
    await page.getByRole('heading', { name: 'Tokens' }).waitFor();
    await expect
      .poll(async () => {
        const headers = { authorization: `Bearer ${tokens.access_token}` };
        return (await fetch(`${gateway.url}/api/auth/me`, { headers })).status;
      })
      .toBe(401);
  });
});

test('the catalogue needs no more than 200 KB of compressed script', async () => {
  const visit = await openPage(browser, [gateway.url, gateway.emulatorUrl]);
  visits.push(visit);
  await signIn(visit.page, gateway.url, 'alice');
  const scripts: Promise<Buffer>[] = [];
  visit.page.on('response', (response) => {
    if (new URL(response.url()).pathname.endsWith('.js')) scripts.push(response.body());
  });
  await visit.page.reload();
  await visit.page.getByText('/currenttime', { exact: true }).waitFor();
  await visit.page.waitForLoadState('networkidle');
  const sizes = (await Promise.all(scripts)).map((body) => gzipSync(body).length);
  expect(sizes.length).toBeGreaterThan(1);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(200_000);
});

/** The views of servers, by who sees them and how to get there. */
const views: [name: string, who: string, path: string, enter: (page: Page) => Promise<void>][] = [
  [
    'connecting',
    'alice',
    '/?open=%2Fcurrenttime',
    async (page) => {
      await openConnect(page);
      await page.getByRole('button', { name: 'Test this connection' }).click();
      await page.getByText(/^Connected in/).waitFor();
    },
  ],
];

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  test.each(views)('%s is accessible and fits 1280 and 360 pixels', async (_name, who, path, enter) => {
    const page = await openAs(who, path, { colorScheme });
    await page.waitForLoadState('networkidle');
    await enter(page);
    await expectAccessible(page);
    await expectFits(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await expectFits(page);
    if (colorScheme === 'light') await expectAccessible(page);
  });
});
