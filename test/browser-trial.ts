import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { launchBrowser, openPage, signIn, type Visit, whyNoBrowser } from './browser.ts';
import { startGateway, type TestGateway } from './harness.ts';

type Options = NonNullable<Parameters<typeof startGateway>[0]>;

/** What the tests of a file open pages with; each page is in a session of its own, and closed with its test. */
export interface BrowserTrial {
  /** An empty page. */
  open(options?: BrowserContextOptions): Promise<Page>;
  /** That path, unless given the list of servers, after a sign-in as the account whose user name begins with `name`. */
  openAs(name: string, path?: string, options?: BrowserContextOptions): Promise<Page>;
}

/**
 * Gives every test of a file a browser and one gateway, started with `options`; `prepare` gets it before the first test.
 * Pages may send requests to it, to the emulator and to the origins of `mayGoTo`.
 * With `signsInOnce` an account's sign-in of the first test is that of all: for files whose tests end none and change no groups.
 * A test fails with what went wrong on its pages besides. Without Chromium they are skipped, but for CI.
 */
export function browserTrial(
  options: () => Options,
  prepare: (gateway: TestGateway) => unknown,
  mayGoTo: () => readonly string[] = () => [],
  { signsInOnce = false } = {},
): BrowserTrial {
  let browser: Browser;
  let gateway: TestGateway;
  const visits: Visit[] = [];
  const signedIn = new Map<string, BrowserContextOptions['storageState']>();
  const missing = process.env.CI === 'true' ? undefined : whyNoBrowser();

  beforeAll(async () => {
    if (missing) return;
    [browser, gateway] = await Promise.all([launchBrowser(), startGateway(options())]);
    await prepare(gateway);
    // Browser, gateway and emulator start at once, on machines that do much else.
  }, 180_000);
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

  const open: BrowserTrial['open'] = async (given = {}) => {
    const visit = await openPage(browser, [gateway.url, gateway.emulatorUrl, ...mayGoTo()], given);
    visits.push(visit);
    return visit.page;
  };
  return {
    open,
    async openAs(name, path = '/servers', given = {}) {
      const known = signedIn.get(name);
      const page = await open({ ...given, ...(known ? { storageState: known } : {}) });
      if (known) {
        await page.goto(`${gateway.url}${path}`);
        await page.getByRole('heading', { level: 1 }).waitFor();
        return page;
      }
      await signIn(page, `${gateway.url}${path}`, name);
      if (signsInOnce) signedIn.set(name, await page.context().storageState());
      return page;
    },
  };
}
