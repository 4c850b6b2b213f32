import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, startGateway, type TestGateway } from './harness.ts';
import { consent, openBrowser, register } from './oauth-client.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.close());

test('the official scenarios for authorization servers pass', async () => {
  const port = await freePort();
  const { client_id = '' } = await register(gateway.url, {
    redirect_uris: [`http://127.0.0.1:${port}/callback`],
  });
  const settings = ['--url', gateway.url, '--client-id', client_id, '--port', String(port)];
  const resource = ['--resource', `${gateway.url}/currenttime/mcp`];
  const child = spawn('npx', ['conformance', 'authorization', ...settings, ...resource]);
  let printed = '';
  const done = new Promise<number | null>((resolve, reject) => {
    let signedIn = false;
    const read = (chunk: Buffer): void => {
      printed += chunk.toString();
      const url = /^(http:\S+\/oauth\/authorize\?\S+)$/m.exec(printed)?.[1];
      if (signedIn || !url || !printed.includes('Callback server started')) return;
      signedIn = true;
      consent(openBrowser(), new URL(url))
        .then((answer) => fetch(answer))
        .catch(reject);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', resolve);
    child.once('error', reject);
  });
  expect(await done, printed).toBe(0);
  expect(printed).toMatch(/Total: \d+ passed, 0 failed/);
});
