import type { Page } from 'playwright-core';
import { afterEach, describe, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { expectAccessible, expectFits, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';
import { agentToken, mintToken, signIn as signInWithout } from './sign-in.ts';

const { accounts, admin, clientId } = shippedTenant;
let gateway: TestGateway;
let pristine: string;

const { openAs } = browserTrial(
  () => ({}),
  async (started) => {
    gateway = started;
    pristine = await (await fetch(`${gateway.emulatorUrl}/_emulator/snapshot`)).text();
  },
);

afterEach(async () => {
  if (gateway) await restore(pristine);
});

async function restore(snapshot: string): Promise<void> {
  const { status } = await fetch(`${gateway.emulatorUrl}/_emulator/snapshot`, {
    method: 'PUT',
    body: snapshot,
  });
  expect(status).toBe(204);
}

/** Takes the groups claim away from the gateway's registration, as an administrator of the tenant might. */
async function breakGroupClaims(): Promise<void> {
  const answer = await fetch(`${gateway.emulatorUrl}/${shippedTenant.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id: admin.clientId, client_secret: admin.clientSecret },
      scope: 'https://graph.microsoft.com/.default',
    }),
  });
  const { access_token } = (await answer.json()) as { access_token: string };
  const { status } = await fetch(`${gateway.emulatorUrl}/graph/v1.0/applications(appId='${clientId}')`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ groupMembershipClaims: null }),
  });
  expect(status).toBe(204);
}

/** Lets the client secret of the gateway end in ten and a half days. */
async function ageSecret(): Promise<void> {
  const soon = new Date(Date.now() + 10.5 * 86_400_000).toISOString();
  const aged = pristine.replaceAll(/"endDateTime":"[^"]+"/g, `"endDateTime":"${soon}"`);
  expect(aged).not.toBe(pristine);
  await restore(aged);
}

/** Has the doctor look anew, as the button of the page does. */
async function examine(): Promise<void> {
  const token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
  const answer = await fetch(`${gateway.url}/api/doctor?max_age=0`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(200);
}

const again = (page: Page) => page.getByRole('button', { name: 'Run checks again' });

test('the doctor says what to repair and how, and looks again when asked', async () => {
  await examine();
  const page = await openAs('alice', '/operations');
  await page.getByText('All checks passed.').waitFor();
  await breakGroupClaims();
  await again(page).click();
  await page
    .getByRole('status')
    .getByText(/1 to fix/)
    .waitFor();
  await page.getByRole('heading', { name: 'To fix (1)' }).waitFor();
  const finding = page.getByRole('listitem').filter({ hasText: 'list no groups' });
  for (const part of ['In the portal', 'Token configuration', 'Or by command'])
    await finding.getByText(part).first().waitFor();
  expect(await finding.getByRole('code').textContent()).toMatch(/^(az|mcp-gateway) /);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await finding.getByRole('button', { name: /^Copy the command/ }).click();
  expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(/^(az|mcp-gateway) /);
  await page.getByText(/^In order \(\d+\)$/).click();
  await page.getByText('Entra ID accepts the client id and its credential.').waitFor();
  await restore(pristine);
  await again(page).click();
  await page.getByText('All checks passed.').first().waitFor();
  expect(await page.getByRole('heading', { name: /^To fix/ }).count()).toBe(0);
});

test('administrators are told on every page of a fault and of a secret that ends soon, others are not', async () => {
  await ageSecret();
  await examine();
  const page = await openAs('alice', '/servers');
  const notice = page.getByRole('region', { name: 'Notice for administrators' });
  await notice.getByText(/The client secret is valid for 10 more days/).waitFor();
  await restore(pristine);
  await breakGroupClaims();
  await examine();
  await page.reload();
  await notice.getByText(/list no groups/).waitFor();
  await notice.getByRole('link', { name: 'What to do' }).click();
  await page.getByRole('heading', { level: 1, name: 'System' }).waitFor();
  await notice.waitFor({ state: 'detached' });
  const bob = await openAs('bob', '/servers');
  await bob.getByRole('button', { name: /account/ }).waitFor();
  await bob.waitForLoadState('networkidle');
  expect(await bob.getByRole('region', { name: 'Notice for administrators' }).count()).toBe(0);
  expect(await bob.getByRole('link', { name: 'System' }).count()).toBe(0);
  await examine();
});

test('while the doctor is asked the page says so, and an error can be tried again', async () => {
  const page = await openAs('alice', '/tokens');
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route('**/api/doctor?**', async (route) => {
    await released;
    await route.fulfill({
      status: 503,
      json: { title: 'Not now', detail: 'Come back.', code: 'overloaded' },
    });
  });
  // A new load: the banner has asked the doctor already.
  await page.goto(`${gateway.url}/operations`);
  const doctor = page.getByRole('region', { name: 'Identity provider' });
  await doctor.getByText('Loading').waitFor();
  release();
  await doctor.getByRole('alert').getByText('Come back.').waitFor();
  await page.unrouteAll();
  await doctor.getByRole('button', { name: 'Try again' }).click();
  await doctor.getByText(/In order/).waitFor();
  await page.route('**/api/sessions?**', (route) => route.abort());
  await page
    .getByRole('navigation', { name: 'Parts of this page' })
    .getByRole('link', { name: 'Sessions' })
    .click();
  const sessions = page.getByRole('region', { name: 'Sessions' });
  await sessions.getByRole('alert').getByText('The gateway did not respond').waitFor();
  await page.unrouteAll();
  await sessions.getByRole('button', { name: 'Try again' }).click();
  await sessions.getByRole('listitem').first().waitFor();
});

test('a plain user is told whose page this is, and the API tells them nothing', async () => {
  const page = await openAs('bob', '/operations');
  await page.getByText('This page is for administrators').waitFor();
  expect(await again(page).count()).toBe(0);
  const status = await page.evaluate("fetch('/api/doctor').then((answer) => answer.status)");
  expect(status).toBe(403);
  const everybody = await page.evaluate("fetch('/api/sessions?all=true').then((answer) => answer.status)");
  expect(everybody).toBe(403);
});

const statusOf = async (cookie: string): Promise<number> =>
  (await fetch(`${gateway.url}/api/auth/me`, { headers: { cookie } })).status;

test('an administrator ends one session, then all of a person with their tokens', async () => {
  const other = accounts.operator.userPrincipalName;
  const one = await signInWithout(gateway.url, other);
  const page = await openAs('alice', '/operations?tab=sessions');
  const sessions = page.getByRole('region', { name: 'Sessions' });
  await sessions.getByRole('searchbox').fill('nobody-of-that-name');
  await sessions.getByText('No one of that name is signed in.').waitFor();
  await sessions.getByRole('searchbox').fill(other.split('@')[0]!);
  await sessions.getByRole('listitem').waitFor();
  await sessions.getByRole('button', { name: 'End the session' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(await statusOf(one.cookie)).toBe(200);
  await sessions.getByRole('button', { name: 'End the session' }).click();
  await dialog.getByRole('button', { name: 'End session' }).click();
  await page.getByRole('status').getByText(`The session of ${other} has ended.`).waitFor();
  expect(await statusOf(one.cookie)).toBe(401);

  const [two, three] = [await signInWithout(gateway.url, other), await signInWithout(gateway.url, other)];
  const { token } = await mintToken(gateway.url, two);
  await page.reload();
  await sessions.getByRole('searchbox').fill(other.split('@')[0]!);
  await sessions.getByRole('button', { name: 'End all sessions' }).first().click();
  await dialog.getByLabel('Revoke their personal tokens too').check();
  await dialog.getByRole('button', { name: 'End all sessions' }).click();
  await page.getByRole('status').getByText(`${other}: 2 sessions ended, 1 token revoked.`).waitFor();
  expect([await statusOf(two.cookie), await statusOf(three.cookie)]).toEqual([401, 401]);
  const asked = await fetch(`${gateway.url}/api/servers`, { headers: { authorization: `Bearer ${token}` } });
  expect(asked.status).toBe(401);
});

test('a person ends a session of their own by keyboard, and then the one in use', async () => {
  const lost = await signInWithout(gateway.url, accounts.developer.userPrincipalName);
  const name = accounts.developer.userPrincipalName.split('@')[0]!;
  const page = await openAs(name, '/servers');
  await tabTo(page, page.getByRole('button', { name: /account/ }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('link', { name: 'Your sessions' }));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Your sessions' }).waitFor();
  const rows = page.getByRole('list', { name: 'Sessions' }).getByRole('listitem');
  await rows.first().waitFor();
  expect(await rows.count()).toBe(2);
  expect(await page.getByRole('button', { name: /End all/ }).count()).toBe(0);
  const end = rows.filter({ hasNotText: 'This session' }).getByRole('button', { name: 'End the session' });
  await tabTo(page, end);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await end.and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('dialog').getByRole('button', { name: 'End session' }));
  await page.keyboard.press('Enter');
  await rows.nth(1).waitFor({ state: 'detached' });
  expect(await statusOf(lost.cookie)).toBe(401);
  await rows.getByRole('button', { name: 'End the session' }).click();
  await page.getByText('you will have to sign in again').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'End session' }).click();
  await page.waitForURL(/\/login\?/);
});

const views: [name: string, who: string, path: string, enter?: (page: Page) => Promise<void>][] = [
  [
    'operations',
    'alice',
    '/operations',
    async (page) => {
      await page.getByText(/^In order \(\d+\)$/).click();
    },
  ],
  ['a notice', 'alice', '/tokens'],
  ['operations of a plain user', 'bob', '/operations'],
  ['own sessions', 'bob', '/sessions'],
  [
    'ending all sessions',
    'alice',
    '/operations?tab=sessions',
    (page) =>
      page
        .getByRole('button', { name: /^End all sessions/ })
        .first()
        .click(),
  ],
];

// In turns: that every page is right in both themes is held by browser-pages.test.ts.
describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  test.each(views.filter((_, index) => (index % 2 === 0) === (colorScheme === 'light')))(
    '%s is accessible and fits 1280 and 360 pixels',
    async (_name, who, path, enter) => {
      const page = await openAs(who, path, { colorScheme });
      await page.getByRole('button', { name: /account/ }).waitFor();
      await ageSecret();
      await breakGroupClaims();
      await examine();
      await page.reload();
      await page.waitForLoadState('networkidle');
      await enter?.(page);
      await expectAccessible(page);
      await expectFits(page);
      await page.setViewportSize({ width: 360, height: 740 });
      await expectFits(page);
      if (colorScheme === 'light') await expectAccessible(page);
    },
  );
});
