import { expect, test } from 'vitest';
import { keyringOf } from '../identity/keys.ts';
import { createConnectionVault, type SealedFor } from './vault.ts';

const owner: SealedFor = {
  ...{ provider: 'entra', subject: 'ann', serverId: 's1', purpose: 'call', address: 'https://api.example' },
};
const others: Partial<SealedFor>[] = [
  { provider: 'okta' },
  { subject: 'bob' },
  { serverId: 's2' },
  { purpose: 'discovery' },
  { address: 'https://evil.example' },
  // Parts that run into one another are not the same parts.
  { provider: 'entra","ann', subject: '' },
];

test('a secret opens only for the person, server, purpose, address and part that it was sealed for', () => {
  const vault = createConnectionVault(keyringOf('one secret'));
  const secret = { keyId: vault.keyId, sealed: vault.seal(owner, 'access', 'token') };
  expect(vault.open(owner, 'access', secret)).toBe('token');
  expect(vault.open(owner, 'refresh', secret)).toBeUndefined();
  for (const other of others) expect(vault.open({ ...owner, ...other }, 'access', secret)).toBeUndefined();
  const changed = { ...secret, sealed: `${secret.sealed.slice(0, -2)}AA` };
  expect(vault.open(owner, 'access', changed)).toBeUndefined();
});

test('after a change of the key the one before still opens, and another does not', () => {
  const old = createConnectionVault(keyringOf('old'));
  const secret = { keyId: old.keyId, sealed: old.seal(owner, 'refresh', 'token') };
  expect(createConnectionVault(keyringOf('new', 'old')).open(owner, 'refresh', secret)).toBe('token');
  expect(createConnectionVault(keyringOf('new')).open(owner, 'refresh', secret)).toBeUndefined();
});
