import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';

/** The chapter "Testing the Setup" of the setup guide, done in the browser as it says; docs/providers/entra.md, "Testing". */
const { accounts, appIdUri, groups, password, tenantId } = shippedTenant;
let gateway: TestGateway;

const { open, openAs } = browserTrial(
  () => ({}),
  async (started) => {
    gateway = started;
  },
);

const nameOf = (account: { userPrincipalName: string }): string => account.userPrincipalName.split('@')[0]!;
const serverRow = (page: Page, path: string) =>
  page
    .getByRole('list', { name: 'Servers' })
    .getByRole('listitem')
    .filter({ has: page.getByText(path, { exact: true }) });

describe('Step 2: Test User Authentication', () => {
  test('the login page leads to Microsoft, and the password back to the registry', async () => {
    const page = await open();
    await page.goto(gateway.url);
    await page.waitForURL(`${gateway.url}/login`);
    await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
    await page.getByRole('link', { name: 'Sign in with Microsoft Entra ID' }).click();
    await page.waitForURL(
      (url) => url.origin === gateway.emulatorUrl && url.pathname.startsWith(`/${tenantId}/`),
    );
    await page.getByLabel('User name').fill(accounts.user.userPrincipalName);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.waitForURL(`${gateway.url}/`);
    await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
  });

  test('a wrong password is refused by Microsoft, and nobody is signed in', async () => {
    const page = await open();
    await page.goto(`${gateway.url}/login`);
    await page.getByRole('link', { name: 'Sign in with Microsoft Entra ID' }).click();
    await page.getByLabel('User name').fill(accounts.user.userPrincipalName);
    await page.getByLabel('Password', { exact: true }).fill('not the password');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText(/AADSTS50126/).waitFor();
    await page.goto(gateway.url);
    await page.waitForURL(`${gateway.url}/login`);
  });
});

test('Step 3: Verify User Information: the log has what came, the account page groups and scopes', async () => {
  const page = await openAs(nameOf(accounts.user), '/me');
  const { userPrincipalName } = accounts.user;
  await page.getByRole('main').getByText(userPrincipalName, { exact: true }).waitFor();
  const own = page.getByRole('region', { name: 'Groups' });
  await own.locator('summary').click();
  await own.getByText(groups.users, { exact: true }).waitFor();
  const scopes = page.getByRole('region', { name: 'Scopes' });
  for (const scope of ['mcp-registry-user', 'mcp-servers-restricted/read'])
    await scopes.getByText(scope, { exact: true }).waitFor();
  const printed = gateway.output();
  // The banner of the evaluation mode names the demo accounts.
  const log = printed.slice(printed.indexOf('Raw user info'));
  for (const line of ['Raw user info from entra:', 'Mapped user info:', 'Groups received:'])
    expect(log).toContain(line);
  expect(log).toContain(groups.users);
  expect(log).not.toContain(userPrincipalName);
});

test('Step 4: Test Authorization: an administrator registers, changes and switches a service', async () => {
  const page = await openAs(nameOf(accounts.admin), '/edit/currenttime');
  const form = page.getByRole('form', { name: 'Server' });
  const address = await form.getByLabel('URL of the server').inputValue();
  await page
    .getByRole('navigation', { name: 'Main' })
    .getByRole('link', { name: 'Servers', exact: true })
    .click();
  await page.getByRole('link', { name: 'Register a server' }).click();
  await form.getByLabel('Name').fill('Guide clock');
  await form.getByLabel('Path').fill('/guide-clock');
  await form.getByLabel('URL of the server').fill(address);
  await form.getByRole('button', { name: 'Register' }).click();
  await page.waitForURL(`${gateway.url}/servers/guide-clock`);

  await page.getByRole('link', { name: 'Settings', exact: true }).click();
  await page.getByRole('link', { name: 'Edit' }).click();
  await form.getByLabel('Description').fill('Registered as the guide says.');
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Registered as the guide says.').first().waitFor();

  const control = page.getByRole('switch', { name: 'Guide clock: enabled' });
  for (const state of [true, false]) {
    if ((await control.getAttribute('aria-checked')) === String(state)) await control.click();
    await control.click();
    await page
      .getByRole('status')
      .getByText(`Guide clock is now ${state ? 'enabled' : 'disabled'}.`)
      .first()
      .waitFor();
  }
});

/** What the guide's roles must find on the list of servers: docs/providers/entra.md, "Groups and scopes". */
const roles = {
  admin: { seesAll: true, registers: true, switches: true, edits: true },
  developer: { seesAll: true, registers: true, switches: false, edits: false },
  operator: { seesAll: true, registers: false, switches: true, edits: false },
  user: { seesAll: false, registers: false, switches: false, edits: false },
  nested: { seesAll: false, registers: false, switches: false, edits: false },
  manyGroups: { seesAll: false, registers: false, switches: false, edits: false },
} as const;

test.each(Object.entries(roles) as [keyof typeof roles, (typeof roles)[keyof typeof roles]][])(
  'Step 4: Test Authorization: %s finds what the role gives, and nothing else',
  async (who, may) => {
    const page = await openAs(nameOf(accounts[who]));
    await serverRow(page, '/currenttime').waitFor();
    expect((await serverRow(page, '/everything').count()) > 0, 'sees every server').toBe(may.seesAll);
    expect(await page.getByRole('link', { name: 'Register a server' }).count(), 'registers').toBe(
      Number(may.registers),
    );
    expect((await page.getByRole('switch').count()) > 0, 'switches').toBe(may.switches);

    await page.goto(`${gateway.url}/servers/currenttime?tab=settings`);
    await page.getByRole('button', { name: 'Check health' }).waitFor();
    for (const [role, name] of [
      ['link', 'Edit'],
      ['button', 'Remove'],
    ] as const)
      expect(await page.getByRole(role, { name }).count(), name).toBe(Number(may.edits));

    // Who knows the address of a page gets no further, and neither do requests that the page would make.
    await page.goto(`${gateway.url}/edit/currenttime`);
    await page
      .getByText(may.edits ? 'URL of the server' : 'You are not allowed to do this.')
      .first()
      .waitFor();
    await page.goto(`${gateway.url}/register`);
    await page
      .getByText(may.registers ? 'Paste the URL of a server' : 'You are not allowed to do this.')
      .waitFor();
    const asked = await page.evaluate<number>(`
    fetch('/api/auth/csrf-token').then((answer) => answer.json()).then(({ csrf_token }) =>
      fetch('/api/servers/currenttime', {
        method: 'PATCH',
        headers: { 'content-type': 'application/json', 'x-csrf-token': csrf_token },
        body: '{"license":"N/A"}',
      })).then((answer) => answer.status)`);
    expect(asked).toBe(may.edits ? 200 : 403);
  },
);

test('Step 4: Test Authorization: whoever is in no mapped group is told so, with what to ask for', async () => {
  const page = await openAs(nameOf(accounts.noGroup));
  await page.getByRole('heading', { level: 1, name: 'You have no access yet' }).waitFor();
  const status = await page.evaluate<number>(
    "fetch('/api/servers/currenttime').then((answer) => answer.status)",
  );
  expect(status).toBe(404);
});

test('Step 5: Test M2M Authentication: an agent made in the pages gets a token and calls the gateway with it', async () => {
  const page = await openAs(nameOf(accounts.admin), '/accounts');
  await page.getByRole('button', { name: 'New application' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('guide-agent');
  await dialog.getByLabel('Groups', { exact: true }).fill('mcp-test-users');
  await page.keyboard.press('Enter');
  await dialog.getByText("'guide-agent' was created.").waitFor();
  await dialog.getByRole('button', { name: 'Show the secret' }).click();
  await dialog.getByText('it cannot be shown again').waitFor();
  const [client_id = '', client_secret = ''] = await dialog.locator('dd code').allTextContents();
  // The request of the guide, to the letter.
  const answer = await fetch(`${gateway.emulatorUrl}/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id, client_secret, scope: `${appIdUri}/.default` },
    }),
  });
  const { access_token } = (await answer.json()) as { access_token: string };
  const headers = { authorization: `Bearer ${access_token}` };
  const listed = await fetch(`${gateway.url}/api/servers`, { headers });
  const { servers } = (await listed.json()) as { servers: { path: string }[] };
  expect(servers.map(({ path }) => path)).toEqual(['/currenttime']);
  const tools = await fetch(`${gateway.url}/currenttime/mcp`, {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
  expect(tools.status).toBe(200);
  await tools.body?.cancel();
});
