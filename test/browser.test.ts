import type { BrowserContextOptions, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { expectAccessible, expectFits, hasFocus, signIn, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';

let gateway: TestGateway;

const { open } = browserTrial(
  () => ({}),
  async (started) => {
    gateway = started;
  },
);

async function openAs(name: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await open(options);
  await signIn(page, `${gateway.url}/servers`, name);
  return page;
}

const switchOf = (page: Page, server: RegExp) =>
  page.getByRole('listitem').filter({ hasText: server }).getByRole('switch');
const title = (page: Page) => page.getByRole('heading', { level: 1 });

/** Asks the API with a token and answers the status and the paths of the servers it shows. */
async function ask(token: string): Promise<{ status: number; paths: string[] }> {
  const response = await fetch(`${gateway.url}/api/servers`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const body = (await response.json()) as { servers?: { path: string }[] };
  return { status: response.status, paths: (body.servers ?? []).map(({ path }) => path) };
}

/** The token file that the dialog shows. */
async function shownFile(
  page: Page,
): Promise<{ tokens: { access_token: string }; requested_scopes: string[] }> {
  await page.getByText('Token file for the command line').click();
  return JSON.parse((await page.getByRole('region', { name: 'Token file' }).textContent()) ?? '');
}

test('an administrator sees both servers with their tools and their parameters', async () => {
  const page = await openAs('alice');
  await page.getByText('/everything', { exact: true }).waitFor();
  await page.getByRole('main').getByRole('link', { name: 'Current Time' }).click();
  await page.getByText(`${gateway.url}/currenttime/mcp`).waitFor();
  await page.getByRole('link', { name: /^Tools \d/ }).click();
  await page.getByText('current_time_by_timezone').first().click();
  await page.getByRole('table', { name: 'Parameters of current_time_by_timezone' }).waitFor();
});

test('search narrows the list with every key and keeps it in the URL', async () => {
  const page = await openAs('alice');
  await page.getByText('/everything', { exact: true }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('currentt');
  await page.getByText('1 of 2 servers').waitFor();
  await page.waitForURL(/\?q=currentt$/);
  await page.reload();
  await page.getByText('1 of 2 servers').waitFor();
  await page.getByRole('searchbox').press('Escape');
  await page.getByText('/everything', { exact: true }).waitFor();
});

test('an administrator switches a server off and on, and each is announced', async () => {
  const page = await openAs('alice');
  const control = switchOf(page, /\/currenttime/);
  await control.click();
  await page
    .getByRole('status')
    .getByText(/is now disabled/)
    .waitFor();
  expect(await control.getAttribute('aria-checked')).toBe('false');
  await page.reload();
  await page.getByText('/currenttime', { exact: true }).waitFor();
  expect(await control.getAttribute('aria-checked')).toBe('false');
  await control.click();
  await page
    .getByRole('status')
    .getByText(/is now enabled/)
    .waitFor();
  expect(await control.getAttribute('aria-checked')).toBe('true');
});

test('a switch goes back when the gateway refuses, and says so', async () => {
  const page = await openAs('alice');
  await page.route('**/toggle', (route) => route.abort());
  const control = switchOf(page, /\/currenttime/);
  await control.click();
  await page
    .getByRole('alert')
    .getByText(/could not be disabled/)
    .waitFor();
  expect(await control.getAttribute('aria-checked')).toBe('true');
});

test('an error says its cause, code and correlation id, and trying again recovers', async () => {
  const page = await openAs('alice');
  const said = {
    type: 'about:blank',
    title: 'Not now',
    status: 503,
    code: 'overloaded',
    detail: 'Come back.',
  };
  await page.route('**/api/tokens', (route) =>
    route.fulfill({ status: 503, json: { ...said, correlation_id: 'c-503' } }),
  );
  await page.getByRole('link', { name: 'Tokens' }).click();
  const alert = page.getByRole('alert').filter({ hasText: 'Not now' });
  for (const text of ['Come back.', '503 overloaded', 'c-503']) await alert.getByText(text).waitFor();
  await page.unroute('**/api/tokens');
  await alert.getByRole('button', { name: 'Try again' }).click();
  await alert.waitFor({ state: 'detached' });
});

test('a token made in the dialog works, is shown once, and works no more when revoked', async () => {
  const page = await openAs('alice');
  await page.getByRole('button', { name: 'Get JWT Token' }).click();
  await page.getByLabel('Description').fill('browser test');
  await page.getByLabel('Lifetime in hours').fill('1');
  await page.getByRole('button', { name: 'Create token' }).click();
  const token = (await shownFile(page)).tokens.access_token;
  expect(await ask(token)).toMatchObject({
    status: 200,
    paths: expect.arrayContaining(['/currenttime', '/everything']),
  });
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download token file' }).click();
  expect((await download).suggestedFilename()).toMatch(/^mcp-gateway-token-\d{4}-\d\d-\d\d\.json$/);
  await page.getByRole('button', { name: 'Done' }).click();
  expect(await page.content()).not.toContain(token);

  await page.getByRole('link', { name: 'Tokens' }).click();
  await page.getByRole('button', { name: 'Revoke browser test' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page
    .getByRole('status')
    .getByText(/was revoked/)
    .waitFor();
  expect((await ask(token)).status).toBe(401);
});

test('a token can be held to some of the scopes', async () => {
  const page = await openAs('alice');
  await page.getByRole('button', { name: 'Get JWT Token' }).click();
  await page.getByLabel('Only some').check();
  await page.getByText('Choose at least one scope.').waitFor();
  const scope = page.getByRole('group', { name: 'Scopes of the token' }).getByRole('checkbox').first();
  await scope.check();
  await page.getByRole('button', { name: 'Create token' }).click();
  expect((await shownFile(page)).requested_scopes).toHaveLength(1);
});

test('a plain user has no switch', async () => {
  const page = await openAs('bob');
  await title(page).getByText('Servers').waitFor();
  await page.getByRole('button', { name: /account/ }).waitFor();
  await page.getByText(/\d servers?$|no server/).waitFor();
  expect(await page.getByRole('switch').count()).toBe(0);
});

test('an account in no group is told why and what to ask for', async () => {
  const page = await openAs('nora');
  await page.waitForURL(`${gateway.url}/no-access`);
  await title(page).getByText('You have no access yet').waitFor();
  await page.getByRole('main').getByText('nora@').first().waitFor();
  await page.getByRole('heading', { name: 'What to ask for' }).waitFor();
  expect(await page.getByRole('button', { name: 'Get JWT Token' }).count()).toBe(0);
});

test('whoever follows a link without a session comes back to it after signing in', async () => {
  const page = await open();
  await signIn(page, `${gateway.url}/tokens`, 'alice');
  await page.waitForURL(`${gateway.url}/tokens`);
});

test('a session that ends leads to the sign-in and back', async () => {
  const page = await openAs('alice');
  await page.getByRole('link', { name: 'Tokens' }).click();
  await title(page).getByText('Tokens').waitFor();
  await page.context().clearCookies();
  await page.getByRole('link', { name: 'Servers', exact: true }).click();
  await page.getByText('Your session has ended').waitFor();
  await page.getByRole('link', { name: 'Sign in with Microsoft Entra ID' }).click();
  await page.getByRole('button', { name: 'alice@' }).click();
  await title(page).getByText('Servers').waitFor();
});

test('signing out ends the session', async () => {
  const page = await openAs('alice');
  await page.getByRole('button', { name: /account/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await title(page).getByText('You are signed out').waitFor();
  await page.goto(gateway.url);
  await page.getByRole('link', { name: 'Sign in with Microsoft Entra ID' }).waitFor();
});

test('an error of the sign-in is explained, in the provider’s words and only as text', async () => {
  const page = await open();
  await page.goto(`${gateway.url}/oauth2/login/entra`);
  // What the provider would send the browser back with.
  const asked = new URL(page.url()).searchParams;
  const back = new URL(asked.get('redirect_uri') ?? '');
  back.search = new URLSearchParams({
    ...{
      error: 'access_denied',
      error_description: '<img src=x onerror="document.title=1"> AADSTS65004: no',
    },
    state: asked.get('state') ?? '',
  }).toString();
  await page.goto(back.href);
  await page.getByRole('alert').getByText('The consent was declined').waitFor();
  await page.getByRole('alert').getByText('<img src=x').waitFor();
  const correlationId = new URL(page.url()).searchParams.get('correlation_id') ?? '-';
  await page.getByRole('alert').getByText(correlationId).waitFor();
  expect(await page.locator('img').count()).toBe(0);
});

test('nothing that a link to the sign-in page says is shown', async () => {
  const page = await open();
  const said = 'Call 555-0100 now';
  const query = new URLSearchParams({
    error: said,
    details: said,
    error_description: said,
    correlation_id: said,
  });
  await page.goto(`${gateway.url}/login?${query}`);
  await page.getByRole('alert').getByText('The sign-in did not work').waitFor();
  expect(await page.getByText(said).count()).toBe(0);
});

test('sign-in, minting and switching need no mouse', async () => {
  const page = await open();
  await page.goto(`${gateway.url}/servers`);
  await tabTo(page, page.getByRole('link', { name: 'Sign in with Microsoft Entra ID' }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'alice@' }));
  await page.keyboard.press('Enter');

  const mint = page.getByRole('button', { name: 'Get JWT Token' });
  await tabTo(page, mint);
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByLabel('Description'));
  await page.keyboard.type('by keyboard');
  await tabTo(page, page.getByRole('button', { name: 'Create token' }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Copy token' }));
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await hasFocus(page, mint)).toBe(true);

  const control = switchOf(page, /\/everything/);
  for (const state of ['disabled', 'enabled']) {
    await tabTo(page, control);
    await page.keyboard.press('Space');
    await page
      .getByRole('status')
      .getByText(new RegExp(`is now ${state}`))
      .waitFor();
  }
});

/** Every page and dialog, by who sees it and how to get there. */
const views: [name: string, who: string | null, path: string, enter?: (page: Page) => Promise<void>][] = [
  ['sign-in', null, '/login'],
  ['sign-in after an error', null, '/login?error=oauth2_error'],
  ['signed out', null, '/signed-out'],
  ['no such page', null, '/nowhere'],
  ['home', 'alice', '/'],
  ['home of a plain user', 'bob', '/'],
  ['servers', 'alice', '/servers'],
  ['servers of a plain user', 'bob', '/servers'],
  [
    'a server with a tool',
    'alice',
    '/servers/currenttime?tab=tools',
    (page) => page.getByText('current_time_by_timezone').first().click(),
  ],
  ['a search without result', 'alice', '/servers?q=nothing-like-it'],
  ['account', 'alice', '/', (page) => page.getByRole('button', { name: /account/ }).click()],
  ['tokens', 'alice', '/tokens'],
  [
    'making a token',
    'alice',
    '/tokens',
    async (page) => {
      await page.getByRole('button', { name: 'Get JWT Token' }).click();
      await page.getByLabel('Only some').check();
    },
  ],
  [
    'a token just made',
    'bob',
    '/',
    async (page) => {
      await page.getByRole('button', { name: 'Get JWT Token' }).click();
      await page.getByRole('button', { name: 'Create token' }).click();
      await page.getByText('The token is ready.').waitFor();
    },
  ],
  ['no access', 'nora', '/no-access'],
];

// In turns: that every page is right in both themes is held by browser-pages.test.ts.
describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  test.each(views.filter((_, index) => (index % 2 === 0) === (colorScheme === 'light')))(
    '%s is accessible and fits 1280 and 360 pixels',
    async (_name, who, path, enter) => {
      const page = await open({ colorScheme });
      if (who) await signIn(page, `${gateway.url}${path}`, who);
      else await page.goto(`${gateway.url}${path}`);
      await title(page).waitFor();
      await page.waitForLoadState('networkidle');
      await enter?.(page);
      await expectAccessible(page);
      await expectFits(page);
      await page.setViewportSize({ width: 360, height: 740 });
      await expectFits(page);
      // Colours do not depend on the width: looking at one theme is enough here.
      if (colorScheme === 'light') await expectAccessible(page);
    },
  );
});
