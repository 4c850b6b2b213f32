import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { expectAccessible } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import { askAsAdmin } from './sign-in.ts';

let request: Awaited<ReturnType<typeof askAsAdmin>>;

const { openAs } = browserTrial(
  () => ({}),
  async (gateway) => {
    request = await askAsAdmin(gateway);
  },
  () => [],
  { signsInOnce: true },
);

async function ask(path: string, body?: object, method?: string): Promise<Record<string, unknown>> {
  const answer = await request(path, body, method);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  return JSON.parse(text);
}

/** Holds back every request of a page with that method to a path that matches, until it is let go. */
async function holdBack(page: Page, method: string, matches: RegExp) {
  const [asked, free] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await page.route(
    (url) => matches.test(url.pathname),
    async (route) => {
      if (route.request().method() !== method) return route.fallback();
      asked.resolve();
      await free.promise;
      return route.continue();
    },
  );
  return { isAsked: asked.promise, letGo: free.resolve };
}

const changed = 'Someone else changed this in the meantime';
const refused = 'Not saved: someone else changed it in the meantime';

test('what is entered between the answer to a save and the next reading is kept, and saved next', async () => {
  await ask('/api/servers/currenttime/egress-auth', { egress_auth_mode: 'none' });
  const page = await openAs('alice', '/servers/currenttime?tab=settings');
  const form = page.getByRole('region', { name: 'Credential for the server' });
  await form.getByRole('radio', { name: /^A token that each person enters/ }).press('Space');
  const header = form.getByLabel('Header', { exact: true });
  const days = form.getByLabel('Kept for at most (days)');
  await header.fill('X-First');
  const save = await holdBack(page, 'POST', /\/egress-auth$/);
  await form.getByRole('button', { name: 'Save' }).press('Enter');
  await save.isAsked;
  await header.fill('X-Second');
  const reading = await holdBack(page, 'GET', /^\/api\/servers\/currenttime(\/egress-auth)?$/);
  const answered = page.waitForResponse((answer) => answer.request().method() === 'POST');
  save.letGo();
  await answered;
  await reading.isAsked;
  await days.fill('9');
  await form.getByLabel('Who reads its tools').selectOption('person');
  reading.letGo();
  // The save has ended once its button works again.
  await form.locator('button[aria-disabled]').waitFor({ state: 'detached' });
  expect([await header.inputValue(), await days.inputValue()]).toEqual(['X-Second', '9']);
  expect(await form.getByLabel('Who reads its tools').inputValue()).toBe('person');
  expect(await page.getByText(changed).count()).toBe(0);
  expect(await ask('/api/servers/currenttime/egress-auth')).toMatchObject({ header_name: 'X-First' });
  await form.getByRole('button', { name: 'Save' }).press('Enter');
  await form.getByText('No one is connected for its lists yet').waitFor();
  expect(await ask('/api/servers/currenttime/egress-auth')).toMatchObject({
    ...{ header_name: 'X-Second', max_days: 9, discovery: 'person' },
  });
});

interface Form {
  readonly name: string;
  readonly path: string;
  readonly prepare: () => Promise<unknown>;
  /** Has somebody else store that text in both fields. */
  readonly saveElsewhere: (text: string) => Promise<unknown>;
  /** The labels of two fields: one is changed here too. */
  readonly fields: readonly [contested: string, other: string];
  /** Leads to the button that saves, and back to the fields. */
  readonly toSave?: (page: Page) => Promise<unknown>;
  readonly back?: (page: Page) => Promise<unknown>;
  /** What is stored of both. */
  readonly stored: () => Promise<readonly [contested: unknown, other: unknown]>;
}

const scopeOf = (description: string, server: string) => ({
  ...{ scope_name: 'team/drafted', description, group_mappings: ['a'] },
  server_access: [{ server, methods: ['all'], tools: ['all'] }],
});
const virtualOf = (text: string) => ({
  ...{ server_name: text, description: text, path: '/virtual/drafted' },
  members: [{ backend_server_path: '/currenttime' }],
});

const forms: readonly Form[] = [
  {
    name: 'a server',
    path: '/edit/drafted',
    async prepare() {
      const said = { server_name: 'Drafted', description: 'first', proxy_pass_url: 'http://127.0.0.1:9/' };
      await request('/api/servers/drafted', undefined, 'DELETE');
      await ask('/api/servers', { ...said, path: '/drafted', is_enabled: false });
    },
    saveElsewhere: (text) => ask('/api/servers/drafted', { server_name: text, description: text }, 'PATCH'),
    fields: ['Description', 'Name'],
    async stored() {
      const { description, server_name } = await ask('/api/servers/drafted');
      return [description, server_name];
    },
  },
  {
    name: 'a scope',
    path: '/access/edit/team/drafted',
    prepare: () => ask('/api/servers/groups/import', scopeOf('first', 'first')),
    saveElsewhere: (text) => ask('/api/servers/groups/import', scopeOf(text, text)),
    fields: ['Description', 'Server'],
    async stored() {
      const scope = await ask('/api/servers/groups/team%2Fdrafted');
      return [scope.description, (scope.server_access as { server: string }[])[0]?.server];
    },
  },
  {
    name: 'a virtual server',
    path: '/virtual-servers/edit/drafted',
    async prepare() {
      await request('/api/virtual-servers/drafted', undefined, 'DELETE');
      await ask('/api/virtual-servers', virtualOf('first'));
    },
    saveElsewhere: (text) => ask('/api/virtual-servers/drafted', virtualOf(text), 'PUT'),
    fields: ['Description', 'Name'],
    toSave: (page) => page.getByRole('button', { name: '4. Check' }).click(),
    back: (page) => page.getByRole('button', { name: '1. Name' }).click(),
    async stored() {
      const { description, server_name } = await ask('/api/virtual-servers/drafted');
      return [description, server_name];
    },
  },
];

test.each(forms)(
  '$name: nothing entered is lost when somebody else saves, and there are two ways on',
  async (form) => {
    await form.prepare();
    const page = await openAs('alice', form.path);
    const contested = page.getByLabel(form.fields[0], { exact: true });
    const other = page.getByLabel(form.fields[1], { exact: true });
    const save = page.getByRole('button', { name: 'Save', exact: true });
    await contested.fill('mine');
    await form.saveElsewhere('theirs');

    // Before the page has heard of it.
    await form.toSave?.(page);
    await save.click();
    const told = page.getByRole('main').getByRole('alert');
    await told.getByText(refused).waitFor();
    await told.getByText('Both of you changed: Description').waitFor();
    await expectAccessible(page);
    expect(await form.stored()).toEqual(['theirs', 'theirs']);
    await form.back?.(page);
    expect([await contested.inputValue(), await other.inputValue()]).toEqual(['mine', 'theirs']);
    await told.getByRole('button', { name: 'Keep my changes' }).click();
    await told.waitFor({ state: 'detached' });
    expect(await contested.inputValue()).toBe('mine');

    // Told without a save once the page looks again; their version is taken.
    await form.saveElsewhere('again');
    await page.evaluate("window.dispatchEvent(new Event('visibilitychange'))");
    await told.getByText(changed).waitFor();
    expect([await contested.inputValue(), await other.inputValue()]).toEqual(['mine', 'again']);
    await told.getByRole('button', { name: 'Take the current version' }).click();
    await told.waitFor({ state: 'detached' });
    expect(await contested.inputValue()).toBe('again');

    // What is entered after that is saved, against the version that is shown.
    await contested.fill('mine after all');
    await form.toSave?.(page);
    await save.click();
    await page.waitForURL((url) => !url.pathname.includes('edit'));
    expect(await form.stored()).toEqual(['mine after all', 'again']);
  },
);
