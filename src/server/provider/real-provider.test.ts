import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, startEmulator } from '../../entra-emulator/main.ts';
import { refusingEmulators } from './provider.ts';

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

test('nothing that the emulator says is taken in production', async () => {
  const send = refusingEmulators(fetch);
  for (const path of ['v2.0/.well-known/openid-configuration', 'discovery/v2.0/keys', 'oauth2/v2.0/token'])
    await expect(send(`${emulator.origin}/${emulator.tenantId}/${path}`)).rejects.toThrow(/is an emulator/);
});

test('other answers pass through', async () => {
  const answer = new Response('{}');
  expect(await refusingEmulators(async () => answer)('https://login.example')).toBe(answer);
});
