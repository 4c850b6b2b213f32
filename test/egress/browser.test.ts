import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAccessible } from '../browser.ts';
import { browserTrial } from '../browser-trial.ts';
import type { TestGateway } from '../harness.ts';
import { mintToken, signIn } from '../sign-in.ts';
import { type SdkExample, startSdkExample } from './sdk-example.ts';

let gateway: TestGateway;
let example: SdkExample;

const { openAs } = browserTrial(
  () => ({}),
  (started) => {
    gateway = started;
  },
  () => [example.issuer],
);
beforeAll(async () => {
  example = await startSdkExample();
});
afterAll(() => example?.close());

const row = (page: Page) => page.getByRole('listitem').filter({ hasText: 'localhost' });

/** A call of a tool of the server, as a program makes it. */
async function greet(name: string): Promise<string> {
  const session = await signIn(gateway.url, 'alice@contoso.example');
  const { token } = await mintToken(gateway.url, session);
  const headers: Record<string, string> = {
    ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...{ accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' },
  };
  const post = (body: object) =>
    fetch(`${gateway.url}/${name}/mcp`, { method: 'POST', headers, body: JSON.stringify(body) });
  const clientInfo = { name: 'test', version: '1' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const begun = await post({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
  await begun.text();
  headers['mcp-session-id'] = begun.headers.get('mcp-session-id') ?? '';
  await (await post({ jsonrpc: '2.0', method: 'notifications/initialized' })).text();
  const call = { name: 'greet', arguments: { name: 'Ann' } };
  return (await post({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: call })).text();
}

test('a server that demands OAuth is registered by its URL, connected to and called, all from the browser', async () => {
  const page = await openAs('alice', '/register');
  await page.getByLabel('Paste the URL of a server').fill(example.url);
  await page.getByRole('button', { name: 'Detect' }).click();
  await page.getByText('each person signs in to it with their own account').waitFor();
  const form = page.getByRole('form', { name: 'Server' });
  expect(await form.getByLabel('Authentication to the server').inputValue()).toBe('own_accounts');
  await form.getByLabel('Name').fill('Example');
  await form.getByLabel('Path').fill('/example');
  await form.getByRole('button', { name: 'Register' }).click();
  await page.waitForURL(`${gateway.url}/servers/example`);
  await page
    .getByText(/Healthy/)
    .first()
    .waitFor();
  expect(await greet('example')).toContain(`${gateway.url}/oauth2/egress/connect?server=%2Fexample`);

  // The address that the call named.
  await page.goto(`${gateway.url}/oauth2/egress/connect?server=%2Fexample`);
  await page.getByRole('heading', { level: 1, name: 'Connections' }).waitFor();
  await row(page).getByText('Not connected').waitFor();
  await expectAccessible(page);
  await row(page).getByRole('button', { name: 'Connect: Example' }).click();
  await page.getByText('You are connected to Example.').waitFor();
  expect(await greet('example')).toContain('Hello, Ann!');

  // Uses are written once a minute, the first within a second; a page that is open does not look for them.
  await expect
    .poll(async () => {
      await page.reload();
      await row(page).getByRole('button', { name: 'Disconnect Example' }).waitFor();
      return row(page).textContent();
    })
    .toMatch(/Last used:.*greet/s);
  await row(page).getByRole('button', { name: 'Disconnect Example' }).click();
  await row(page).getByText('Not connected').waitFor();
  expect(await greet('example')).toContain('You are not connected');
});
