import type { Browser, CDPSession, Page } from 'playwright-core';
import type { SignedIn } from './ui-load.ts';

/** What the page holds after a round, garbage collected. */
export interface Held {
  /** Megabytes of JavaScript. */
  readonly heap: number;
  readonly nodes: number;
  readonly listeners: number;
}

/** An hour of use on one page, in rounds of the main ways: after each the clock is moved on, so that timers go off. */
export async function hourIn(
  browser: Browser,
  { state, url, rounds, servers }: { state: SignedIn; url: string; rounds: number; servers: number },
): Promise<Held[]> {
  const context = await browser.newContext({
    storageState: state,
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.clock.install();
  await page.goto(url);
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable');
  const held: Held[] = [];
  for (let round = 0; round < rounds; round++) {
    await goRound(page, `Server ${(round * 7) % servers}`);
    await page.clock.runFor(Math.round(3_600_000 / rounds));
    held.push(await lookAt(session));
  }
  await context.close();
  return held;
}

const title = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor();

/** Search, narrow, open a server, its page, and every page of the navigation; back on the list in the end. */
async function goRound(page: Page, name: string): Promise<void> {
  const list = page.getByRole('list', { name: 'Servers' });
  await list.getByRole('listitem').first().waitFor();
  // By its path: a number alone occurs in the id of their owner too.
  const path = name.toLowerCase().replace(' ', '-');
  await page.getByRole('searchbox', { name: 'Search servers' }).fill(path);
  await page.getByText(/^[\d,]+ of [\d,]+ servers$/).waitFor();
  await list.getByRole('link', { name, exact: true }).click();
  await title(page, name);
  await page.locator('main').getByRole('link', { name: 'Activity', exact: true }).click();
  await page.getByRole('region', { name: 'Changes', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Get JWT Token' }).click();
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const navigation = page.getByRole('navigation', { name: 'Main' });
  for (const entry of ['Agents', 'Tokens', 'Accounts', 'Audit', 'System', 'Servers']) {
    await navigation.getByRole('link', { name: entry, exact: true }).click();
    await title(page, entry);
  }
}

async function lookAt(session: CDPSession): Promise<Held> {
  // Twice: what only weak references held is gone after the first.
  await session.send('HeapProfiler.collectGarbage');
  await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  const of = (wanted: string): number => metrics.find(({ name }) => name === wanted)?.value ?? 0;
  return { heap: of('JSHeapUsedSize') / 1e6, nodes: of('Nodes'), listeners: of('JSEventListeners') };
}
