import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { expectAccessible, expectFits, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';
import { askAsAdmin } from './sign-in.ts';

const { groups } = shippedTenant;
let gateway: TestGateway;
let request: Awaited<ReturnType<typeof askAsAdmin>>;

const { openAs } = browserTrial(
  () => ({}),
  async (started) => {
    gateway = started;
    request = await askAsAdmin(gateway);
  },
  () => [],
  { signsInOnce: true },
);
async function ask(path: string, body?: object) {
  const answer = await request(path, body);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** Whether members of the group of users may call the tool. */
async function mayCall(tool: string): Promise<unknown> {
  const asked = { groups: [groups.users], server: 'everything', method: 'tools/call', tool };
  return (await ask('/api/access/explain', asked)).body.allow;
}

async function write(page: Page, field: Locator, text: string): Promise<void> {
  await tabTo(page, field);
  await page.keyboard.type(text);
}

test('a scope is made by keyboard alone: rules from the catalogue, a dry run, and it is in force', async () => {
  const page = await openAs('alice', '/access');
  await tabTo(page, page.getByRole('link', { name: 'Create a scope' }));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Create a scope' }).waitFor();
  await write(page, page.getByLabel('Name', { exact: true }), 'team/echo');
  await write(page, page.getByLabel('Assigned to groups'), 'no-such-group');
  await page.keyboard.press('Enter');
  await page.getByText("The directory has no group called 'no-such-group'").waitFor();
  await page.keyboard.press('Control+a');
  await page.keyboard.type('mcp-test-users');
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Add a rule' }));
  await page.keyboard.press('Enter');
  const rule = page.getByRole('group', { name: 'Rule 1' });
  await write(page, rule.getByLabel('Server', { exact: true }), 'everything');
  // What there is to choose comes from the catalogue.
  await rule.locator('datalist option[value="echo"]').waitFor({ state: 'attached' });
  await write(page, rule.getByLabel('Tools', { exact: true }), 'echo');
  await page.keyboard.press('Enter');
  // Naming a tool replaces every tool.
  await rule.getByRole('button', { name: 'Remove Every tool' }).waitFor({ state: 'detached' });
  await tabTo(page, page.getByRole('button', { name: 'Add a permission' }));
  await page.keyboard.press('Enter');
  const permission = page.getByRole('group', { name: 'Permission 1' });
  await write(page, permission.getByLabel('Applies to'), 'everything,');

  await tabTo(page, page.getByRole('button', { name: 'Who gains and loses what?' }));
  await page.keyboard.press('Enter');
  const effect = page.getByRole('region', { name: 'Effect' });
  await effect.getByText('mcp-test-users', { exact: true }).waitFor();
  const gains = effect.getByRole('row', { name: /everything/ });
  expect(await gains.innerText()).toMatch(/tools\/list/);
  expect(await gains.innerText()).toMatch(/echo/);
  expect(await gains.innerText()).not.toMatch(/every other/);
  expect(await effect.getByText('Loses', { exact: true }).count()).toBe(0);
  expect(await mayCall('echo')).toBe(false);

  await tabTo(page, page.getByRole('button', { name: 'Create the scope' }));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'team/echo' }).waitFor();
  await page.getByText('team/echo is active.').waitFor();
  expect([await mayCall('echo'), await mayCall('get-sum')]).toEqual([true, false]);
  expect((await ask('/api/servers/groups/team%2Fecho')).body).toMatchObject({
    group_mappings: [groups.users],
    ui_permissions: { list_service: ['everything'] },
  });
});

test('a scope is changed in the form and as JSON, and what is wrong is said where it is', async () => {
  await ask('/api/servers/groups/import', {
    ...{ scope_name: 'team/change', group_mappings: [groups.users] },
    server_access: [{ server: 'everything', methods: ['tools/call'], tools: ['echo', 'get-env'] }],
  });
  const page = await openAs('alice', '/access/scopes/team/change');
  await page.getByRole('link', { name: 'Change', exact: true }).click();
  const rule = page.getByRole('group', { name: 'Rule 1' });
  await rule.getByRole('button', { name: 'Remove get-env' }).click();
  await rule.getByLabel('Server', { exact: true }).fill('no*pattern');
  await page.getByRole('button', { name: 'Save' }).click();
  await rule.getByText('is not a name').waitFor();
  expect(await rule.getByLabel('Server', { exact: true }).getAttribute('aria-invalid')).toBe('true');
  await rule.getByLabel('Server', { exact: true }).fill('everything');
  await page.getByRole('radio', { name: 'As JSON' }).check();
  const json = page.getByLabel('Definition');
  const definition = JSON.parse(await json.inputValue());
  expect(definition.server_access).toEqual([
    { server: 'everything', methods: ['tools/call'], tools: ['echo'] },
  ]);
  await json.fill('{ "scope_name": ');
  await page.getByRole('radio', { name: 'As a form' }).click();
  await page.getByText('This is not JSON').waitFor();
  await json.fill(JSON.stringify({ ...definition, description: '<img src=x onerror=alert(1)>' }));
  await page.getByRole('button', { name: 'Who gains and loses what?' }).click();
  const effect = page.getByRole('region', { name: 'Effect' });
  await effect.getByText('Loses', { exact: true }).first().waitFor();
  expect(
    await effect
      .getByRole('row', { name: /everything/ })
      .first()
      .innerText(),
  ).toContain('get-env');
  expect(await mayCall('get-env')).toBe(true);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('team/change is active.').waitFor();
  await page.getByText('<img src=x onerror=alert(1)>').first().waitFor();
  expect([await mayCall('echo'), await mayCall('get-env')]).toEqual([true, false]);
});

test('what somebody else changed meanwhile is not overwritten, and a taken name replaces nothing', async () => {
  const definition = { scope_name: 'team/race', group_mappings: ['a'] };
  await ask('/api/servers/groups/import', definition);
  const page = await openAs('alice', '/access/edit/team/race');
  await page.getByLabel('Description').fill('mine');
  await ask('/api/servers/groups/import', { ...definition, description: 'theirs' });
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Not saved: someone else changed it in the meantime').waitFor();
  await page.goto(`${gateway.url}/access/new`);
  await page.getByLabel('Name', { exact: true }).fill('team/race');
  await page.getByRole('button', { name: 'Create the scope' }).click();
  await page.getByText("The scope 'team/race' already exists").first().waitFor();
  expect((await ask('/api/servers/groups/team%2Frace')).body.description).toBe('theirs');
});

test('deleting says who loses what before it is done', async () => {
  await ask('/api/servers/groups/import', {
    ...{ scope_name: 'team/gone', group_mappings: ['leavers'] },
    server_access: [{ server: 'everything', methods: ['tools/call'], tools: ['echo'] }],
  });
  const page = await openAs('alice', '/access/scopes/team/gone');
  await page.getByRole('button', { name: 'Delete' }).click();
  const question = page.getByRole('dialog');
  await question.getByRole('button', { name: 'Who gains and loses what?' }).click();
  await question.getByText('Loses', { exact: true }).first().waitFor();
  await expectAccessible(page);
  await question.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('team/gone was deleted.').waitFor();
});

test('everything that somebody may do is shown with the scopes that give it', async () => {
  const page = await openAs('alice', '/access?tab=check');
  const section = page.getByRole('region', { name: 'What can a person or group do?' });
  await section.getByLabel('User name or application').fill('alice@contoso.example');
  await section.getByRole('button', { name: 'Show' }).click();
  await section.getByText('Administrator of the registry').waitFor();
  await section.getByRole('row', { name: /Every other server/ }).waitFor();
  await section.getByRole('link', { name: 'mcp-registry-admin' }).waitFor();
  await section.getByLabel('Who').selectOption('groups');
  await section.getByLabel('Groups').fill('nobody');
  await section.getByRole('button', { name: 'Show' }).click();
  await section.getByText('None of these groups has a scope').waitFor();
});

test('the pages are for administrators, and a scope of the file is changed in the file', async () => {
  const bob = await openAs('bob', '/access/new');
  await bob.getByText('This page is for administrators').waitFor();
  const page = await openAs('alice', '/access/edit/registry-admins');
  await page.getByText('This scope comes from the scope file').waitFor();
});

test('the form and its effects are accessible in both themes, and fit 1280 and 360 pixels', async () => {
  await ask('/api/servers/groups/import', {
    ...{ scope_name: 'team/look', description: 'To be looked at', group_mappings: ['lookers', groups.users] },
    server_access: [
      { server: 'everything', methods: ['all'], tools: ['echo'], prompts: ['p'], resources: ['file:///*'] },
      { agents: { actions: [{ action: 'list_agents', resources: ['all'] }] } },
    ],
    ui_permissions: { list_service: ['everything'] },
  });
  const page = await openAs('alice', '/access/edit/team/look');
  await page.getByLabel('Name', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Remove echo' }).click();
  await page.getByRole('button', { name: 'Who gains and loses what?' }).click();
  await page.getByText('Loses', { exact: true }).first().waitFor();
  const everywhere = async () => {
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [1280, 360]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await expectAccessible(page);
        await expectFits(page);
      }
  };
  await everywhere();
  await page.getByRole('radio', { name: 'As JSON' }).check();
  await everywhere();
});
