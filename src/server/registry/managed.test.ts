import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Emulator, shippedTenant, startEmulator } from '../../entra-emulator/main.ts';
import { poolDirectory } from '../iam/cognito/directory.test-support.ts';
import { awsIdentity, startPool } from '../iam/cognito/pool.test-support.ts';
import type { Directory, DirectoryGroup, DirectoryUser } from '../iam/directory.ts';
import { emulatedDirectory } from '../iam/entra/directory/emulated.test-support.ts';
import { trialRealm } from '../iam/keycloak/realm.test-support.ts';
import type { Manages } from './managed.ts';
import { type AccountsTrial, startAccountsTrial } from './users/accounts.test-support.ts';

const emulator: Emulator = await startEmulator();
afterAll(() => emulator.close());
const clock = { now: Date.now, advance() {} } as never;
const ends: (() => unknown)[] = [];
beforeEach(() => {
  emulator.reset();
  vi.stubEnv('AWS_ACCESS_KEY_ID', awsIdentity.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', awsIdentity.secretAccessKey);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const end of ends.splice(0).reverse()) await end();
});

const directories: Record<string, () => Promise<Directory>> = {
  entra: async () => emulatedDirectory(emulator).directory,
  keycloak: async () => trialRealm().directory,
  cognito: async () => {
    const pool = await startPool({});
    ends.push(() => pool.close());
    return poolDirectory(pool).directory;
  },
};

/** A directory with what others made in it, and a gateway whose administrator has no right of their own there. */
interface World {
  readonly trial: AccountsTrial;
  readonly directory: Directory;
  readonly victim: DirectoryUser;
  readonly finance: DirectoryGroup;
  readonly mapped: DirectoryGroup;
}

async function start(name: string, manages?: Manages): Promise<World> {
  const directory = await (directories[name] ?? expect.fail)();
  const { create } = directory.users;
  const make = async (username: string) =>
    (await create?.({
      ...{ username, email: `${username}@contoso.example`, firstName: 'A', lastName: 'B' },
      ...{ password: 'A-long-pass-0', mustChangePassword: false },
    })) ?? expect.fail();
  const group = async (one: string) =>
    (await directory.groups.create?.({ name: one, description: '' })) ?? expect.fail();
  const [admins, finance, mapped] = [await group('admins'), await group('finance'), await group('mapped')];
  const [mallory, victim] = [await make('mallory'), await make('victim')];
  await directory.memberships.add?.(admins.id, mallory.id);
  await directory.memberships.add?.(finance.id, victim.id);
  const calling = { username: mallory.username, subject: mallory.id, provider: name };
  const who = { ...calling, groups: [admins.mapping] };
  const trial = await startAccountsTrial({ clock }, directory, who, manages);
  ends.push(() => trial.close());
  await trial.call('scopes.import', { body: { scope_name: 'mapped', group_mappings: [mapped.mapping] } });
  return { trial, directory, victim, finance, mapped };
}

const spelled = (text: string): string[] => [...new Set([text, text.toUpperCase(), text.toLowerCase()])];
const human = (groups: readonly string[]) => ({
  body: {
    ...{ username: 'newt', email: 'newt@contoso.example', first_name: 'N', last_name: 'T', groups },
  },
});
const groupIds = async ({ directory, victim }: World) =>
  (await directory.memberships.ofUsers([victim.id]))[0]?.map(({ id }) => id).sort();

describe.each(Object.keys(directories))('in %s', (name) => {
  test('an account that was not created here is not deleted, however it is named', async () => {
    const { trial, directory, victim } = await start(name);
    for (const username of [victim.username, victim.email ?? '', ...spelled(victim.id)]) {
      const failure = await trial.refused('users.remove', { params: { username } });
      expect(['not_allowed', 'not_found']).toContain(failure.code);
    }
    const failure = await trial.refused('users.remove', { params: { username: victim.username } });
    expect([failure.code, failure.message]).toEqual([
      'not_allowed',
      expect.stringContaining('IAM_MANAGES=all'),
    ]);
    // To register its id as an application of one's own makes no difference.
    const body = { client_id: victim.id, client_name: victim.username, groups: [] };
    await trial.call('m2mClients.create', { body });
    await trial.call('users.remove', { params: { username: victim.id } }).catch(() => {});
    expect(await directory.users.find(victim.id)).toMatchObject({ id: victim.id });
  });

  test('an account that was created here is deleted again, once', async () => {
    const { trial, directory } = await start(name);
    const { id, username } = await trial.call('users.createHuman', human(['mapped']));
    await trial.call('users.remove', { params: { username } });
    expect(await directory.users.find(id)).toBeUndefined();
    // Somebody of the same name who comes later is somebody else.
    await directory.users.create?.({
      ...{ username, email: 'other@contoso.example', firstName: 'O', lastName: 'T' },
      ...{ password: 'A-long-pass-0', mustChangePassword: false },
    });
    expect(await trial.refused('users.remove', { params: { username } })).toMatchObject({
      code: 'not_allowed',
    });
  });

  test('no one is put into, or taken out of, a group that no scope maps', async () => {
    const world = await start(name);
    const { trial, victim, finance, mapped, directory } = world;
    for (const asked of [finance.name, ...spelled(finance.id)]) {
      const body = { groups: [mapped.name, asked] };
      const params = { username: trial.directory.provider === name ? 'mallory' : '' };
      const failure = await trial.refused('users.groups', { params: await named(world, params), body });
      expect(['not_allowed', 'invalid_input']).toContain(failure.code);
      expect(['not_allowed', 'invalid_input']).toContain(
        (await trial.refused('users.createHuman', human([asked]))).code,
      );
    }
    expect(await directory.users.find('newt@contoso.example')).toBeUndefined();
    const params = { username: victim.username };
    const changed = await trial.call('users.groups', { params, body: { groups: [mapped.name] } });
    expect(changed).toMatchObject({ added: [mapped.name], removed: [] });
    expect(changed.note).toContain(`'${finance.name}'`);
    expect(await groupIds(world)).toEqual([finance.id, mapped.id].sort());
    // What it is in may be said again.
    await trial.call('users.groups', { params, body: { groups: [finance.name] } });
    expect(await groupIds(world)).toEqual([finance.id]);
  });

  test('a group is deleted with its scope when it is mapped or was created here, and no other is', async () => {
    const { trial, directory, finance, mapped } = await start(name);
    const remove = (group_name: string) =>
      trial.call('scopes.delete', { body: { group_name, delete_from_idp: true } });
    // A scope of the name of a group, which it does not map.
    await trial.call('scopes.import', { body: { scope_name: finance.name, group_mappings: ['x'] } });
    expect(await remove(finance.name)).toMatchObject({ idp_deleted: false });
    expect(await directory.groups.find(finance.id)).toMatchObject({ id: finance.id });
    expect(await remove(mapped.name)).toMatchObject({ idp_deleted: true });
    const made = await trial.call('scopes.import', { body: { scope_name: 'own', create_in_idp: true } });
    expect(made).toMatchObject({ idp_created: true });
    expect(await remove('own')).toMatchObject({ idp_deleted: true });
    expect(await directory.groups.find('own')).toBeUndefined();
  });

  test('with IAM_MANAGES=own, mapping a group to a scope does not help', async () => {
    const { trial, directory, victim, finance } = await start(name, 'own');
    const body = { scope_name: finance.name, group_mappings: [finance.mapping], create_in_idp: true };
    expect(await trial.call('scopes.import', { body })).toMatchObject({ idp_created: false });
    const params = { username: victim.username };
    const left = await trial.call('users.groups', { params, body: { groups: [] } });
    expect(left.removed).toEqual([]);
    const removed = await trial.call('scopes.delete', {
      body: { group_name: finance.name, delete_from_idp: true },
    });
    expect(removed).toMatchObject({ idp_deleted: false, idp_skip_reason: 'not_managed' });
    expect(await directory.groups.find(finance.id)).toMatchObject({ id: finance.id });
    await trial.call('scopes.import', { body: { scope_name: 'own', create_in_idp: true } });
    await trial.call('users.groups', { params, body: { groups: ['own'] } });
    await trial.call('scopes.delete', { body: { group_name: 'own', delete_from_idp: true } });
    expect(await directory.groups.find('own')).toBeUndefined();
  });

  test('with IAM_MANAGES=all, everything that the permissions allow is done', async () => {
    const { trial, directory, victim } = await start(name, 'all');
    const params = { username: victim.username };
    expect(await trial.call('users.groups', { params, body: { groups: [] } })).toMatchObject({
      removed: ['finance'],
    });
    await trial.call('users.remove', { params });
    expect(await directory.users.find(victim.id)).toBeUndefined();
  });
});

async function named({ directory }: World, { username }: { username: string }) {
  const found =
    (await directory.users.find(username)) ?? (await directory.users.find(`${username}@contoso.example`));
  return { username: found?.id ?? '' };
}

test('in Keycloak, a group takes those inside it along, so each has to be managed', async () => {
  for (const naming of ['path', 'name'] as const) {
    const { directory, groupBelow, groups } = trialRealm(naming);
    const who = { username: 'm', subject: 'm', provider: 'keycloak', groups: ['admins'] };
    const trial = await startAccountsTrial({ clock }, directory, who);
    ends.push(() => trial.close());
    const { idp_group_id: top } = await trial.call('scopes.import', {
      body: { scope_name: 'top', create_in_idp: true },
    });
    // Below what was created here somebody else has put a group two levels deep, of a name that is mapped elsewhere.
    const middle = groupBelow(top ?? '', 'middle');
    const deep = groupBelow(middle, 'payroll');
    const names = naming === 'path' ? ['/top/middle', '/payroll', 'payroll'] : ['middle'];
    await trial.call('scopes.import', { body: { scope_name: 'm', group_mappings: names } });
    const body = { group_name: 'top', delete_from_idp: true };
    expect(await trial.call('scopes.delete', { body })).toMatchObject({ idp_skip_reason: 'not_managed' });
    expect(groups.has(deep)).toBe(true);
    expect(trial.notes.at(-1)).toMatchObject({ idp_not_managed: deep });
  }
});

test('in Keycloak, a renamed group is the one that was created here, and none that took its name', async () => {
  const { directory, groupBelow, groups } = trialRealm();
  const who = { username: 'm', subject: 'm', provider: 'keycloak', groups: ['admins'] };
  const trial = await startAccountsTrial({ clock }, directory, who);
  ends.push(() => trial.close());
  const made = await trial.call('scopes.import', { body: { scope_name: 'team', create_in_idp: true } });
  const own = groups.get(made.idp_group_id ?? '') ?? expect.fail();
  Object.assign(own, { name: 'other', path: '/other' });
  const impostor = groupBelow(null, 'staff');
  const params = { name: 'team' };
  await trial.call('groups.patch', { params, body: { scope_config: { group_mappings: ['/nothing'] } } });
  expect(await trial.call('groups.remove', { params })).toMatchObject({ idp_deleted: true });
  expect([groups.has(own.id), groups.has(impostor)]).toEqual([false, true]);
});

test('in Entra, no secret is given to an application that was not created here', async () => {
  const { trial } = await start('entra');
  const made = await trial.call('users.createM2m', {
    body: { name: 'bot', groups: ['mapped'] },
    query: { wait: 'true' },
  });
  const bot = made.client_id ?? '';
  const rotate = (client_id: string) => ({ params: { client_id }, body: { overlap_days: 1 } }) as const;
  await trial.call('users.rotateSecret', rotate(bot));
  await trial.database.db.deleteFrom('made_here').where('kind', '=', 'application').execute();
  // Another gateway in the same tenant marks its applications the same way.
  for (const id of spelled(bot))
    expect((await trial.refused('users.rotateSecret', rotate(id))).code).toBe('not_allowed');
  expect((await trial.refused('users.remove', { params: { username: 'bot' } })).code).toBe('not_allowed');
  expect((await trial.refused('users.rotateSecret', rotate(shippedTenant.clientId))).code).toBe('not_found');
});
