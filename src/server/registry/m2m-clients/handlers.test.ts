import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { shippedTenant, startEmulator } from '../../../entra-emulator/main.ts';
import { findM2mClient } from '../../identity/groups/groups.ts';
import { type AccountsTrial, startAccountsTrial } from '../users/accounts.test-support.ts';

const emulator = await startEmulator();
afterAll(() => emulator.close());
let trial: AccountsTrial;
beforeEach(async () => {
  emulator.reset();
  trial = await startAccountsTrial(emulator);
});
afterEach(() => trial.close());

const body = { client_id: 'Agent-1', client_name: 'Agent', groups: ['g1', 'g2', 'g1'] };
const params = { client_id: 'agent-1' };

test('a registered application has its groups at its next request, until it is switched off or forgotten', async () => {
  const known = () => findM2mClient(trial.database.db, 'entra', 'AGENT-1');
  expect(await trial.call('m2mClients.create', { body })).toMatchObject({
    ...{ client_id: 'agent-1', groups: ['g1', 'g2'], provider: 'manual', identity_provider: 'entra' },
    ...{ enabled: true, created_by: 'alice@contoso.example' },
  });
  expect(await known()).toMatchObject({ groups: ['g1', 'g2'], enabled: true });
  await trial.call('m2mClients.change', { params, body: { enabled: false } });
  expect(await known()).toMatchObject({ groups: ['g1', 'g2'], enabled: false });
  await trial.call('m2mClients.change', { params, body: { groups: [] } });
  expect(await trial.call('m2mClients.get', { params })).toMatchObject({ groups: [], client_name: 'Agent' });
  expect(trial.notes.at(-2)).toMatchObject({ before: { groups: ['g1', 'g2'] }, after: { groups: [] } });
  await trial.call('m2mClients.remove', { params });
  expect(await known()).toBeUndefined();
});

test('an application in a group of administrators is noted as an administrator grant, by each way in', async () => {
  const noted = () => trial.notes.at(-1)?.admin_grant;
  const groups = [shippedTenant.groups.admin];
  const change = async (said: object) => {
    await trial.call('m2mClients.change', { params, body: said });
    return noted();
  };
  await trial.call('m2mClients.create', { body });
  expect(noted()).toBeUndefined();
  expect(await change({ groups })).toBe(true);
  expect(await change({ enabled: false })).toBeUndefined();
  expect(await change({ enabled: true })).toBe(true);
  expect(await change({ description: 'the same rights' })).toBeUndefined();
  await trial.call('m2mClients.create', { body: { ...body, client_id: 'agent-2', groups } });
  expect(noted()).toBe(true);
});

test('a client id is registered once, whatever its case', async () => {
  await trial.call('m2mClients.create', { body });
  const again = { body: { ...body, client_id: 'AGENT-1' } };
  expect(await trial.refused('m2mClients.create', again)).toMatchObject({ code: 'conflict' });
});

test('an application of another provider has its groups there and nowhere else', async () => {
  const known = (provider: string) => findM2mClient(trial.database.db, provider, 'agent-1');
  const its = { params, query: { identity_provider: 'keycloak' } };
  await trial.call('m2mClients.create', { body: { ...body, identity_provider: 'keycloak' } });
  expect([await known('keycloak'), await known('entra')]).toMatchObject([
    { groups: ['g1', 'g2'], enabled: true },
    undefined,
  ]);
  expect(await trial.call('m2mClients.get', { params })).toMatchObject({ identity_provider: 'keycloak' });
  await trial.call('m2mClients.create', { body: { ...body, groups: ['of entra'] } });
  for (const [id, input] of [
    ['m2mClients.get', { params }],
    ['m2mClients.change', { params, body: { groups: [] } }],
    ['m2mClients.remove', { params }],
  ] as const)
    expect(await trial.refused(id, input)).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('entra, keycloak'),
    });
  await trial.call('m2mClients.change', { ...its, body: { groups: ['changed'] } });
  expect((await known('keycloak'))?.groups).toEqual(['changed']);
  await trial.call('m2mClients.remove', its);
  expect([await known('keycloak'), (await known('entra'))?.groups]).toEqual([undefined, ['of entra']]);
});

test('a provider that AUTH_PROVIDER does not name is refused', async () => {
  const elsewhere = { body: { ...body, identity_provider: 'okta' } };
  expect(await trial.refused('m2mClients.create', elsewhere)).toMatchObject({
    ...{ code: 'invalid_input', message: expect.stringContaining('entra, keycloak') },
  });
});

test('an account that the gateway made in the directory is not changed here', async () => {
  const made = await trial.call('users.createM2m', { body: { name: 'bot', groups: ['mcp-test-users'] } });
  const its = { params: { client_id: made.client_id } };
  expect(await trial.call('m2mClients.get', its)).toMatchObject({ provider: 'entra' });
  for (const [id, input] of [
    ['m2mClients.change', { ...its, body: { groups: [] } }],
    ['m2mClients.remove', its],
  ] as const)
    expect(await trial.refused(id, input)).toMatchObject({ code: 'not_allowed' });
  expect(await trial.call('m2mClients.list', { query: { provider: 'manual' } })).toMatchObject({ total: 0 });
});

test('one that is not there is not found', async () => {
  expect(await trial.refused('m2mClients.get', { params })).toMatchObject({ code: 'not_found' });
});
