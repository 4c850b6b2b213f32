import { afterAll, beforeEach, expect, test } from 'vitest';
import { adminClientId, shippedTenant, startEmulator } from '../../../entra-emulator/main.ts';
import { openBrowser } from '../../../entra-emulator/testing/browser.ts';
import { signInWithCode } from './device-code.ts';

const emulator = await startEmulator();
afterAll(() => emulator.close());
beforeEach(() => emulator.reset());

/** Signs in with a code; `enters` is what the person does at the page, page by page, in the waiting time before the given poll. */
function signIn(enters: Record<string, string>[], before = 1, clientId = adminClientId) {
  let shown = { address: '', code: '' };
  let polls = 0;
  const promise = signInWithCode(
    {
      ...{ loginBaseUrl: emulator.origin, tenant: 'organizations', fetch: fetch as never },
      show: (address, code) => {
        shown = { address, code };
      },
      async pause(milliseconds) {
        emulator.clock.advance(milliseconds);
        polls += 1;
        if (polls !== before) return;
        const browser = openBrowser();
        for (const enter of enters) await browser.post(shown.address, { user_code: shown.code, ...enter });
      },
    },
    clientId,
    ['User.Read.All'],
  );
  return promise.then((who) => ({ who, polls }));
}

test('it asks until the person has signed in, and says who and where', async () => {
  const { globalAdmin } = shippedTenant.accounts;
  const { who, polls } = await signIn(
    [{ emulator_account: globalAdmin.objectId }, { emulator_consent: 'accept' }],
    3,
  );
  expect(polls).toBe(3);
  expect(who).toMatchObject({
    tenantId: emulator.tenantId,
    objectId: globalAdmin.objectId,
    username: globalAdmin.userPrincipalName,
  });
});

test('who declines, takes too long or uses a client that is none gets the reason', async () => {
  await expect(signIn([{ emulator_consent: 'decline' }])).rejects.toThrow('The device sign-in did not work');
  await expect(signIn([], 10_000)).rejects.toThrow(/in time|did not work/);
  await expect(signIn([], 1, shippedTenant.clientId)).rejects.toThrow('AADSTS7000218');
});
