import { expect, test } from 'vitest';
import { expectAccessible, expectFits, tabTo } from './browser.ts';
import { browserTrial } from './browser-trial.ts';
import type { TestGateway } from './harness.ts';

let gateway: TestGateway;
const hostile = '<img src=x onerror=document.title="owned"> [x](javascript:alert(1)) "\'\u00e9';

const { openAs } = browserTrial(
  () => ({ environment: { ACCESS_REQUESTS: 'catalog' } }),
  (started) => {
    gateway = started;
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
