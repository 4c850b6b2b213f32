import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible, expectFits, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';
import { authorizeUrl, callServer, pkce, register, token } from './oauth-client.ts';

/** Where programs wait for their code, with a page of plain text. */
const waiting = createServer((_, res) => res.end('Back at the program.'));
let callback: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => waiting.listen(0, '127.0.0.1', resolve));
  callback = `http://127.0.0.1:${(waiting.address() as AddressInfo).port}/callback`;
});
afterAll(() => {
  waiting.close();
  waiting.closeAllConnections();
});

/** The pages of the authorization server in a real browser: consent, with its narrower choices, and devices. */
let gateway: TestGateway;
const { open, openAs } = browserTrial(
  () => ({}),
  (started) => {
    gateway = started;
  },
  () => [new URL(callback).origin],
);

/** A program that comes back to a page of plain text; what it asks for is the gateway as a whole unless it says otherwise. */
async function program(resource?: string) {
  const redirect_uri = callback;
  const { client_id = '' } = await register(gateway.url, { redirect_uris: [redirect_uri] });
  const { verifier, challenge } = pkce();
  const asked: Record<string, string> = resource === undefined ? {} : { resource };
  return {
    url: authorizeUrl(gateway.url, { client_id, redirect_uri, code_challenge: challenge, ...asked }).href,
    /** What the program gets once the browser has come back to it. */
    async redeem(page: Page) {
      await page.waitForURL(/\/callback\?/);
      const back = new URL(page.url()).searchParams;
      if (back.has('error')) return { status: 0, body: { error: back.get('error') ?? '' } };
      return token(gateway.url, {
        ...{ grant_type: 'authorization_code', client_id, redirect_uri, code: back.get('code') ?? '' },
        ...{ code_verifier: verifier, ...asked },
      });
    },
  };
}

const initialize = {
  ...{ protocolVersion: '2025-11-25', capabilities: {} },
  clientInfo: { name: 'test', version: '1' },
};
const callAt = async (server: string, bearer: string | undefined): Promise<number> =>
  (await callServer(`${gateway.url}/${server}/mcp`, bearer, 'initialize', initialize)).status;

describe.each([
  ['light', 1280],
  ['dark', 360],
] as const)('in the %s theme, %d pixels wide', (colorScheme, width) => {
  const options = { colorScheme, viewport: { width, height: 800 } };

  test('the pages are accessible and fit: nobody signed in, somebody, and a device', async () => {
    const { url } = await program();
    const page = await open(options);
    await page.goto(url);
    await page.getByRole('heading', { level: 1, name: 'Sign in for a program' }).waitFor();
    await expectAccessible(page);
    await expectFits(page);
    const signedIn = await openAs('alice', '/servers', options);
    await signedIn.goto((await program()).url);
    await signedIn.getByRole('heading', { level: 1, name: 'Allow a program on this computer?' }).waitFor();
    await expectAccessible(signedIn);
    await expectFits(signedIn);
    for (const shown of ['/oauth/device', '/oauth/device?user_code=BBBB-BBBB']) {
      await signedIn.goto(`${gateway.url}${shown}`);
      await signedIn.getByLabel('The code that the device shows').waitFor();
      await expectAccessible(signedIn);
      await expectFits(signedIn);
    }
    await signedIn.getByRole('button', { name: 'Continue' }).click();
    await signedIn.getByRole('alert').getByText('There is no such code').waitFor();
    await expectAccessible(signedIn);
  });
});

test('by keyboard alone: only one server, and only reading; calls elsewhere are refused', async () => {
  const page = await openAs('bob');
  const { url, redeem } = await program();
  await page.goto(url);
  await page.getByText('would reach all of yours').waitFor();
  await tabTo(page, page.getByRole('radio', { name: 'every server that you may use' }));
  await page.keyboard.press('ArrowDown');
  await tabTo(page, page.getByRole('combobox', { name: 'The only server that it reaches' }));
  await page.keyboard.type('currenttime');
  await tabTo(page, page.getByRole('radio', { name: 'look, read and call tools, within what you may do' }));
  await page.keyboard.press('ArrowDown');
  await tabTo(page, page.getByRole('button', { name: 'Allow' }));
  await page.keyboard.press('Enter');
  const { status, body } = await redeem(page);
  expect({ status, scope: body.scope }).toEqual({ status: 200, scope: 'mcp:read' });
  expect(await callAt('currenttime', body.access_token)).toBe(200);
  expect(await callAt('everything', body.access_token)).toBe(401);
  const api = await fetch(`${gateway.url}/api/auth/me`, {
    headers: { authorization: `Bearer ${body.access_token}` },
  });
  expect(api.status).toBe(401);
  await page.goto(`${gateway.url}/clients`);
  const connected = page.getByRole('list', { name: 'Connected clients' }).getByRole('listitem').first();
  await connected.getByText(`Can only read on ${gateway.url}, there only /currenttime`).waitFor();
  await connected.getByText('Allowed on the page that asks').waitFor();
});

test('chosen before the sign-in, the one server is asked for after it', async () => {
  const page = await open();
  const { url, redeem } = await program();
  await page.goto(url);
  await page.getByRole('radio', { name: 'only one server, which you choose once you are signed in' }).check();
  await page.getByRole('button', { name: 'Allow and sign in with Microsoft Entra ID' }).click();
  await page.getByRole('button', { name: 'bob@' }).click();
  await page.getByRole('combobox', { name: 'The only server that it reaches' }).selectOption('/currenttime');
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
  const { body } = await redeem(page);
  expect(await callAt('currenttime', body.access_token)).toBe(200);
  expect(await callAt('everything', body.access_token)).toBe(401);
});

test('signed in, one click; and a person who cancels', async () => {
  const page = await openAs('bob');
  const first = await program(`${gateway.url}/currenttime/mcp`);
  await page.goto(first.url);
  await page.getByRole('button', { name: 'Allow' }).click();
  const { body } = await first.redeem(page);
  expect(await callAt('currenttime', body.access_token)).toBe(200);
  const second = await program(`${gateway.url}/currenttime/mcp`);
  await page.goto(second.url);
  await page.getByRole('button', { name: 'Cancel' }).click();
  expect(await second.redeem(page)).toMatchObject({ body: { error: 'access_denied' } });
});

test('a device is connected by its code', async () => {
  const asked = await fetch(`${gateway.url}/oauth/device/authorize`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: 'mcp-gateway-cli', resource: `${gateway.url}/currenttime/mcp` }),
  });
  const { device_code, verification_uri_complete } = (await asked.json()) as Record<string, string>;
  const page = await openAs('bob');
  await page.goto(verification_uri_complete ?? '');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('If someone sent you the code, cancel').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.getByRole('heading', { name: 'The device is connected' }).waitFor();
  const { body } = await token(gateway.url, {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    ...{ client_id: 'mcp-gateway-cli', device_code: device_code ?? '' },
  });
  expect(await callAt('currenttime', body.access_token)).toBe(200);
});

test('a scope for certain programs is written in its form, and a call is explained with the program', async () => {
  const page = await openAs('alice', '/access');
  await page.getByRole('link', { name: 'Create a scope' }).click();
  await page.getByLabel('Name', { exact: true }).fill('team/echo-by-cli');
  await page.getByLabel('Only from these programs').fill('mcp-gateway-cli');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Remove mcp-gateway' }).waitFor();
  await expectAccessible(page);
  await page.goto(`${gateway.url}/access?tab=check`);
  await page.getByLabel('Program (optional)').fill('mcp-gateway-cli');
  await page.getByLabel('Server', { exact: true }).fill('currenttime');
  const question = page.waitForRequest((request) => request.url().endsWith('/api/access/explain'));
  await page.getByRole('button', { name: 'Explain' }).click();
  expect(JSON.parse((await question).postData() ?? '{}')).toMatchObject({ client: 'mcp-gateway-cli' });
});
