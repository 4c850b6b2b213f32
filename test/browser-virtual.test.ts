import { expect, test } from 'vitest';
import { expectAccessible, expectFits } from './browser.ts';
import { browserTrial } from './browser-trial.ts';

const { openAs } = browserTrial(
  () => ({}),
  () => {},
);

test('an administrator makes a shared virtual server in four steps, is told of a conflict at its place, and changes it', async () => {
  const page = await openAs('alice', '/virtual-servers');
  await page.getByRole('link', { name: 'Create' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Clock & more');
  await page.getByText('/virtual/me/clock-more/mcp').waitFor();
  await page.getByLabel(/^Share it/).check();
  await page.getByText('/virtual/clock-more/mcp').waitFor();
  await page.getByRole('button', { name: 'Next' }).click();

  // One tool of the demo server under a name of its own, and the whole of it under that very prefix and name.
  const servers = page.getByLabel('Servers', { exact: true });
  await servers.fill('/currenttime');
  await servers.press('Enter');
  const group = page.getByRole('group', { name: /time/i });
  await group.getByLabel('Single tools').check();
  const tools = group.getByLabel(/^Tools of/);
  await tools.fill('current_time_by_timezone');
  await tools.press('Enter');
  await group.getByLabel('Name of current_time_by_timezone for clients').fill('not a name');
  await group.getByLabel('Description of current_time_by_timezone for clients').fill('The time somewhere');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByText('A caller needs a rule for this virtual server').waitFor();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('button', { name: 'Create' }).click();

  // Back at the step of the fault, in the field that has it.
  const alias = page.getByLabel('Name of current_time_by_timezone for clients');
  await page
    .getByText(/1 to 64 letters, digits/)
    .first()
    .waitFor();
  expect(await alias.getAttribute('aria-invalid')).toBe('true');
  await expectAccessible(page);
  await expectFits(page);
  await alias.fill('clock');
  await page.getByRole('button', { name: '4. Check' }).click();
  await page.getByText('clock = /currenttime current_time_by_timezone').waitFor();
  await page.getByRole('button', { name: 'Create' }).click();
  const row = page.getByRole('listitem').filter({ hasText: 'Clock & more' });
  await row.getByText(/1 tool · from 1 server.*about \d+ tokens a list/).waitFor();

  await row.getByRole('link', { name: 'Change Clock & more' }).click();
  await page.getByRole('button', { name: '2. Servers and tools' }).click();
  expect(await page.getByLabel('Name of current_time_by_timezone for clients').inputValue()).toBe('clock');
  expect(await page.getByLabel('Description of current_time_by_timezone for clients').inputValue()).toBe(
    'The time somewhere',
  );
  await page.getByLabel('The whole server, now and later').check();
  await page.getByLabel(/^Prefix of/).fill('a__b');
  await page.getByRole('button', { name: '4. Check' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page
    .getByText(/has the separator/)
    .first()
    .waitFor();
  await page.getByLabel(/^Prefix of/).fill('t');
  await page.getByRole('button', { name: '4. Check' }).click();
  await page.getByText('t__* = /currenttime').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page
    .getByRole('listitem')
    .filter({ hasText: 'Clock & more' })
    .getByText(/\d+ tools? ·/)
    .waitFor();
}, 120_000);

test('a person makes a bundle of their own, which nobody else sees', async () => {
  const page = await openAs('bob', '/virtual-servers/new');
  await page.getByLabel('Name', { exact: true }).fill('Bundle of bob');
  expect(await page.getByLabel(/^Share it/).count()).toBe(0);
  await page.getByRole('button', { name: '2. Servers and tools' }).click();
  const servers = page.getByLabel('Servers', { exact: true });
  await servers.fill('/currenttime');
  await servers.press('Enter');
  await page.getByRole('button', { name: '3. Who can use it' }).click();
  await page.getByText('Only you see it.').waitFor();
  await page.getByRole('button', { name: '4. Check' }).click();
  await page.getByText('/virtual/me/bundle-of-bob/mcp').waitFor();
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('listitem').filter({ hasText: 'Bundle of bob' }).getByText('Only for you').waitFor();

  const other = await openAs('alice', '/virtual-servers');
  await other.getByRole('heading', { level: 1 }).waitFor();
  await other.getByRole('link', { name: 'Create' }).waitFor();
  expect(await other.getByText('Bundle of bob').count()).toBe(0);
}, 120_000);
