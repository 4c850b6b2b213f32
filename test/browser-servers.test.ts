import { gzipSync } from 'node:zlib';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { expectAccessible, expectFits, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';
import { askAsAdmin } from './sign-in.ts';

let gateway: TestGateway;

const { openAs } = browserTrial(
  () => ({}),
  async (started) => {
    gateway = started;
  },
  () => [],
  { signsInOnce: true },
);

/** Switches a server off and on again; begins in the middle where it is off already. */
async function switchOffAndOn(page: Page, control: Locator): Promise<void> {
  await control.waitFor();
  for (const isOn of [false, true]) {
    if ((await control.getAttribute('aria-checked')) === String(isOn)) continue;
    await control.click();
    await page
      .getByText(`is now ${isOn ? 'enabled' : 'disabled'}`)
      .first()
      .waitFor();
    await control.and(page.locator(`[aria-checked="${isOn}"]`)).waitFor();
  }
}

const textToCopy = (page: Page) => page.getByRole('region', { name: 'Text to copy' }).textContent();

async function openConnect(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByRole('dialog').waitFor();
}

describe('connecting', () => {
  test('a program is set up with a fresh token that works, and the connection is tested, by keyboard alone', async () => {
    const page = await openAs('alice', '/servers/currenttime?tab=tools');
    await tabTo(page, page.getByRole('button', { name: 'Connect', exact: true }));
    await page.keyboard.press('Enter');
    await tabTo(page, page.getByRole('radio', { name: 'VS Code' }));
    for (let press = 0; press < 6; press++) await page.keyboard.press('ArrowRight');
    await page.getByRole('region', { name: 'Configuration for Roo Code' }).waitFor();
    expect(await textToCopy(page)).not.toContain('headers');
    await tabTo(page, page.getByRole('radio', { name: 'Sign in from the client' }));
    await page.keyboard.press('ArrowRight');
    expect(await textToCopy(page)).toContain('MCP_GATEWAY_TOKEN');
    await tabTo(page, page.getByRole('button', { name: 'Insert a new token' }));
    await page.keyboard.press('Enter');
    await page.getByText('contains a new token').waitFor();
    const { mcpServers } = JSON.parse((await textToCopy(page)) ?? '');
    const { url, headers } = mcpServers.currenttime;
    expect(url).toBe(`${gateway.url}/currenttime/mcp`);
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-11-25',
          capabilities: {},
          clientInfo: { name: 'test', version: '1' },
        },
      }),
    });
    expect(answer.status).toBe(200);
    await answer.body?.cancel();
    await tabTo(page, page.getByRole('button', { name: 'Test this connection' }));
    await page.keyboard.press('Enter');
    await page.getByText(/^Connected in \d+ ms: .* you can call\.$/).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(headers.Authorization);
  });

  test('VS Code and Cursor have a link, which holds no token', async () => {
    const page = await openAs('alice', '/servers/currenttime?tab=tools');
    await openConnect(page);
    await page.getByRole('radio', { name: 'Use a token' }).check();
    await page.getByRole('button', { name: 'Insert a new token' }).click();
    await page.getByText('contains a new token').waitFor();
    const token = /Bearer ([\w.-]+)/.exec((await textToCopy(page)) ?? '')?.[1] ?? '';
    expect(token.length).toBeGreaterThan(100);
    for (const [client, scheme] of [
      ['VS Code', 'vscode:'],
      ['Cursor', 'cursor:'],
    ] as const) {
      await page.getByRole('radio', { name: client }).check();
      const link = (await page.getByRole('link', { name: `Add to ${client}` }).getAttribute('href')) ?? '';
      expect(link.startsWith(scheme)).toBe(true);
      expect(
        `${decodeURIComponent(link)} ${atob(new URL(link).searchParams.get('config') ?? '')}`,
      ).not.toContain(token);
    }
  });

  test('the test says why a server that is switched off cannot be reached', async () => {
    const ask = await askAsAdmin(gateway);
    await ask('/api/servers/everything/toggle', { enabled: true });
    const page = await openAs('alice', '/servers/everything?tab=tools');
    const control = page.getByRole('switch');
    await control.click();
    await page.getByText(/is now disabled/).waitFor();
    await openConnect(page);
    await page.getByRole('button', { name: 'Test this connection' }).click();
    await page
      .getByRole('dialog')
      .getByRole('alert')
      .getByText(/switched off|disabled/)
      .waitFor();
    await page.keyboard.press('Escape');
    await control.click();
    await page.getByText(/is now enabled/).waitFor();
  });

  test('the token that a page tests with ends with the page', async () => {
    const page = await openAs('alice', '/servers/currenttime?tab=tools');
    const made = page.waitForResponse('**/api/tokens/generate');
    await openConnect(page);
    await page.getByRole('button', { name: 'Test this connection' }).click();
    const { tokens } = await (await made).json();
    await page.getByText(/^Connected in/).waitFor();
    await page.goto(`${gateway.url}/tokens`);
    await page.getByRole('heading', { name: 'Tokens' }).waitFor();
    await expect
      .poll(async () => {
        const headers = { authorization: `Bearer ${tokens.access_token}` };
        return (await fetch(`${gateway.url}/api/auth/me`, { headers })).status;
      })
      .toBe(401);
  });
});

describe('the page of a server', () => {
  test('a tool is found, filled in and run through the gateway by keyboard alone', async () => {
    const page = await openAs('alice', '/servers');
    await tabTo(page, page.getByRole('main').getByRole('link', { name: 'Current Time' }));
    await page.keyboard.press('Enter');
    await page.waitForURL(`${gateway.url}/servers/currenttime`);
    await page.getByRole('heading', { level: 1, name: 'Current Time' }).waitFor();
    await tabTo(page, page.getByRole('main').getByRole('link', { name: /^Tools/ }));
    await page.keyboard.press('Enter');
    const tool = page.getByText('current_time_by_timezone').first();
    await tabTo(page, page.locator('summary').filter({ has: tool }));
    await page.keyboard.press('Enter');
    await tabTo(page, page.getByRole('button', { name: 'Try it: current_time_by_timezone' }));
    await page.keyboard.press('Enter');
    const form = page.getByRole('form', { name: 'Try current_time_by_timezone' });
    const field = form.getByLabel('tz_name');
    await field.waitFor();
    expect(await field.inputValue()).toBe('UTC');
    await tabTo(page, field);
    await page.keyboard.press('Control+a');
    await page.keyboard.type('Asia/Tokyo');
    await page.keyboard.press('Enter');
    const answer = page.getByRole('region', { name: 'Answer of current_time_by_timezone' });
    await answer
      .getByText(/Tokyo|\+09:00|JST/)
      .first()
      .waitFor();
    await answer.getByText(/^Answered after \d+ ms\.$/).waitFor();
  });

  test('a value that does not fit is told at its field, and nothing is sent', async () => {
    const page = await openAs('alice', '/servers/currenttime?tab=tools');
    const calls: string[] = [];
    page.on('request', (request) => calls.push(new URL(request.url()).pathname));
    await page.getByText('countdown', { exact: true }).click();
    await page.getByRole('button', { name: 'Try it: countdown' }).click();
    const form = page.getByRole('form', { name: 'Try countdown' });
    await form.getByLabel('count').fill('99');
    await form.getByRole('button', { name: 'Run' }).click();
    await form.getByText('This must be 20 at most.').waitFor();
    expect(await form.getByLabel('count').getAttribute('aria-invalid')).toBe('true');
    expect(calls).not.toContain('/currenttime/mcp');
    await form.getByLabel('count').fill('2');
    await form.getByRole('button', { name: 'Run' }).click();
    await page.getByRole('region', { name: 'Answer of countdown' }).waitFor();
    expect(calls).toContain('/currenttime/mcp');
  });

  test('prompts are run and resources read through the gateway', async () => {
    const page = await openAs('alice', '/servers/everything?tab=prompts');
    const prompts = page.getByRole('region', { name: 'Prompts', exact: true });
    await prompts.waitFor();
    expect(await prompts.getByRole('listitem').count()).toBeGreaterThan(0);
    await page.getByRole('region', { name: 'Resource templates' }).waitFor();
    await prompts.locator('summary').filter({ hasText: 'simple-prompt' }).click();
    await prompts.getByRole('button', { name: 'Get the prompt: simple-prompt' }).click();
    await prompts.getByText(/^Answered after/).waitFor();
    const resources = page.getByRole('region', { name: 'Resources', exact: true });
    await resources.locator('summary').first().click();
    await resources.getByRole('button', { name: /^Read/ }).first().click();
    await resources.getByText(/^Answered after/).waitFor();
  });

  test('its history shows that it was switched off and on', async () => {
    const page = await openAs('alice', '/servers/everything?tab=health');
    await switchOffAndOn(page, page.getByRole('switch'));
    const changes = page.getByRole('list', { name: 'Changes of health' });
    await changes.getByText('Disabled').first().waitFor();
    await changes.getByText('Healthy').first().waitFor();
    await page.getByRole('img', { name: /healthy [\d.]+% of the monitored time/ }).waitFor();
  });

  test('no click on a switch is lost: what was asked last holds, and no older answer is shown', async () => {
    const page = await openAs('alice', '/servers/everything');
    const control = page.getByRole('switch');
    const is = (on: boolean) => control.and(page.locator(`[aria-checked="${on}"]`)).waitFor();
    await is(true);
    const release = Promise.withResolvers<void>();
    const asked: string[] = [];
    await page.route('**/api/servers/everything/toggle', async (route) => {
      asked.push(route.request().postData() ?? '');
      await release.promise;
      await route.continue();
    });
    // Seen by the server before the switch, told to the page after the click.
    const stale = page.waitForResponse((answer) =>
      new URL(answer.url()).pathname.endsWith('/servers/everything'),
    );
    await control.click();
    await is(false);
    await page.evaluate(`window.dispatchEvent(new Event('visibilitychange'))`);
    await stale;
    await is(false);
    await control.click();
    await is(true);
    release.resolve();
    for (const word of ['disabled', 'enabled'])
      await page.getByRole('status').getByText(`is now ${word}.`).first().waitFor();
    await is(true);
    expect(asked.map((body) => JSON.parse(body).enabled)).toEqual([false, true]);
  });

  test('who may not see a server is told that there is none', async () => {
    const page = await openAs('alice', '/servers/nowhere');
    await page.getByRole('alert').getByText("'nowhere' does not exist").waitFor();
  });

  test('a plain user has neither switch nor removal', async () => {
    const page = await openAs('bob', '/servers/currenttime');
    await page.getByRole('button', { name: 'Connect', exact: true }).waitFor();
    expect(await page.getByRole('switch').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Remove' }).count()).toBe(0);
  });
});

/** Opens the catalogue as it would be with 1,000 servers, made of the one that there is. */
async function openThousand(): Promise<Page> {
  const page = await openAs('alice', '/tokens');
  await page.route('**/api/servers?*', async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    const healths = ['healthy', 'unhealthy', 'auth-failing'];
    const servers = Array.from({ length: 1000 }, (_, at) => ({
      ...body.servers[0],
      ...{ id: `s-${at}`, path: `/team-${at % 7}/server-${at}`, server_name: `Server ${at}` },
      ...{ health_status: healths[at % 3], tags: [`team-${at % 7}`], registered_by: `owner-${at % 5}` },
    }));
    await route.fulfill({ json: { ...body, servers, total_count: 1000 } });
  });
  await page.getByRole('link', { name: 'Servers', exact: true }).click();
  await page.getByText('1,000 servers', { exact: true }).waitFor();
  return page;
}

test('a thousand servers are narrowed by health, tag, owner and words, and the URL keeps that', async () => {
  const page = await openThousand();
  await page.getByLabel('Health', { exact: true }).selectOption('unhealthy');
  await page.getByText('333 of 1,000 servers').waitFor();
  await page.getByLabel('Owner', { exact: true }).selectOption('owner-1');
  await page.getByText('67 of 1,000 servers').waitFor();
  await page.getByLabel('Tag', { exact: true }).selectOption('team-1');
  await page.getByText('10 of 1,000 servers').waitFor();
  await page.getByRole('searchbox').fill('server 1');
  await page.waitForURL(/q=server/);
  const url = new URL(page.url());
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    ...{ health: 'unhealthy', owner: 'owner-1', tag: 'team-1' },
  });
  await page.reload();
  await page.getByText(/^\d+ of 1,000 servers$/).waitFor();
  expect(await page.getByLabel('Owner', { exact: true }).inputValue()).toBe('owner-1');
  await expectAccessible(page);
});

test('the servers can be shown as cards by keyboard, and the choice stays', async () => {
  const page = await openThousand();
  const list = page.getByRole('region', { name: 'Servers' });
  await tabTo(page, page.getByRole('radio', { name: 'As a table' }));
  await page.keyboard.press('ArrowRight');
  await page.waitForURL(/view=cards/);
  await list.getByRole('link', { name: 'Server 0', exact: true }).waitFor();
  // Only what is near the screen is drawn; the end of the list is reached by scrolling.
  // A row of cards costs as much as ten of a table, each time that something is typed.
  expect(await list.getByRole('heading').count()).toBeLessThan(30);
  await page.keyboard.press('Control+End');
  await page.evaluate('scrollTo(0, document.body.scrollHeight)');
  await list.getByRole('link', { name: 'Server 999', exact: true }).waitFor();
  await page.evaluate('scrollTo(0, 0)');
  await page.getByRole('searchbox').fill('server 77 #team-0');
  await page.getByText('3 of 1,000 servers').waitFor();
  const card = list.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'Server 77' }) });
  await card.getByRole('switch').first().waitFor();
  // Another page and back without the choice in the URL: it is kept on the device.
  await page.getByRole('link', { name: 'Tokens', exact: true }).click();
  await page.getByRole('link', { name: 'Servers', exact: true }).click();
  await page.getByRole('radio', { name: 'As cards' }).and(page.locator(':checked')).waitFor();
  // And the URL goes before that.
  await page.goto(`${gateway.url}/servers?view=table`);
  await page.getByRole('radio', { name: 'As a table' }).and(page.locator(':checked')).waitFor();
});

test('of ten thousand tools only those near the screen are drawn, and keys and screen readers reach all', async () => {
  const page = await openAs('alice', '/tokens');
  await page.route('**/api/servers/currenttime/tools', async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    const tools = Array.from({ length: 10_000 }, (_, at) => ({
      ...body.tools[0],
      ...{ name: `tool-${at}`, description: `Does what number ${at} does` },
    }));
    await route.fulfill({ json: { ...body, tools } });
  });
  await page.goto(`${gateway.url}/servers/currenttime?tab=tools`);
  await page.getByText('10,000 tools', { exact: true }).waitFor();
  const list = page.getByRole('list', { name: 'Tools', exact: true });
  const entry = (name: string) =>
    list.getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) });
  expect(await list.getByRole('listitem').count()).toBeLessThan(120);
  await tabTo(page, entry('tool-0').locator('summary'));
  await page.keyboard.press('ArrowDown');
  expect(await entry('tool-1').locator('summary:focus').count()).toBe(1);
  await page.keyboard.press('End');
  await entry('tool-9999').locator('summary:focus').waitFor();
  const last = entry('tool-9999');
  expect([await last.getAttribute('aria-posinset'), await last.getAttribute('aria-setsize')]).toEqual([
    '10000',
    '10000',
  ]);
  expect(await list.getByRole('listitem').count()).toBeLessThan(150);
  await page.keyboard.press('Enter');
  await last.getByRole('paragraph').getByText('Does what number 9999 does').waitFor();
  // What is open stays, wherever the page is scrolled to.
  await page.keyboard.press('Home');
  await entry('tool-0').locator('summary:focus').waitFor();
  expect(await last.locator('details[open]').count()).toBe(1);
  await page.getByRole('searchbox', { name: 'Search tools' }).fill('number 77');
  const fit = Array.from({ length: 10_000 }, (_, at) => String(at)).filter((one) =>
    one.includes('77'),
  ).length;
  await page.getByText(`${fit} tools`, { exact: true }).waitFor();
  await expectAccessible(page);
});

test('a server that was switched off, and a favourite that was removed, come back by Undo', async () => {
  const page = await openAs('alice', '/servers');
  const row = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'Current Time' }) });
  const toggle = row.getByRole('switch');
  await toggle.click();
  await page.getByRole('status').getByText('Current Time is now disabled.').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('status').getByText('Current Time is now enabled.').waitFor();
  expect(await toggle.getAttribute('aria-checked')).toBe('true');
  // One announcement a thing: an older one would undo what is no longer so.
  expect(await page.getByRole('button', { name: 'Undo' }).count()).toBe(1);
  await row.getByRole('button', { name: /^Add Current Time to favourites/ }).click();
  const remove = row.getByRole('button', { name: /^Remove Current Time from favourites/ });
  await remove.click();
  const gone = page.locator('div').filter({ hasText: /^Current Time is no favourite any more\./ });
  await gone.getByRole('button', { name: 'Undo' }).last().click();
  await remove.waitFor();
});

test('what was just typed does not call somebody back who already follows a link', async () => {
  const page = await openAs('alice', '/servers?view=cards');
  await page.clock.install();
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  // The script of the server's page, which makes the way there long.
  await page.route(/\/assets\/server-[^/]+\.js$/, async (route) => {
    await released;
    await route.continue();
  });
  await page.getByRole('searchbox').fill('current');
  await page.getByRole('link', { name: 'Current Time' }).click();
  await page.clock.runFor(1000);
  release();
  await page.getByRole('heading', { level: 1, name: 'Current Time' }).waitFor();
});

test('a card switches its server and leads to its page', async () => {
  const page = await openAs('alice', '/servers?view=cards');
  const card = page.getByRole('listitem').filter({ hasText: '/everything' });
  await switchOffAndOn(page, card.getByRole('switch'));
  await card.getByRole('link').first().click();
  await page.waitForURL(`${gateway.url}/servers/everything`);
});

test('the catalogue needs no more than 200 KB of compressed script', async () => {
  const page = await openAs('alice');
  const scripts: Promise<Buffer>[] = [];
  page.on('response', (response) => {
    if (new URL(response.url()).pathname.endsWith('.js')) scripts.push(response.body());
  });
  await page.reload();
  await page.getByText('/currenttime', { exact: true }).waitFor();
  await page.waitForLoadState('networkidle');
  const sizes = (await Promise.all(scripts)).map((body) => gzipSync(body).length);
  expect(sizes.length).toBeGreaterThan(1);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(200_000);
});

/** The views of servers, by who sees them and how to get there. */
const views: [name: string, who: string, path: string, enter: (page: Page) => Promise<void>][] = [
  ['servers as cards', 'alice', '/servers?view=cards', async () => {}],
  [
    'connecting',
    'alice',
    '/servers/currenttime?tab=tools',
    async (page) => {
      await openConnect(page);
      await page.getByRole('button', { name: 'Test this connection' }).click();
      await page.getByText(/^Connected in/).waitFor();
    },
  ],
  [
    'a server with a tool tried out',
    'alice',
    '/servers/currenttime?tab=tools',
    async (page) => {
      await page.getByText('current_time_by_timezone').first().click();
      await page.getByRole('button', { name: 'Try it: current_time_by_timezone' }).click();
      await page.getByRole('button', { name: 'Run' }).click();
      await page.getByText(/^Answered after/).waitFor();
    },
  ],
  [
    'a server with its prompts',
    'bob',
    '/servers/currenttime?tab=prompts',
    async (page) => {
      await page.getByRole('region', { name: 'Resource templates' }).waitFor();
    },
  ],
  [
    'removing a server',
    'alice',
    '/servers/everything?tab=settings',
    (page) => page.getByRole('button', { name: 'Remove' }).click(),
  ],
  [
    'a server that is not there',
    'alice',
    '/servers/nowhere',
    (page) => page.getByText('does not exist').waitFor(),
  ],
];

// In turns: that every page is right in both themes is held by browser-pages.test.ts.
describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  test.each(views.filter((_, index) => (index % 2 === 0) === (colorScheme === 'light')))(
    '%s is accessible and fits 1280 and 360 pixels',
    async (_name, who, path, enter) => {
      const page = await openAs(who, path, { colorScheme });
      await page.waitForLoadState('networkidle');
      await enter(page);
      await expectAccessible(page);
      await expectFits(page);
      await page.setViewportSize({ width: 360, height: 740 });
      await expectFits(page);
      if (colorScheme === 'light') await expectAccessible(page);
    },
  );
});
