import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Response } from 'playwright-core';

/** The cookies of somebody who has signed in. */
export type SignedIn = Awaited<ReturnType<BrowserContext['storageState']>>;

/** One first load; times in milliseconds from the navigation. */
export interface Loaded {
  readonly paint: number;
  readonly interactive: number;
  readonly shown: number;
  readonly longestTask: number;
  readonly gzip: number;
}

/**
 * Notes when the list is there and the main thread takes events again, when the frame with the list has been handed over to
 * be painted, and how long the main thread was busy at a time.
 */
const watchLoad = `
  window.measured = { longestTask: 0 };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries())
      measured.longestTask = Math.max(measured.longestTask, duration);
  }).observe({ type: 'longtask', buffered: true });
  const observer = new MutationObserver(() => {
    const rows = document.querySelectorAll('ul[aria-label=Servers] > li').length;
    if (rows > 0 && !measured.begun) {
      measured.begun = true;
      setTimeout(() => { measured.interactive = performance.now(); });
      requestAnimationFrame(() => setTimeout(() => { measured.shown = performance.now(); }));
    }
    if (rows > 0) observer.disconnect();
  });
  observer.observe(document, { childList: true, subtree: true });
`;

/** Opens the list of servers with nothing cached, signed in. */
export async function firstLoad(
  chromium: Browser,
  { state, url }: { state: SignedIn; url: string },
): Promise<Loaded> {
  const context = await chromium.newContext({ storageState: state, viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.addInitScript(watchLoad);
  const scripts: Response[] = [];
  page.on('response', (response) => {
    if (new URL(response.url()).pathname.endsWith('.js')) scripts.push(response);
  });
  await page.goto(url);
  await page.getByRole('list', { name: 'Servers' }).locator('> li').first().waitFor({ state: 'attached' });
  await page.waitForFunction('window.measured.shown !== undefined');
  const measured = await page.evaluate<Omit<Loaded, 'paint' | 'gzip'>>('window.measured');
  const paint = await page.evaluate<number>(
    "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN",
  );
  const bodies = await Promise.all(scripts.map((response) => response.body()));
  const gzip = bodies.reduce((sum, body) => sum + gzipSync(body).length, 0);
  await context.close();
  return { ...measured, paint, gzip };
}
