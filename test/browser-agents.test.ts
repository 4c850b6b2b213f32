import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { expectAccessible, expectFits, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';
import { agentToken } from './sign-in.ts';

let gateway: TestGateway;
const directory = mkdtempSync(join(tmpdir(), 'browser-agents-'));
const markup = '<img src=x onerror="document.title=1">';

// Bob gets what the group of the setup guide grants, the developer (dave) may list and no more, the operator nothing.
const scopes = readFileSync('examples/scopes.yml', 'utf8')
  .replace(
    '    health_check_service: [currenttime]\n',
    '    health_check_service: [currenttime]\n    list_agents: [/flight-booking]\n    get_agent: [/flight-booking]\n',
  )
  .replace(
    '    register_service: [all]\n    health_check',
    '    list_agents: [all]\n    register_service: [all]\n    health_check',
  );

const { openAs } = browserTrial(
  () => {
    const file = join(directory, 'scopes.yml');
    writeFileSync(file, scopes);
    return { environment: { SCOPES_CONFIG_PATH: file } };
  },
  async (started) => {
    gateway = started;
    const token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
    const made = await fetch(`${gateway.url}/api/agents`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        path: '/team/odd',
        tags: ['odd'],
        card: {
          name: markup,
          description: `Second line:\n${markup}`,
          version: '2',
          protocolVersion: '0.3.0',
          url: 'http://127.0.0.1:9/a-rather-long-address/that/has/to/break/somewhere/on/a/narrow/page',
          provider: { organization: markup, url: 'https://provider.example' },
          capabilities: {},
          defaultInputModes: [],
          defaultOutputModes: [],
          skills: [{ id: 'odd', name: markup, description: markup, tags: [markup], examples: [markup] }],
        },
      }),
    });
    expect(made.status).toBe(201);
  },
  () => [],
  { signsInOnce: true },
);

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

const nameOf = (upn: string): string => upn.split('@')[0] ?? '';
const { accounts } = shippedTenant;
const developer = nameOf(accounts.developer.userPrincipalName);
const operator = nameOf(accounts.operator.userPrincipalName);
const switchOf = (page: Page, path: string) =>
  page.getByRole('listitem').filter({ hasText: path }).getByRole('switch');

test('an administrator finds an agent, opens it and reads its skills and addresses', async () => {
  const page = await openAs('alice', '/servers');
  await page.getByRole('link', { name: 'Agents', exact: true }).click();
  await page.getByText('2 agents', { exact: true }).waitFor();
  await page.getByRole('searchbox', { name: 'Search agents' }).fill('book a flight');
  await page.getByText('1 of 2 agents').waitFor();
  await page.waitForURL(/\/agents\?q=book/);
  await page.getByRole('link', { name: 'Flight Booking' }).click();
  const skills = page.getByRole('region', { name: 'Skills of Flight Booking' });
  await skills.getByText('Lists flights between two airports on a day.').waitFor();
  await page.getByText(`${gateway.url}/api/agents/flight-booking/card`).waitFor();
  await page.waitForURL(/\/agents\/flight-booking$/);
  await page.reload();
  await skills.getByText('Flights from Oslo to Lisbon on Friday').waitFor();
});

test('what a card says is only text', async () => {
  const page = await openAs('alice', '/agents/team/odd');
  const skills = page.getByRole('region', { name: `Skills of ${markup}` });
  await skills.waitFor();
  await skills.getByText(markup).nth(2).waitFor();
  expect(await page.locator('img').count()).toBe(0);
  expect(await page.title()).toBe(`${markup} · MCP Gateway & Registry`);
  await page.getByRole('link', { name: 'Card', exact: true }).click();
  await page
    .getByRole('region', { name: `Card of ${markup}` })
    .getByText('"protocolVersion"')
    .waitFor();
  expect(await page.locator('img').count()).toBe(0);
});

test('an administrator switches an agent off and on with the keyboard alone, and each is announced', async () => {
  const page = await openAs('alice', '/agents');
  const control = switchOf(page, '/flight-booking');
  for (const state of ['disabled', 'enabled']) {
    await tabTo(page, control);
    await page.keyboard.press('Space');
    await page.getByRole('status').getByText(`Flight Booking is now ${state}.`).waitFor();
    await page.reload();
    await control.waitFor();
    expect(await control.getAttribute('aria-checked')).toBe(String(state === 'enabled'));
  }
  await tabTo(page, page.getByRole('link', { name: 'Flight Booking' }));
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Skills of Flight Booking' }).waitFor();
});

test('an agent is registered by its card, changed and removed, by keyboard alone', async () => {
  const page = await openAs('alice', '/agents');
  await tabTo(page, page.getByRole('link', { name: 'Register an agent' }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Start from an example' }));
  await page.keyboard.press('Enter');
  const card = page.getByLabel('Agent card (JSON)');
  const text = (await card.inputValue()).replace('"Flight Booking"', '"Rail Booking"');
  // What is not a card is told at once, and nothing is sent.
  await card.fill('{');
  await page.getByRole('button', { name: 'Register', exact: true }).press('Enter');
  await page
    .getByText(/This is not JSON/)
    .first()
    .waitFor();
  await card.fill(JSON.stringify({ name: 'No card' }));
  await page.getByRole('button', { name: 'Register', exact: true }).press('Enter');
  await page.getByRole('alert').first().waitFor();
  await card.fill(text);
  expect(await page.getByLabel('Path', { exact: true }).inputValue()).toBe('/rail-booking');
  await page.getByRole('button', { name: 'Register', exact: true }).press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Rail Booking' }).waitFor();

  await page.getByRole('link', { name: 'Settings', exact: true }).press('Enter');
  await page.locator('main').getByRole('link', { name: 'Edit' }).press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Edit Rail Booking' }).waitFor();
  expect(await page.getByLabel('Agent card (JSON)').inputValue()).toBe(text);
  await page.getByLabel('Tags').fill('rail, travel');
  await page.getByRole('button', { name: 'Save' }).press('Enter');
  await page.getByText('#rail').first().waitFor();

  await page.getByRole('link', { name: 'Settings', exact: true }).press('Enter');
  await page.getByRole('button', { name: 'Remove' }).press('Enter');
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).press('Enter');
  await page.getByText('Rail Booking was removed.').waitFor();
  await page.getByText('2 agents', { exact: true }).waitFor();
});

test('a switch goes back when the gateway refuses, and says so', async () => {
  const page = await openAs('alice', '/agents');
  await page.route('**/toggle', (route) => route.abort());
  const control = switchOf(page, '/flight-booking');
  await control.click();
  await page
    .getByRole('alert')
    .getByText(/could not be disabled/)
    .waitFor();
  expect(await control.getAttribute('aria-checked')).toBe('true');
});

test('a member of a group like that of the guide sees its agent, and no other, and changes nothing', async () => {
  const page = await openAs('bob', '/agents');
  await page.getByText('1 agent', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Flight Booking' }).click();
  await page.getByRole('region', { name: 'Skills of Flight Booking' }).getByText('Find flights').waitFor();
  expect(await page.getByRole('switch').count()).toBe(0);
});

test('who may list agents but not get their cards is told so', async () => {
  const page = await openAs(developer, '/agents/flight-booking');
  await page.getByText('not its card').waitFor();
  expect(await page.getByText('127.0.0.1').count()).toBe(0);
});

test('who may see no agent has no link to them, and the page says whom to ask', async () => {
  const page = await openAs(operator, '/agents');
  await page.getByText('No agent has been shared with you.').waitFor();
  expect(await page.getByRole('link', { name: 'Agents', exact: true }).count()).toBe(0);
});

test('an error says its cause, and trying again recovers', async () => {
  const page = await openAs('alice', '/servers');
  const said = {
    type: 'about:blank',
    title: 'Not now',
    status: 503,
    code: 'overloaded',
    detail: 'Come back.',
  };
  await page.route('**/api/agents?*', (route) => route.fulfill({ status: 503, json: said }));
  await page.getByRole('link', { name: 'Agents', exact: true }).click();
  const alert = page.getByRole('alert').filter({ hasText: 'Not now' });
  await alert.getByText('Come back.').waitFor();
  await page.unroute('**/api/agents?*');
  await alert.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('2 agents', { exact: true }).waitFor();
});

/** The views of agents, by who sees them and how to get there. */
const views: [name: string, who: string, path: string, ready: string][] = [
  ['agents', 'alice', '/agents', '2 agents'],
  ['an agent with skills', 'alice', '/agents/flight-booking', 'Find flights'],
  ['an agent full of markup', 'alice', '/agents/team/odd', 'Skills'],
  ['the card of an agent', 'alice', '/agents/team/odd?tab=card', 'byte for byte'],
  ['registering an agent', 'alice', '/register-agent', 'Agent card'],
  ['editing an agent', 'alice', '/edit-agent/flight-booking', 'Agent card'],
  ['a search without result', 'alice', '/agents?q=nothing-like-it', 'No agent matches.'],
  ['an agent without its card', developer, '/agents/flight-booking', 'not its card'],
  ['no agent', operator, '/agents', 'No agent has been shared'],
];

test.each(['alice', developer, operator])(
  'what %s sees is accessible and fits 1280 and 360 pixels',
  async (who) => {
    // One session, and themes in turns: every page is in both in browser-pages.test.ts.
    const page = await openAs(who, '/agents');
    for (const [index, [, , path, ready]] of views.filter(([, of]) => of === who).entries()) {
      await page.emulateMedia({ colorScheme: index % 2 === 0 ? 'light' : 'dark', reducedMotion: 'reduce' });
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.goto(`${gateway.url}${path}`);
      await page.getByText(ready).first().waitFor();
      await expectAccessible(page);
      await expectFits(page);
      await page.setViewportSize({ width: 360, height: 740 });
      await expectFits(page);
    }
  },
  60_000,
);
