import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { makeCertificate, toPem } from '../../../../entra-emulator/keys/certificate.ts';
import { applySetup, planSetup, removeSetup } from '../../setup/run.ts';
import { runEntraDoctor } from '../doctor/run.ts';
import { workIn } from './index.ts';
import { setupTrial } from './trial.test-support.ts';
import type { WishOptions } from './wish.ts';

const trial = await setupTrial();
const { emulator, world, env } = trial;
afterAll(() => emulator.close());
const pristine = emulator.snapshot();

let folder: string;
let now: number;
beforeEach(() => {
  folder = trial.begin();
  now = 0;
  return trial.end;
});

const { pause } = trial;

/** What is in the tenant, without ids and times, to compare two ways to the same end. */
function state(): unknown {
  const text = emulator.snapshot();
  const ids = new Map<string, string>();
  const [, tenant] = JSON.parse(text).tenants.$map[0];
  for (const part of ['born', 'secrets', 'passwords', 'revoked', 'listed']) delete tenant[part];
  const same = (value: unknown): string =>
    JSON.stringify(value)
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
        if (!ids.has(id)) ids.set(id, `id-${ids.size}`);
        return ids.get(id)!;
      })
      .replaceAll(/"[\w-]{43,64}"(?=,"clientId"|,\{)/g, '"grant"')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
      .replaceAll(/"hint":"[^"]*"/g, '"hint"');
  return same(tenant);
}

async function diagnose() {
  const set = env();
  const path = set.ENTRA_CLIENT_CERTIFICATE_PATH;
  const keyPath = set.ENTRA_CLIENT_CERTIFICATE_KEY_PATH ?? path;
  const at = (name: string): string => join(folder, name);
  return runEntraDoctor({
    config: {
      ...(path && keyPath ? { certificate: { path: at(path), keyPath: at(keyPath) } } : {}),
      tenantId: set.ENTRA_TENANT_ID!,
      clientId: set.ENTRA_CLIENT_ID!,
      clientSecret: set.ENTRA_CLIENT_SECRET ?? '',
      redirectUri: set.ENTRA_REDIRECT_URI!,
      loginBaseUrl: emulator.origin,
      graphBaseUrl: emulator.graphOrigin,
      applicationIdUri: null,
      groupAdminId: set.ENTRA_GROUP_ADMIN_ID!,
      groupUsersId: set.ENTRA_GROUP_USERS_ID!,
    },
    mapped: new Map([
      [set.ENTRA_GROUP_ADMIN_ID!, 'ENTRA_GROUP_ADMIN_ID'],
      [set.ENTRA_GROUP_USERS_ID!, 'ENTRA_GROUP_USERS_ID'],
    ]),
    ...{ fetch: fetch as never, pause, newId: () => 'call' },
    now: Date.now,
  });
}

test('an empty tenant is set up, the doctor finds all in order, and a second run changes nothing', async () => {
  const setup = await world();
  const plan = await planSetup(workIn(setup));
  expect(plan.map(({ id }) => id)).toEqual(expect.arrayContaining(['registration', 'settings', 'scopes']));
  expect(emulator.snapshot().includes('mcp-gateway-web')).toBe(false);
  const done: string[] = [];
  await applySetup(workIn(setup), (title) => done.push(title));
  expect(done).toHaveLength(plan.length);
  const { findings } = await diagnose();
  expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
  const before = [emulator.snapshot(), readFileSync(join(folder, '.env'), 'utf8')];
  const again = await world();
  expect(await planSetup(workIn(again))).toEqual([]);
  await applySetup(workIn(again), () => expect.unreachable());
  expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(before[1]);
  expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600);
  const scopes = readFileSync(join(folder, 'scopes.yml'), 'utf8');
  expect(scopes).toContain(env().ENTRA_GROUP_ADMIN_ID);
  expect(scopes).not.toContain('09e7a705');
});

/** A certificate and its key as files in the folder. */
function makePem(name: string, { days = 300, key = `${name}.key` } = {}): { path: string; keyPath: string } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const at = emulator.clock.now();
  const validity = { from: new Date(at - 86_400_000), to: new Date(at + days * 86_400_000) };
  const der = makeCertificate({ subject: name, publicKey, signWith: privateKey, ...validity });
  writeFileSync(join(folder, `${name}.pem`), toPem(der));
  writeFileSync(join(folder, key), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { path: `${name}.pem`, keyPath: key };
}

/** The credentials of the gateway's registration. */
function registered(): { secrets: number; certificates: number } {
  const [, tenant] = JSON.parse(emulator.snapshot()).tenants.$map[0];
  const [, application] = tenant.applications.$map.find(
    ([, { displayName }]: [string, { displayName: string }]) => displayName === 'mcp-gateway-web',
  );
  const { passwordCredentials, keyCredentials } = application;
  return { secrets: passwordCredentials.length, certificates: keyCredentials.length };
}

test('with a certificate no secret is made, the doctor is content, and a second run changes nothing', async () => {
  const certificate = makePem('gateway');
  await applySetup(workIn(await world({ certificate })), () => {});
  expect(env()).toMatchObject({
    ENTRA_CLIENT_CERTIFICATE_PATH: 'gateway.pem',
    ENTRA_CLIENT_CERTIFICATE_KEY_PATH: 'gateway.key',
  });
  expect(env().ENTRA_CLIENT_SECRET).toBeUndefined();
  expect(registered()).toEqual({ secrets: 0, certificates: 1 });
  expect(emulator.snapshot()).not.toContain('PRIVATE KEY');
  const { findings, credentials } = await diagnose();
  expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
  expect(credentials.map(({ kind }) => kind)).toEqual(['certificate']);
  expect(await planSetup(workIn(await world({ certificate })))).toEqual([]);
  // Also without naming it again.
  expect(await planSetup(workIn(await world()))).toEqual([]);
  await removeSetup(workIn(await world()));
  expect(emulator.snapshot()).not.toContain('mcp-gateway-auth');
  expect(readFileSync(join(folder, 'gateway.key'), 'utf8')).toContain('PRIVATE KEY');
});

test('a certificate takes the place of a secret, and a new one that of the old', async () => {
  const setup = await world();
  await setup.files.write('.env', 'ENTRA_CLIENT_SECRET=of-somebody\nENTRA_MANAGED_IDENTITY=system\n');
  await applySetup(workIn(setup), () => {});
  expect(registered()).toEqual({ secrets: 1, certificates: 0 });
  expect(env().ENTRA_MANAGED_IDENTITY).toBe('');
  await applySetup(workIn(await world({ certificate: makePem('one') })), () => {});
  expect(env().ENTRA_CLIENT_SECRET).toBe('');
  expect(registered()).toEqual({ secrets: 0, certificates: 1 });
  await applySetup(workIn(await world({ certificate: makePem('two') })), () => {});
  expect(registered()).toEqual({ secrets: 0, certificates: 1 });
  expect((await diagnose()).healthy).toBe(true);
  expect(await planSetup(workIn(await world()))).toEqual([]);
  await removeSetup(workIn(await world()));
  expect(env()).toEqual({ ENTRA_CLIENT_SECRET: 'of-somebody', ENTRA_MANAGED_IDENTITY: 'system' });
});

test.each<[string, () => { path: string; keyPath: string | undefined }, RegExp]>([
  ['no file', () => ({ path: 'none.pem', keyPath: undefined }), /no file none.pem/],
  ['no key', () => ({ path: makePem('a').path, keyPath: undefined }), /no private key.*--certificate-key/],
  ['the key of another', () => ({ path: makePem('a').path, keyPath: makePem('b').keyPath }), /of another/],
  ['one that is over', () => makePem('a', { days: -0.5 }), /has expired/],
  ['what is no certificate', () => ({ path: makePem('a').keyPath, keyPath: undefined }), /no certificate/],
])('%s is refused before anything is changed', async (_, make, words) => {
  const before = emulator.snapshot().includes('mcp-gateway-web');
  await expect(planSetup(workIn(await world({ certificate: make() })))).rejects.toThrow(words);
  expect([before, emulator.snapshot().includes('mcp-gateway-web')]).toEqual([false, false]);
});

test('a gateway that Microsoft can reach gets a front-channel logout URL', async () => {
  await applySetup(workIn(await world({ registryUrl: 'https://gw.example' })), () => {});
  expect(emulator.snapshot()).toContain('https://gw.example/oauth2/frontchannel-logout/entra');
  expect((await diagnose()).findings.find(({ id }) => id === 'logout-url')?.level).toBe('ok');
  expect(await planSetup(workIn(await world({ registryUrl: 'https://gw.example' })))).toEqual([]);
});

test.each(['secret', 'certificate'])(
  'a run with a %s that is killed at any request or file resumes to the same state',
  async (kind) => {
    const options = (): Partial<WishOptions> =>
      kind === 'certificate' ? { certificate: { path: 'gateway.pem', keyPath: 'gateway.key' } } : {};
    if (kind === 'certificate') makePem('gateway');
    await applySetup(workIn(await world(options())), () => {});
    const whole = state();
    const names = Object.keys(env()).sort();
    for (let at = 1, killed = true; killed; at++) {
      emulator.reset();
      rmSync(join(folder, '.env'), { force: true });
      rmSync(join(folder, 'scopes.yml'), { force: true });
      killed = await applySetup(workIn(await trial.dying(at, options())), () => {}).then(
        () => false,
        () => true,
      );
      await applySetup(workIn(await world(options())), () => {});
      expect(state(), `killed after write ${at}`).toEqual(whole);
      expect(Object.keys(env()).sort()).toEqual(names);
      expect((await diagnose()).healthy).toBe(true);
      now = at;
    }
    expect(now).toBeGreaterThan(15);
  },
);

test('it waits for what is not replicated yet', async () => {
  emulator.faults.add({ kind: 'replicationDelay', milliseconds: 5000 });
  await applySetup(workIn(await world()), () => {});
  emulator.faults.clear();
  expect(await planSetup(workIn(await world()))).toEqual([]);
});

test('a tenant that allows only short secrets gets a short one', async () => {
  emulator.faults.add({ kind: 'appManagementPolicy', maxLifetimeDays: 90 });
  await applySetup(workIn(await world()), () => {});
  expect(env().ENTRA_CLIENT_SECRET).toMatch(/.{20}/);
});

test('what it made is removed, and what was there stays', async () => {
  const own = '# mine\nLOG_LEVEL=debug\nREGISTRY_URL=http://localhost:9000\n';
  const setup = await world({ roles: ['admin', 'user', 'developer', 'operator'] });
  await setup.files.write('.env', own);
  await applySetup(workIn(setup), () => {});
  expect(env()).toMatchObject({ LOG_LEVEL: 'debug', REGISTRY_URL: 'http://localhost:8080' });
  const gone = await removeSetup(workIn(setup));
  expect(gone).toHaveLength(7);
  expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(own);
  const kinds = ['groups', 'applications', 'servicePrincipals', 'deleted', 'grants', 'appRoleAssignments'];
  const left = (text: string) => {
    const [, tenant] = JSON.parse(text).tenants.$map[0];
    return kinds.map((kind) => [kind, tenant[kind].$map.map(([id]: [string]) => id)]);
  };
  expect(left(emulator.snapshot())).toEqual(left(pristine));
  expect(await removeSetup(workIn(await world()))).toEqual([]);
});

/** Deletes, as somebody would in the portal. */
async function deleteRegistration(): Promise<void> {
  const { graph, wish } = await world();
  await graph.send('DELETE', `/applications(uniqueName='${wish.uniqueName}')`);
  for (const { uniqueName } of wish.groups) await graph.send('DELETE', `/groups(uniqueName='${uniqueName}')`);
}

test.each([false, true])(
  'a deleted registration is recognised, and restored or purged (purge: %s)',
  async (purgeDeleted) => {
    await applySetup(workIn(await world()), () => {});
    const before = env().ENTRA_CLIENT_ID;
    await deleteRegistration();
    const again = workIn(await world({ purgeDeleted }));
    const plan = await planSetup(again);
    const [line = ''] = plan[0]?.changes ?? [];
    expect(line).toMatch(
      purgeDeleted ? /^purge the registration .* for good/ : /^restore the registration .*--purge-deleted/,
    );
    await applySetup(again, () => {});
    expect(env().ENTRA_CLIENT_ID === before).toBe(!purgeDeleted);
    expect((await diagnose()).healthy).toBe(true);
    expect(await planSetup(again)).toEqual([]);
  },
);

test('with a bin that lags, nothing is called removed that is still there, and setup runs again', async () => {
  await applySetup(workIn(await world()), () => {});
  const lag = emulator.faults.add({ kind: 'binDelay', milliseconds: 3_600_000 });
  await expect(removeSetup(workIn(await world()))).rejects.toThrow(
    /Not everything is removed: the registration/,
  );
  emulator.faults.remove(lag.id);
  expect(await removeSetup(workIn(await world()))).toContainEqual(
    expect.stringContaining('the registration'),
  );
  expect(JSON.parse(emulator.snapshot()).tenants.$map[0][1].deleted.$map).toEqual([]);
  await applySetup(workIn(await world()), () => {});
  emulator.faults.add({ kind: 'binDelay', milliseconds: 20_000 });
  expect(await removeSetup(workIn(await world()))).not.toEqual([]);
  expect(JSON.parse(emulator.snapshot()).tenants.$map[0][1].deleted.$map).toEqual([]);
  expect(await removeSetup(workIn(await world()))).toEqual([]);
});
