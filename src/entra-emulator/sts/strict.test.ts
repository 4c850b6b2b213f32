import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../main.ts';
import { claimsOf } from '../testing/browser.ts';
import { askAgentToken, askToken, signInForTokens } from '../testing/sign-in.ts';

const { accounts, agents } = shippedTenant;
let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator({ strict: true });
});
afterEach(() => emulator.reset());
afterAll(() => emulator.close());

test('in the strict mode tokens of guests have no preferred_username', async () => {
  const { id_token } = await signInForTokens(emulator, accounts.guest);
  expect(claimsOf(id_token)).not.toHaveProperty('preferred_username');
  const member = await signInForTokens(emulator, accounts.user);
  expect(claimsOf(member.id_token)).toHaveProperty('preferred_username');
});

test('in the strict mode app-only tokens have no groups', async () => {
  const { body } = await askAgentToken(emulator, agents.admin);
  expect(claimsOf(body.access_token)).not.toHaveProperty('groups');
});

test('in the strict mode a block by Conditional Access looks like a dead grant', async () => {
  emulator.faults.add({ kind: 'aadsts', code: 53003, path: 'token' });
  const { body } = await askAgentToken(emulator, agents.admin);
  expect(body).toMatchObject({ error: 'invalid_grant', error_codes: [53003] });
});

test('in the strict mode a loop (50196) is a refusal, as it is without', async () => {
  emulator.faults.add({ kind: 'aadsts', code: 50196, path: 'token' });
  const { body } = await askAgentToken(emulator, agents.admin);
  expect(body).toMatchObject({ error: 'invalid_grant', error_codes: [50196] });
});

test('in the strict mode a confidential client hears only at the end that it has no device sign-in', async () => {
  const form = { client_secret: '', scope: 'openid' };
  const { body, status } = await askToken(emulator, form, 'oauth2/v2.0/devicecode');
  expect(status).toBe(200);
  await fetch(String(body.verification_uri), {
    method: 'POST',
    body: new URLSearchParams({
      user_code: String(body.user_code),
      emulator_account: accounts.user.objectId,
    }),
  });
  const answer = await askToken(emulator, {
    client_secret: '',
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: String(body.device_code),
  });
  expect(answer.body.error_codes).toEqual([7000218]);
});
