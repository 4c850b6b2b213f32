import { afterAll, beforeEach, expect, test } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../../../../entra-emulator/main.ts';
import { adminGraph } from '../../../../entra-emulator/testing/graph.ts';
import { readClaims } from '../../../provider/entra-token.ts';
import type { ServiceAccounts } from '../../directory.ts';
import { emulatedDirectory } from './emulated.test-support.ts';

const emulator: Emulator = await startEmulator();
afterAll(() => emulator.close());
let accounts: Required<ServiceAccounts>;
let world: ReturnType<typeof emulatedDirectory>;
beforeEach(() => {
  emulator.reset();
  world = emulatedDirectory(emulator);
  accounts = world.directory.serviceAccounts as Required<ServiceAccounts>;
});

const wanted = { name: 'deploy-bot', description: 'Deploys', marker: 'mcp-gateway-job-1' };
const label = 'job-1';

async function made() {
  const account = await accounts.enable(await accounts.create(wanted));
  const secret = await accounts.addSecret(account.id, { label, days: 90 });
  return { account, secret };
}

async function tokenClaims(clientId: string, secret: string): Promise<Record<string, unknown>> {
  const answer = await fetch(`${emulator.origin}/${emulator.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id: clientId, client_secret: secret },
      scope: `${shippedTenant.appIdUri}/.default`,
    }),
  });
  return readClaims(((await answer.json()) as { access_token: string }).access_token ?? '');
}

test('an account that went through all steps gets tokens with its group and its role', async () => {
  const { account, secret } = await made();
  await world.directory.memberships.add?.(shippedTenant.groups.users, account.principalId);
  expect(await accounts.permit(account.principalId)).toBe(true);
  await accounts.verify(account.clientId, secret.secret);
  expect(await tokenClaims(account.clientId, secret.secret)).toMatchObject({
    oid: account.principalId,
    roles: ['Gateway.Invoke'],
    groups: [shippedTenant.groups.users],
  });
  expect(await world.directory.memberships.ofServiceAccount?.(account.principalId)).toMatchObject([
    { name: 'mcp-test-users' },
  ]);
});

test('steps that are taken twice make nothing twice', async () => {
  const { account } = await made();
  const { account: again, secret } = await made();
  expect(again).toEqual(account);
  expect((await accounts.list({ limit: 100 })).items).toEqual([again]);
  expect((await accounts.secrets(account.id)).map(({ keyId }) => keyId)).toEqual([secret.keyId]);
  for (let time = 0; time < 2; time += 1) expect(await accounts.permit(account.principalId)).toBe(true);
});

test('what is not known everywhere yet is waited for', async () => {
  for (const fault of [
    { kind: 'replicationDelay', milliseconds: 20_000 },
    { kind: 'secretDelay', milliseconds: 20_000 },
  ] as const)
    emulator.faults.add(fault);
  const { account, secret } = await made();
  await world.directory.memberships.add?.(shippedTenant.groups.users, account.principalId);
  await accounts.permit(account.principalId);
  await accounts.verify(account.clientId, secret.secret);
  expect(world.waits.length).toBeGreaterThan(3);
});

test('a wrong secret is told from one that is only new, in the end', async () => {
  const { account } = await made();
  await expect(accounts.verify(account.clientId, 'wrong')).rejects.toMatchObject({ aadsts: 7000215 });
});

test('an account is found by each of its ids and by its name, and one that the gateway did not make is not', async () => {
  const { account } = await made();
  for (const name of [account.id, account.clientId, account.principalId, 'deploy-bot', 'DEPLOY-BOT'])
    expect(await accounts.find(name)).toEqual(account);
  for (const name of ['deploy', shippedTenant.clientId, 'x\u0000y'])
    expect(await accounts.find(name)).toBeUndefined();
});

test('a removed account is gone for good, with its principal, and its marker is free again', async () => {
  const { account, secret } = await made();
  await accounts.remove(account.id);
  expect(await accounts.find(account.clientId)).toBeUndefined();
  expect(await tokenClaims(account.clientId, secret.secret)).toEqual({});
  const graph = await adminGraph(emulator);
  for (const kind of ['application', 'servicePrincipal'])
    expect((await graph('GET', `/directory/deletedItems/microsoft.graph.${kind}`)).body.value).toEqual([]);
  expect((await made()).account.clientId).not.toBe(account.clientId);
});

test('a registration that the gateway did not make is never removed', async () => {
  const graph = await adminGraph(emulator);
  const query = encodeURIComponent(`appId eq '${shippedTenant.clientId}'`);
  const { body } = await graph('GET', `/applications?$filter=${query}`);
  const [{ id }] = body.value as [{ id: string }];
  await expect(accounts.remove(id)).rejects.toMatchObject({ code: 'not_found' });
  expect((await graph('GET', `/applications/${id}`)).status).toBe(200);
});

test('a secret lives on beside a newer one until it is removed', async () => {
  const { account, secret } = await made();
  const newer = await accounts.addSecret(account.id, { label: 'rotation-2', days: 30 });
  for (const one of [secret, newer]) await accounts.verify(account.clientId, one.secret);
  await accounts.removeSecret(account.id, secret.keyId);
  expect(await accounts.secrets(account.id)).toEqual([
    { keyId: newer.keyId, label: 'rotation-2', expiresAt: newer.expiresAt },
  ]);
});

test('a tenant that allows only short lives gets a shorter one, and the end is told', async () => {
  emulator.faults.add({ kind: 'appManagementPolicy', maxLifetimeDays: 30 });
  const { secret } = await made();
  expect(Date.parse(secret.expiresAt!) - emulator.clock.now()).toBeLessThanOrEqual(30 * 86_400_000);
});
