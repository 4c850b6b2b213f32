import { expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { expectAccessible, expectFits } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';

const { accounts } = shippedTenant;
let gateway: TestGateway;

const { openAs } = browserTrial(
  // The accounts of the demo tenant were not made here.
  () => ({ environment: { IAM_MANAGES: 'all' } }),
  async (started) => {
    gateway = started;
  },
);

test.each([
  { colorScheme: 'light', width: 1280 },
  { colorScheme: 'dark', width: 360 },
] as const)('the list is accessible and fits: $colorScheme, $width px', async ({ colorScheme, width }) => {
  const page = await openAs('alice', '/accounts', {
    colorScheme,
    viewport: { width, height: 800 },
  });
  await page.getByRole('list', { name: 'Accounts' }).getByText(accounts.admin.userPrincipalName).waitFor();
  await expectAccessible(page);
  await expectFits(page);
});

test('an account is found, and deleted only after the question was answered', async () => {
  const { userPrincipalName: name } = accounts.user;
  const page = await openAs('alice', '/accounts');
  const rows = page.getByRole('list', { name: 'Accounts' }).getByRole('listitem');
  await page.getByRole('searchbox', { name: 'Search accounts' }).fill(name);
  await page.keyboard.press('Enter');
  await page.getByText('1 of 1 accounts.').waitFor();
  expect(new URL(page.url()).searchParams.get('q')).toBe(name);
  const ask = rows.getByRole('button', { name: `Delete ${name}` });
  await ask.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Keep' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await rows.count()).toBe(1);
  await ask.click();
  await expectAccessible(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText(`${name} was deleted.`).first().waitFor();
  await page.getByText('No account starts with that.').waitFor();
});

test('a person is made by keyboard, told what is wrong with the form, and gets a password that is shown once', async () => {
  const page = await openAs('alice', '/accounts');
  await page.getByRole('button', { name: 'New person' }).press('Enter');
  const dialog = page.getByRole('dialog');
  const type = async (label: string, text: string) => {
    await dialog.getByLabel(label, { exact: true }).fill(text);
  };
  await type('User name', 'newt');
  await type('E-mail address', 'newt@contoso.example');
  await type('First name', 'Newt');
  await type('Last name', 'Contoso');
  await type('Groups', 'mcp-test-users, nowhere');
  await page.keyboard.press('Enter');
  await dialog.getByText("the directory has no group 'nowhere'").first().waitFor();
  expect(await dialog.getByLabel('Groups', { exact: true }).getAttribute('aria-invalid')).toBe('true');
  await expectAccessible(page);
  await type('Groups', 'mcp-test-users');
  await page.keyboard.press('Enter');
  await dialog.getByText('The account is ready.').waitFor();
  const [, password] = await dialog.getByRole('definition').allTextContents();
  expect(password).toMatch(/^\S{20}/);
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Done' }).press('Enter');
  await page.getByRole('list', { name: 'Accounts' }).getByText('newt@contoso.example').waitFor();
  await page.getByRole('button', { name: 'Change the groups of newt@contoso.example' }).click();
  await dialog.getByRole('button', { name: 'Remove mcp-test-users' }).click();
  await dialog.getByLabel('Groups', { exact: true }).fill('mcp-test-developers');
  await page.keyboard.press('Enter');
  await dialog.getByText('Adds mcp-test-developers').waitFor();
  await dialog.getByText('Removes mcp-test-users').waitFor();
  await dialog.getByRole('button', { name: 'Save' }).press('Enter');
  await page.getByRole('listitem').filter({ hasText: 'newt' }).getByText('mcp-test-developers').waitFor();
});

test('an application is made step by step, its secret gets a token, and a new one takes its place', async () => {
  const page = await openAs('alice', '/accounts', { viewport: { width: 360, height: 800 } });
  await page.getByRole('button', { name: 'New application' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('ui-robot');
  await dialog.getByLabel('Groups', { exact: true }).fill('mcp-test-users');
  await page.keyboard.press('Enter');
  await dialog.getByText("'ui-robot' was created.").waitFor();
  expect(await dialog.getByRole('list', { name: 'Steps' }).getByText('(done)').count()).toBe(6);
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Show the secret' }).click();
  const shown = async () => {
    await dialog.getByText('it cannot be shown again').waitFor();
    return dialog.locator('dd code').allTextContents();
  };
  const [clientId = '', secret = ''] = await shown();
  await expectFits(page);
  const status = async (client_secret: string) => {
    const body = { grant_type: 'client_credentials', client_id: clientId, client_secret };
    const answer = await fetch(`${gateway.emulatorUrl}/${shippedTenant.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({ ...body, scope: `${shippedTenant.appIdUri}/.default` }),
    });
    return answer.status;
  };
  expect(await status(secret)).toBe(200);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'New secret for ui-robot' }).click();
  await dialog.getByLabel('Days that the old secrets still work').fill('0');
  await page.keyboard.press('Enter');
  const [, newer = ''] = await shown();
  expect([await status(secret), await status(newer)]).toEqual([401, 200]);
});

test('whoever is no administrator is told whose page it is', async () => {
  const page = await openAs('dora', '/accounts');
  await page.getByText('This page is for administrators').waitFor();
  expect(await page.getByRole('link', { name: 'Accounts' }).count()).toBe(0);
});
