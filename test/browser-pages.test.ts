import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { de } from '../src/ui/words/de.ts';
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
  '/servers/currenttime?tab=prompts',
  '/servers/currenttime?tab=health',
  '/tools?q=time',
  '/virtual-servers',
  '/virtual-servers/new',
  '/agents',
  '/clients',
  '/requests',
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
  '/agents/flight-booking',
  '/agents/flight-booking?tab=card',
  '/agents/flight-booking?tab=settings',
  '/register-agent',
  '/edit-agent/flight-booking',
  '/requests?tab=waiting',
  '/requests?tab=decided',
  '/tokens?tab=all&state=all',
  '/accounts',
  '/access',
  '/access?tab=groups',
  '/access?tab=check',
  '/access/new',
  '/access/scopes/registry-admins',
  '/oauth-clients',
  '/audit',
  '/audit?matter=all',
  '/usage',
  '/usage?by=tool',
  '/operations',
  '/operations?tab=sessions',
  '/operations?tab=jobs',
  '/operations?tab=settings',
];
/** What differs for those who register or look after servers. */
const forMakers = ['/', '/servers', '/servers/currenttime', '/servers/currenttime?tab=settings', '/me'];

const roles: [who: string, paths: string[]][] = [
  ['alice', forEverybody],
  ['alice', forAdministrators],
  [
    'bob',
    [
      ...forEverybody,
      '/servers/nothing-there',
      '/audit',
      '/access',
      '/oauth-clients',
      '/usage',
      '/operations',
    ],
  ],
  ['dora', [...forMakers, '/register', '/edit/currenttime', '/requests', '/agents', '/register-agent']],
  ['oscar', [...forMakers, '/requests', '/agents']],
  ['nora', ['/no-access', '/requests']],
];

/** Opens a page and waits until everything on it has come. */
async function go(page: Page, path: string): Promise<void> {
  await page.goto(`${gateway.url}${path}`);
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  // Grey bars stand for what has not come yet.
  await page.locator('[data-pending]').first().waitFor({ state: 'detached' });
}

/**
 * Each page is loaded once: its layout is looked at in every width, since no theme changes it, and its accessibility
 * once wide and once narrow, in one theme each, which pages take in turns; for others than administrators, whose pages have
 * less on them, once.
 */
test.each(roles.map(([who, paths], index) => ({ who, paths, index })))(
  'every page as $who is accessible and fits five widths in both themes ($index)',
  async ({ who, paths }) => {
    const page = await openAs(who, '/');
    for (const [index, path] of paths.entries()) {
      const [wide, narrow] = index % 2 === 0 ? (['light', 'dark'] as const) : (['dark', 'light'] as const);
      await page.emulateMedia({ colorScheme: wide, reducedMotion: 'reduce' });
      await page.setViewportSize({ width: 1280, height: 900 });
      await go(page, path);
      if (who === 'alice' || index % 2 === 0) await expectAccessible(page);
      await page.emulateMedia({ colorScheme: narrow, reducedMotion: 'reduce' });
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 });
        await expectFits(page);
        if (width === 360 && (who === 'alice' || index % 2 === 1)) await expectAccessible(page);
      }
    }
  },
  240_000,
);

/** English words that are no German ones. */
const english =
  /\b(?:the|and|of|is|are|not|no|with|your|you|this|that|every|for|from|has|have|can|cannot|be|by|or|last|ago|never|none|yet|days?|hours?|tools|enabled|disabled|healthy|unhealthy|allowed|denied|failed|search|show|choose|add|remove|edit|delete|save|cancel|close)\b/i;

/** The English texts of the pages that read differently in German, each for whole texts with any values in them. */
const untranslated = Object.entries(de)
  .filter(([text, german]) => text !== german && !Object.values(de).includes(text))
  .map(
    ([text]) =>
      new RegExp(
        `^${text
          .split(/\{\w+\}/)
          .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
          .join('.+')}$`,
        's',
      ),
  );

/** What is to be read on a page: texts and labels, but for what is to be typed or copied as it is. */
const textsOf = `(() => {
  const texts = new Set();
  const walk = (node) => {
    if (node.nodeType === 3) texts.add(node.data.trim());
    if (node.nodeType !== 1 || node.matches('code, pre, kbd, textarea, script, noscript, style, datalist, [lang]:not(html)')) return;
    for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
      if (node.hasAttribute(name)) texts.add(node.getAttribute(name).trim());
    for (const child of node.childNodes) walk(child);
  };
  walk(document.body);
  return [...texts];
})()`;

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

/** What runs where a text is taken for HTML, for Markdown with links of any kind, or for an attribute. */
const markup = `<img src=x onerror="window.owned=1"><script>window.owned=1</script>[a](javascript:window.owned=1)"'`;

/** What people, servers and clients may write, by the names of its members; and whatever has several words. */
const written =
  /^(?:.*name|description|title|.*detail|message|.*reason|tags?|category|registered_by|owner|username|email|user_agent|license|about|why|what|note|version|details|said|summary|resource|tool|groups|purpose)$/;

/** The same JSON with that in every text that comes from outside; what steers the pages stays, such as paths and states. */
function hostile(value: unknown, member = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => hostile(one, member));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, hostile(one, name)]));
  if (typeof value !== 'string' || /^(?:https?:|\/|\d{4}-\d\d-)/.test(value)) return value;
  return written.test(member) || /\S \S/.test(value) ? `${value}${markup}` : value;
}

const ran = `Boolean(window.owned) || document.querySelectorAll('[onerror], img[src=x], a[href^="javascript:" i]').length > 0`;

test('in German no page has English on it, nor runs what servers and people wrote', async () => {
  const page = await openAs('alice', '/');
  await page.route(/\/api\//, async (route) => {
    if (route.request().resourceType() === 'eventsource') return route.continue();
    const answer = await route.fetch().catch(() => undefined);
    if (!answer) return route.abort().catch(() => {});
    if (!/json/.test(answer.headers()['content-type'] ?? '')) return route.fulfill({ response: answer });
    return route.fulfill({ response: answer, json: hostile(await answer.json()) });
  });
  let seen = 0;
  const data = new Set<string>();
  const reading: Promise<unknown>[] = [];
  page.on('response', (answer) => {
    if (!/json/.test(answer.headers()['content-type'] ?? '')) return;
    reading.push(
      answer.json().then(
        (body) => {
          for (const text of stringsIn(body)) data.add(text.trim());
        },
        () => {},
      ),
    );
  });
  await page.evaluate(`localStorage.setItem('mcp-gateway-language', 'de')`);
  const found: string[] = [];
  const paths = [...forEverybody, ...forAdministrators, '/docs/api', '/servers/nothing-there', '/nothing'];
  for (const path of paths) {
    await go(page, path);
    await Promise.all(reading.splice(0));
    expect(await page.evaluate(ran), `markup on ${path}`).toBe(false);
    if ((await page.getByText('<img src=x').count()) > 0) seen += 1;
    const given = [...data].filter((text) => text.length > 2).sort((a, b) => b.length - a.length);
    for (const text of await page.evaluate<string[]>(textsOf)) {
      if (!(/\s/.test(text) && english.test(text)) && !untranslated.some((pattern) => pattern.test(text)))
        continue;
      if (given.some((one) => one.includes(text))) continue;
      const rest = given.reduce((left, one) => left.replaceAll(one, ''), text);
      if (english.test(rest) || rest === text) found.push(`${path}: ${text}`);
    }
  }
  expect(found).toEqual([]);
  expect(seen, 'pages on which it stands as text').toBeGreaterThan(20);
}, 240_000);

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
