import type { Browser, Page } from 'playwright-core';
import type { SignedIn } from './ui-load.ts';

/** How long each interaction took until it was painted, in milliseconds (Event Timing: steps of 8); quick ones are left out. */
export async function filterDelays(
  chromium: Browser,
  storageState: SignedIn,
  url: string,
  filter: (page: Page) => Promise<void> = filterServers,
): Promise<number[]> {
  const context = await chromium.newContext({ storageState, viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('main li').first().waitFor();
  await page.waitForTimeout(1000);
  await page.evaluate(`
    window.delays = [];
    new PerformanceObserver((list) => {
      for (const { interactionId, duration } of list.getEntries()) if (interactionId) delays.push(duration);
    }).observe({ type: 'event', durationThreshold: 16 });
  `);
  await filter(page);
  const delays = await page.evaluate<number[]>('window.delays');
  await context.close();
  return delays;
}

/** Types a search among tools and takes it back letter by letter. */
export async function filterTools(page: Page): Promise<void> {
  await page.getByRole('searchbox', { name: 'Search tools' }).focus();
  for (const key of [...'tool-77', ...Array<string>(7).fill('Backspace')]) {
    await page.keyboard.press(key);
    await page.waitForTimeout(120);
  }
  await page.waitForTimeout(500);
}

/** Types a search, takes it back letter by letter, and narrows by state and tag, as fast as somebody types. */
async function filterServers(page: Page): Promise<void> {
  const search = page.getByRole('searchbox', { name: 'Search servers' });
  const pause = () => page.waitForTimeout(120);
  await search.focus();
  for (const key of 'server 12') {
    await page.keyboard.press(key);
    await pause();
  }
  for (let press = 0; press < 9; press++) {
    await page.keyboard.press('Backspace');
    await pause();
  }
  for (const name of [/^Disabled/, /^Enabled/, /^All/]) {
    await page.getByRole('radio', { name }).click();
    await pause();
  }
  await page.getByLabel('Tag', { exact: true }).selectOption('team-3');
  await pause();
  await page.getByLabel('Tag', { exact: true }).selectOption('');
  await page.waitForTimeout(500);
}
