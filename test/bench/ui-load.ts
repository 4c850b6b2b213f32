import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Response } from 'playwright-core';

/** The cookies of somebody who has signed in. */
export type SignedIn = Awaited<ReturnType<BrowserContext['storageState']>>;

/** One first load; times in milliseconds from the navigation. */
export interface Loaded {
  readonly paint: number;
  readonly interactive: number;
  readonly longestTask: number;
  readonly gzip: number;
}

/** Notes when the list is there and the main thread is free again, and how long it was busy at a time. */
const watchLoad = `
  window.measured = { longestTask: 0 };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries())
      measured.longestTask = Math.max(measured.longestTask, duration);
  }).observe({ type: 'longtask', buffered: true });
  const observer = new MutationObserver(() => {
    if (!document.querySelector('[aria-label=Servers] li')) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { measured.interactive = performance.now(); }));
  });
  observer.observe(document, { childList: true, subtree: true });
`;

/** Opens the list of servers with nothing cached, signed in. */
export async function firstLoad(chromium: Browser, storageState: SignedIn, url: string): Promise<Loaded> {
  const context = await chromium.newContext({ storageState, viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.addInitScript(watchLoad);
  const scripts: Response[] = [];
  page.on('response', (response) => {
    if (new URL(response.url()).pathname.endsWith('.js')) scripts.push(response);
  });
  await page.goto(url);
  await page.getByRole('list', { name: 'Servers' }).getByRole('listitem').first().waitFor();
  await page.waitForLoadState('networkidle');
  const { longestTask, interactive } = await page.evaluate<Loaded>('window.measured');
  const paint = await page.evaluate<number>(
    "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN",
  );
  const bodies = await Promise.all(scripts.map((response) => response.body()));
  const gzip = bodies.reduce((sum, body) => sum + gzipSync(body).length, 0);
  await context.close();
  return { paint, interactive, longestTask, gzip };
}
