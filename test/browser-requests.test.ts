import { expect, test } from 'vitest';
import { expectAccessible, expectFits, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';
import { askAsAdmin } from './sign-in.ts';

let gateway: TestGateway;
let ask: Awaited<ReturnType<typeof askAsAdmin>>;
const hostile = '<img src=x onerror=document.title="owned"> [x](javascript:alert(1)) "\'\u00e9';

const { openAs } = browserTrial(
  () => ({ environment: { ACCESS_REQUESTS: 'catalog' } }),
  async (started) => {
    gateway = started;
    ask = await askAsAdmin(gateway);
  },
);

test('somebody without any access asks for a server, is granted one tool for a time, and uses it', async () => {
  const nora = await openAs('nora', '/');
  await nora.getByRole('heading', { name: 'You have no access yet' }).waitFor();
  await nora.getByRole('button', { name: 'Request access to Everything' }).click();
  const asking = nora.getByRole('dialog');
  await asking.getByRole('button', { name: 'Send request' }).click();
  await asking.getByText('Say what you need it for.').waitFor();
  await asking.getByLabel('Reason').fill(hostile);
  await asking.getByRole('button', { name: 'Send request' }).click();
  await nora.getByText('Your request was sent.').waitFor();
  await nora.getByRole('list', { name: 'My requests' }).getByText('Waiting').waitFor();
  await expectAccessible(nora);

  // The whole decision by keyboard alone, from Home.
  const alice = await openAs('alice', '/');
  const matter = alice.getByRole('link', { name: /^nora\S* asks for / });
  await tabTo(alice, matter);
  await alice.keyboard.press('Enter');
  await tabTo(alice, alice.getByRole('button', { name: /^Grant the request of nora/ }));
  await alice.keyboard.press('Enter');
  const granting = alice.getByRole('dialog');
  await granting.getByText(hostile).waitFor();
  await expectAccessible(alice);
  await tabTo(alice, granting.getByRole('checkbox', { name: 'echo', exact: true }));
  await alice.keyboard.press('Space');
  await tabTo(alice, granting.getByLabel('How long'));
  await alice.keyboard.press('Home');
  await granting.getByText(/can call 1 tool \(echo\): 1 hour\./).waitFor();
  await tabTo(alice, granting.getByRole('button', { name: 'Grant' }));
  await alice.keyboard.press('Enter');
  await alice.getByText(/now has access to/).waitFor();
  expect(await alice.title()).not.toContain('owned');

  await nora.getByRole('button', { name: 'Try again' }).click();
  await nora.getByRole('heading', { name: 'Home' }).waitFor();
  await nora.goto(`${gateway.url}/servers/everything?tab=tools`);
  await nora.getByText('echo', { exact: true }).first().waitFor();
  expect(await nora.getByText('get-env', { exact: true }).count()).toBe(0);
  await nora.goto(`${gateway.url}/requests`);
  await nora.getByText('Granted', { exact: true }).waitFor();
  for (const width of [360, 1280]) {
    await nora.setViewportSize({ width, height: 900 });
    await expectFits(nora);
  }
  await expectAccessible(nora);
  expect(await nora.title()).not.toContain('owned');
});

test('a server that looks unknown is asked for, the request withdrawn, and that undone', async () => {
  const bob = await openAs('bob', '/servers/not-for-bob');
  await bob.getByRole('alert').getByRole('button', { name: 'Request access' }).click();
  await bob.getByRole('dialog').getByLabel('Reason').fill('the weekly report');
  await bob.getByRole('button', { name: 'Send request' }).click();
  await bob.getByText('Your request was sent.').waitFor();
  await bob.goto(`${gateway.url}/requests`);
  await bob.getByRole('button', { name: 'Withdraw your request for /not-for-bob' }).click();
  await bob.getByRole('button', { name: 'Undo' }).click();
  await bob.getByText('Waiting').waitFor();

  const alice = await openAs('alice', '/requests?tab=waiting');
  await alice.getByText('No server is registered there.').waitFor();
  await alice.getByRole('button', { name: /^Decline the request of bob/ }).click();
  await alice.getByLabel('Message to the person (optional)').fill('No such server.');
  await alice.getByRole('dialog').getByRole('button', { name: 'Decline' }).click();
  await alice.getByText(/The request of bob\S* was declined/).waitFor();
  await bob.reload();
  await bob.getByText('“No such server.”').waitFor();
});

test('an explained denial leads to the requests that wait for the server', async () => {
  const bob = await openAs('bob', '/requests');
  await bob.getByRole('button', { name: 'Request access to Everything' }).click();
  await bob.getByRole('dialog').getByLabel('Reason').fill('to echo');
  await bob.getByRole('button', { name: 'Send request' }).click();
  await bob.getByText('Your request was sent.').waitFor();
  const name = await bob.evaluate(
    `fetch('/api/auth/me').then((answer) => answer.json()).then(({ username }) => username)`,
  );
  const alice = await openAs(
    'alice',
    `/access?tab=check&who=${encodeURIComponent(String(name))}&server=everything&method=tools/call&item=echo`,
  );
  await alice.getByRole('region', { name: 'Decision' }).getByText('Denied').waitFor();
  await alice.getByRole('link', { name: '1 request for it waits' }).click();
  await alice.getByRole('button', { name: /^Grant the request of bob/ }).waitFor();
});

test('what servers, virtual servers, programs and agents are called from outside is only ever text', async () => {
  const made = await Promise.all([
    ask('/api/servers', {
      ...{ server_name: hostile, path: '/hostile', proxy_pass_url: 'http://127.0.0.1:9/mcp' },
      ...{
        description: `${hostile}\n\n[link](javascript:alert(2)) ![x](http://127.0.0.1:9/x.png)`,
        tags: [hostile.slice(0, 60)],
      },
      is_enabled: true,
    }),
    ask('/api/virtual-servers', {
      ...{ server_name: hostile, path: '/virtual/hostile', description: hostile },
      members: [{ backend_server_path: '/everything' }],
    }),
    ask('/api/oauth-clients', { client_name: hostile, redirect_uris: ['https://client.example/callback'] }),
    ask('/api/agents', {
      path: '/hostile',
      card: {
        ...{ name: hostile, description: hostile, version: hostile, protocolVersion: '0.3.0' },
        ...{ url: 'http://127.0.0.1:9/a2a', capabilities: {}, defaultInputModes: [], defaultOutputModes: [] },
        skills: [{ id: 'x', name: hostile, description: hostile, tags: [hostile], examples: [hostile] }],
      },
    }),
  ]);
  expect(await Promise.all(made.map(async (one) => (one.status < 300 ? 201 : await one.text())))).toEqual([
    ...[201, 201, 201, 201],
  ]);
  await ask('/api/servers/hostile/egress-auth', { egress_auth_mode: 'pat' });
  const page = await openAs('alice', '/');
  for (const path of [
    ...[
      '/',
      '/servers',
      '/servers/hostile',
      '/servers/hostile?tab=settings',
      '/edit/hostile',
      '/virtual-servers',
    ],
    ...['/oauth-clients', '/agents', '/agents/hostile', '/agents/hostile?tab=card', '/edit-agent/hostile'],
    ...['/connections', '/requests', '/audit?matter=all', '/operations'],
  ]) {
    await page.goto(`${gateway.url}${path}`);
    await page.getByRole('heading', { level: 1 }).first().waitFor();
    await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => {});
    expect(await page.locator('main img, main iframe, main script').count(), path).toBe(0);
    expect(await page.locator('a[href^="javascript" i]').count(), path).toBe(0);
    expect(await page.title(), path).not.toBe('owned');
  }
});
