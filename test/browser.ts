import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { expect } from 'vitest';

const places = [
  process.env.CHROME_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Why the browser tests cannot run here, or undefined when they can. */
export function whyNoBrowser(): string | undefined {
  return findBrowser() ? undefined : 'no Chromium found: install it or set CHROME_PATH';
}

/** Starts the Chromium of this machine, without anything that calls home. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath) throw new Error(whyNoBrowser());
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', ...quiet],
  });
}

function findBrowser(): string | undefined {
  return places.find((path) => path !== undefined && path !== '' && existsSync(path));
}

/** A page in a session of its own, and what went wrong on it: script errors, refusals of the policy, foreign requests. */
export interface Visit {
  readonly page: Page;
  readonly faults: string[];
}

/** Opens an empty page; `mayAsk` are the origins that it may send requests to. */
export async function openPage(
  browser: Browser,
  mayAsk: readonly string[],
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    // The emulator's, where it speaks https.
    ignoreHTTPSErrors: true,
    ...options,
  });
  const page = await context.newPage();
  // Only what never comes takes as long, on the busiest machine too.
  page.setDefaultTimeout(60_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`script error: ${error.message}`));
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) faults.push(message.text());
  });
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && !mayAsk.includes(origin))
      faults.push(`request to another origin: ${request.url()}`);
  });
  return { page, faults };
}

/** Signs in at the emulator with one click on the account whose user name begins with `name`. */
export async function signIn(page: Page, url: string, name: string): Promise<void> {
  await page.goto(url);
  await page.getByRole('link', { name: 'Sign in with Microsoft Entra ID' }).click();
  await page.getByRole('button', { name: `${name}@` }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
}

/** Presses Tab until `target` has the focus; fails when it cannot be reached. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let press = 0; press < 60; press++) {
    if (await hasFocus(page, target)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the Tab key does not reach ${target}`);
}

/** Whether `target` has the focus. */
export async function hasFocus(page: Page, target: Locator): Promise<boolean> {
  return (await target.and(page.locator(':focus')).count()) === 1;
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * Fails with every violation that axe finds on the page, its best practices included. Axe runs in the page itself: its
 * driver for Playwright opens a second page each time, for frames of other origins, which there are none of here.
 */
export async function expectAccessible(page: Page): Promise<void> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axe);
  const found = await page.evaluate<AxeResults>(`axe.run(document, { resultTypes: ['violations'] })`);
  const told = found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(', ')}`,
  );
  expect(found.passes.length, `rules that hold on ${page.url()}`).toBeGreaterThan(5);
  expect(told, `accessibility of ${page.url()}`).toEqual([]);
}

/** Fails when the page is wider than the window. */
export async function expectFits(page: Page): Promise<void> {
  const over = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
  expect(over, `pixels that ${page.url()} is too wide`).toBeLessThanOrEqual(0);
}
