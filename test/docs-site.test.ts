import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { contentSecurityPolicy, staticUi } from '../src/server/http/static-ui.ts';
import { launchBrowser, openPage, whyNoBrowser } from './browser.ts';

/** The built site (`npm run docs`) under the policy of the gateway. CI builds it before; elsewhere it is tried when it is there. */
const isBuilt = existsSync('dist/docs/index.html');

const missing = isBuilt ? whyNoBrowser() : 'the site is not built (npm run docs)';

describe('the documentation site', () => {
  let server: Server;
  let browser: Browser;
  let url: string;

  beforeEach((context) => {
    if (missing) context.skip(missing);
  });
  beforeAll(async () => {
    if (missing) return;
    const pages = staticUi('dist/ui', 'dist/docs');
    server = createServer(async (request, response) => {
      const answer = pages(
        new Request(`http://localhost${request.url}`, { headers: { accept: 'text/html' } }),
      );
      const headers = {
        ...Object.fromEntries(answer.headers),
        'content-security-policy': contentSecurityPolicy,
      };
      response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  test('works under the strict policy, without a request to anywhere else', async () => {
    const { page, faults } = await openPage(browser, [url]);
    for (const path of ['/docs/', '/docs/connect/vscode', '/docs/reference/cli', '/docs/start']) {
      await page.goto(`${url}${path}`);
      await page.locator('.VPSidebar').getByText('Connect a client').first().waitFor();
    }
    // Code is coloured by classes, as the policy forbids styles of elements.
    await page.locator('.vp-code span[class*="c-"]').first().waitFor();
    await page.getByRole('link', { name: 'Install', exact: true }).first().click();
    await page.getByRole('heading', { name: 'As a service' }).waitFor();
    expect(faults).toEqual([]);
  });

  test('finds pages, and has a dark mode that stays', async () => {
    const { page, faults } = await openPage(browser, [url]);
    await page.goto(`${url}/docs/`);
    await page.locator('#local-search button').first().click();
    await page.locator('#localsearch-input').fill('proxy_buffering');
    await page
      .locator('.VPLocalSearchBox .result')
      .filter({ hasText: 'What the proxy must do' })
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.VPSwitchAppearance').first().click();
    await page.locator('html.dark').waitFor();
    await page.reload();
    await page.locator('html.dark').waitFor();
    expect(faults).toEqual([]);
  });
});
