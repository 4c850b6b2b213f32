import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { expectAccessible, expectFits, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';
import { agentToken } from './sign-in.ts';

let gateway: TestGateway;
let hostile: Server;
let hostileUrl: string;
let token: string;
const markup = `<img src="https://evil.example/x" onerror="document.title='owned'"><script>document.title='owned'</script>[a](javascript:alert(1))`;

/** What an MCP server answers that puts markup wherever text goes. */
const answers: Record<string, unknown> = {
  initialize: {
    protocolVersion: '2025-06-18',
    capabilities: { tools: {}, prompts: {}, resources: {} },
    serverInfo: { name: markup, version: markup },
  },
  'tools/list': {
    tools: [
      {
        name: 'odd',
        title: markup,
        description: markup,
        inputSchema: {
          type: 'object',
          title: markup,
          properties: { [markup]: { type: 'string', title: markup, description: markup, default: markup } },
        },
      },
    ],
  },
  'tools/call': {
    content: [
      { type: 'text', text: markup },
      {
        type: 'image',
        mimeType: 'image/svg+xml',
        data: Buffer.from(`<svg>${markup}</svg>`).toString('base64'),
      },
      { type: 'resource_link', uri: 'javascript:alert(1)', name: markup },
    ],
  },
  'prompts/list': { prompts: [{ name: markup, description: markup, arguments: [{ name: markup }] }] },
  'resources/list': { resources: [{ name: markup, description: markup, uri: 'javascript:alert(1)' }] },
  'resources/templates/list': { resourceTemplates: [{ name: markup, uriTemplate: `x:${markup}` }] },
};

function startHostile(): Promise<Server> {
  const server = createServer(async (req, res) => {
    let text = '';
    for await (const chunk of req) text += chunk;
    const { id, method } = JSON.parse(text || '{}') as { id?: number; method?: string };
    if (id === undefined) return res.writeHead(req.method === 'POST' ? 202 : 405).end();
    const result = answers[method ?? ''];
    const said = result ? { result } : { error: { code: -32601, message: markup } };
    res.writeHead(200, { 'content-type': 'application/json' });
    return res.end(JSON.stringify({ jsonrpc: '2.0', id, ...said }));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function register(body: object): Promise<void> {
  const answer = await fetch(`${gateway.url}/api/servers`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status, await answer.text()).toBe(201);
}

const { openAs } = browserTrial(
  () => ({}),
  async (started) => {
    gateway = started;
    hostile = await startHostile();
    hostileUrl = `http://127.0.0.1:${(hostile.address() as AddressInfo).port}/mcp`;
    token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
    await register({
      ...{ server_name: markup.slice(0, 200), path: '/odd', proxy_pass_url: hostileUrl, is_enabled: true },
      ...{ description: markup, tags: ['<b>tag</b>'], license: '<i>license</i>', metadata: { icon: markup } },
    });
  },
  () => [],
  { signsInOnce: true },
);

afterAll(() => {
  hostile?.close();
});

const form = (page: Page) => page.getByRole('form', { name: 'Server' });

test('a server is registered from its URL by keyboard alone', async () => {
  const page = await openAs('alice', '/servers');
  await tabTo(page, page.getByRole('link', { name: 'Register a server' }));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByLabel('Paste the URL of a server'));
  const list = await fetch(`${gateway.url}/api/servers`, { headers: { authorization: `Bearer ${token}` } });
  const { servers } = (await list.json()) as { servers: { path: string; proxy_pass_url: string }[] };
  const known = servers.find(({ path }) => path === '/currenttime')?.proxy_pass_url ?? '';
  await page.keyboard.type(known);
  await page.keyboard.press('Enter');
  await page.getByText(/^Found by Streamable HTTP, MCP .*: 2 tools/).waitFor();
  await page.getByText(/It is registered already: .* at \/currenttime\./).waitFor();
  expect(await form(page).getByLabel('Path').inputValue()).toBe('/currenttime-2');
  await tabTo(page, form(page).getByLabel('Name'));
  await page.keyboard.press('Control+a');
  await page.keyboard.type('Second clock');
  await tabTo(page, form(page).getByRole('button', { name: 'Register' }));
  await page.keyboard.press('Enter');
  await page.waitForURL(`${gateway.url}/servers/currenttime-2`);
  await page.getByRole('heading', { level: 1, name: 'Second clock' }).waitFor();
  await page
    .getByRole('region', { name: 'About' })
    .getByText(/Healthy/)
    .waitFor();
});

test('faults are told at their fields before anything is sent', async () => {
  const page = await openAs('alice', '/register');
  await form(page).getByLabel('Path').fill('/api/x');
  await form(page).getByRole('button', { name: 'Register' }).click();
  await form(page).getByText('belongs to the gateway itself').waitFor();
  expect(await form(page).getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
  await expect.poll(() => form(page).getByLabel('Name').and(page.locator(':focus')).count()).toBe(1);
});

test('a file of a client registers what it can, and fills in the form; the credential is write-only', async () => {
  const page = await openAs('alice', '/register');
  await page.getByText('Import a file').click();
  const entry = { url: hostileUrl, headers: { Authorization: 'Bearer s3cret-of-the-ide' } };
  const file = { mcpServers: { imported: entry, [markup]: { url: hostileUrl }, local: { command: 'npx' } } };
  // With a comment, as VS Code writes them.
  const buffer = Buffer.from(`// ours\n${JSON.stringify(file)}`);
  await page
    .getByLabel('Choose a file')
    .setInputFiles({ name: 'mcp.json', mimeType: 'application/json', buffer });
  await page.getByText('3 found.').waitFor();
  await page.getByText('It runs as a program on the machine of its user').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Register all 2' }).click();
  await page.getByText('2 of 2 registered.').waitFor({ state: 'attached' });
  for (const path of ['imported', 'img-src-https-evil-example-x-onerror-document-title-owned'])
    await fetch(`${gateway.url}/api/servers/${path}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}` },
    });
  await page.getByLabel('Text of the file').fill(JSON.stringify({ mcpServers: { imported: entry } }));
  await page.getByRole('button', { name: 'Read the file' }).click();
  await page.getByText('The form below is filled in with imported.').waitFor();
  expect(await form(page).getByLabel('Credential').getAttribute('type')).toBe('password');
  await form(page).getByRole('button', { name: 'Register' }).click();
  await page.waitForURL(`${gateway.url}/servers/imported`);
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('link', { name: 'Edit' }).click();
  await form(page).getByText('One is stored and never shown.').waitFor();
  expect(await form(page).getByLabel('Credential').inputValue()).toBe('');
  await form(page).getByLabel('Description').fill('By hand');
  await form(page).getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(`${gateway.url}/servers/imported`);
  await page.getByText('By hand').waitFor();
  const answer = await fetch(`${gateway.url}/api/servers/imported`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(await answer.json()).toMatchObject({ auth_scheme: 'bearer', description: 'By hand' });
  expect(await page.content()).not.toContain('s3cret-of-the-ide');
});

test('who may not register or edit is told which permission is needed', async () => {
  const page = await openAs('bob', '/register');
  await page.getByText('register_service').waitFor();
  await page.goto(`${gateway.url}/edit/currenttime`);
  await page.getByText('modify_service').waitFor();
  expect(await form(page).count()).toBe(0);
});

test('markup from a server is only text, wherever it goes: nothing runs, nothing leaves', async () => {
  const page = await openAs('alice', '/servers/odd?tab=prompts');
  await page.getByRole('region', { name: 'Resource templates' }).waitFor();
  for (const path of ['/', '/servers', '/servers?view=cards', '/servers/odd']) {
    await page.goto(`${gateway.url}${path}`);
    await page.getByText('evil').first().waitFor();
  }
  await page.goto(`${gateway.url}/servers/odd?tab=tools`);
  await page.getByText('odd', { exact: true }).click();
  await page.getByRole('button', { name: 'Try it: odd' }).click();
  await page.getByRole('button', { name: 'Run' }).click();
  await page.getByText(/^Answered after/).waitFor();
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  for (const client of ['Goose', 'curl', 'Cursor']) await page.getByRole('radio', { name: client }).check();
  await page.getByRole('button', { name: 'Test this connection' }).click();
  await page.getByText(/^Connected in/).waitFor();
  expect(await page.locator('img').count()).toBe(0);
  expect(await page.locator('a[href^="javascript:"]').count()).toBe(0);
  expect(await page.title()).not.toBe('owned');
  expect(await page.getByText('evil.example').count()).toBeGreaterThan(5);
});

/** The views of registering, by who sees them and how to get there. */
const views: [name: string, who: string, path: string, enter: (page: Page) => Promise<unknown>][] = [
  [
    'registering',
    'alice',
    '/register',
    async (page) => {
      await page.getByText('Import a file').click();
      await form(page).getByRole('button', { name: 'Register' }).click();
      await form(page).getByText('This is needed.').first().waitFor();
    },
  ],
  ['editing', 'alice', '/edit/currenttime', (page) => form(page).waitFor()],
  ['no permission', 'bob', '/register', (page) => page.getByText('register_service').waitFor()],
  ['a server full of markup', 'alice', '/servers/odd', (page) => page.getByText('evil').first().waitFor()],
];

// In turns: that every page is right in both themes is held by browser-pages.test.ts.
describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  test.each(views.filter((_, index) => (index % 2 === 0) === (colorScheme === 'light')))(
    '%s is accessible and fits 1280 and 360 pixels',
    async (_name, who, path, enter) => {
      const page = await openAs(who, path, { colorScheme });
      await enter(page);
      await expectAccessible(page);
      await expectFits(page);
      await page.setViewportSize({ width: 360, height: 740 });
      await expectFits(page);
      if (colorScheme === 'light') await expectAccessible(page);
    },
  );
});
