import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isPostgres } from '../../db/dialect.ts';
import type { DirectoryGroup } from '../../iam/directory.ts';
import { startTrial, type Trial } from './scopes.test-support.ts';

const wanted = { scope_name: 'team', group_mappings: ['team'], create_in_idp: true };
const id = '00000000-0000-4000-8000-000000000001';

let trial: Trial;
beforeEach(async () => {
  trial = await startTrial();
});
afterEach(() => trial.close());

const imported = (more: object = {}) => trial.call('scopes.import', { body: { ...wanted, ...more } });
const shown = () => trial.call('scopes.get', { params: { name: 'team' } });

function inDirectory(name: string, group = id): DirectoryGroup {
  const made = { id: group, name, description: null, mapping: group, editable: true };
  trial.directory.all.set(group, made);
  return made;
}

/** Makes the database refuse scopes, as a full disk would. */
async function breakDatabase(): Promise<() => Promise<void>> {
  const { db } = trial.database;
  if (isPostgres(db)) {
    await sql`alter table scopes add constraint full_disk check (source <> 'api') not valid`.execute(db);
    return async () => void (await sql`alter table scopes drop constraint full_disk`.execute(db));
  }
  await sql`create trigger full before insert on scopes when new.source = 'api'
    begin select raise(abort, 'the disk is full'); end`.execute(db);
  return async () => void (await sql`drop trigger full`.execute(db));
}

test('the group is made in the directory and mapped by what tokens call it', async () => {
  expect(await imported()).toMatchObject({ idp_created: true, idp_group_id: id, changed: true });
  expect(await shown()).toMatchObject({
    group_mappings: ['team', id],
    is_idp_managed: true,
    idp_group_id: id,
  });
  expect(trial.held(id)).toEqual(['team']);
  expect(trial.notes.at(-2)).toMatchObject({ idp_created: true, idp_group_id: id });
});

test('importing again finds the same group, even when it was renamed', async () => {
  await imported();
  inDirectory('renamed');
  expect(await imported()).toMatchObject({ idp_created: false, idp_group_id: id, changed: false });
  expect(trial.directory.all.size).toBe(1);
});

test('a group that is there already is mapped, said to be, and stays when the scope goes', async () => {
  inDirectory('team');
  const answer = await imported();
  expect(answer).toMatchObject({ idp_created: false, idp_group_id: null });
  expect(answer.warnings[0]).toContain('its members hold this scope now');
  expect(trial.held(id)).toEqual(['team']);
  const removed = await trial.call('groups.remove', { params: { name: 'team' } });
  expect(removed).toEqual({ name: 'team', deleted: true, idp_deleted: false, idp_skip_reason: 'local_only' });
  expect(trial.directory.all.size).toBe(1);
});

test('several groups of the name are a conflict that lists them', async () => {
  inDirectory('team');
  inDirectory('team', id.replace(/1$/, '2'));
  const failure = await trial.refused('scopes.import', { body: wanted });
  expect([failure.code, failure.message.includes(id)]).toEqual(['conflict', true]);
});

test('a group whose name differs in case is neither taken nor doubled', async () => {
  inDirectory('Team');
  expect((await trial.refused('scopes.import', { body: wanted })).code).toBe('conflict');
  expect(trial.directory.all.size).toBe(1);
});

test.each([
  ['find', 'directory_unavailable'],
  ['create', 'directory_refused'],
  ['create', 'directory_denied'],
] as const)('when the directory fails at %s (%s), nothing is stored', async (step, code) => {
  trial.directory.failing.set(step, code);
  expect((await trial.refused('scopes.import', { body: wanted })).code).toBe(code);
  expect((await trial.refused('scopes.get', { params: { name: 'team' } })).code).toBe('not_found');
  trial.directory.failing.clear();
  expect(await imported()).toMatchObject({ idp_created: true });
});

test('without the permission to make groups, it says what is missing and where', async () => {
  trial.directory.capabilitiesAre({ writeGroups: false, missing: ['Group.Create'] });
  const failure = await trial.refused('scopes.import', { body: wanted });
  expect([failure.code, failure.message.includes('Group.Create')]).toEqual(['directory_denied', true]);
});

test('without a directory, a group in it is a fault of the input', async () => {
  const one = await startTrial({ directory: undefined });
  const failure = await one.refused('scopes.import', { body: wanted });
  expect(failure.faults.map(({ at }) => at)).toEqual(['body.create_in_idp']);
  await one.close();
});

test('what would be refused here is refused before the directory is touched', async () => {
  const bodies = [
    { scope_name: 'readers', create_in_idp: true },
    { ...wanted, server_access: [{ server: 'a' }] },
  ];
  for (const body of bodies) await trial.refused('scopes.import', { body });
  await trial.refused('groups.create', { body: { name: 'readers', scope_config: { create_in_idp: true } } });
  expect(trial.directory.told).toEqual([]);
});

test('when the scope cannot be stored, the group that was made is removed again, and the answer says so', async () => {
  const repair = await breakDatabase();
  const failure = await trial.refused('scopes.import', { body: wanted });
  expect(failure.message).toContain('was removed again; nothing has changed');
  expect([...trial.directory.all.keys()]).toEqual([]);
  expect(trial.notes.at(-1)).toMatchObject({ idp_compensated: true });
  await repair();
});

test('when even that fails, the answer names what is left, and repeating finishes it', async () => {
  const repair = await breakDatabase();
  trial.directory.failing.set('remove', 'directory_unavailable');
  const failure = await trial.refused('scopes.import', { body: wanted });
  expect(failure.message).toContain(`(${id}) was created in the directory. Removing it again failed: `);
  expect(trial.notes.at(-1)).toMatchObject({ idp_compensated: false });
  await repair();
  trial.directory.failing.clear();
  expect(await imported()).toMatchObject({ changed: true, idp_created: false });
  expect(trial.held(id)).toEqual(['team']);
  expect(trial.directory.all.size).toBe(1);
});

test('two imports at once make one group', async () => {
  const answers = await Promise.all([imported(), imported()]);
  expect(answers.map((answer) => answer.idp_created).sort()).toEqual([false, true]);
  expect(trial.directory.all.size).toBe(1);
});

test('removing a group that was made with its scope removes both', async () => {
  await imported();
  const removed = await trial.call('groups.remove', { params: { name: 'team' } });
  expect(removed).toEqual({ name: 'team', deleted: true, idp_deleted: true, idp_skip_reason: null });
  expect([trial.directory.all.size, trial.held(id)]).toEqual([0, []]);
});

test.each([
  ['directory_denied', 'forbidden'],
  ['not_found', 'not_found'],
] as const)('a directory that answers %s does not keep the scope alive', async (code, reason) => {
  await imported();
  trial.directory.failing.set('remove', code);
  const removed = await trial.call('groups.remove', { params: { name: 'team' } });
  expect(removed).toMatchObject({ idp_deleted: false, idp_skip_reason: reason });
  expect(trial.notes.at(-1)).toMatchObject({ idp_skip_reason: reason });
  expect(trial.held(id)).toEqual([]);
});

test('a directory that is away keeps both, and repeating removes them', async () => {
  await imported();
  trial.directory.failing.set('remove', 'directory_unavailable');
  expect((await trial.refused('groups.remove', { params: { name: 'team' } })).code).toBe(
    'directory_unavailable',
  );
  expect(trial.held(id)).toEqual(['team']);
  trial.directory.failing.clear();
  expect(await trial.call('groups.remove', { params: { name: 'team' } })).toMatchObject({
    idp_deleted: true,
  });
});

test.each([{ delete_from_idp: 'true' }, { delete_from_keycloak: 'True' }, { delete_from_keycloak: true }])(
  'the command removes the group in the directory only when asked, and then also one it did not make: %o',
  async (asked) => {
    await imported();
    await trial.call('scopes.delete', { body: { group_name: 'team' } });
    expect(trial.directory.all.size).toBe(1);
    await imported();
    const body = { group_name: 'team', ...asked };
    expect(await trial.call('scopes.delete', { body })).toMatchObject({
      idp_deleted: true,
      idp_skip_reason: null,
    });
    expect(trial.directory.all.size).toBe(0);
  },
);

test('a group of the name that the scope does not map is left alone', async () => {
  await trial.call('scopes.create', { body: { group_name: 'team' } });
  inDirectory('team');
  const body = { group_name: 'team', delete_from_idp: true };
  expect(await trial.call('scopes.delete', { body })).toMatchObject({
    idp_deleted: false,
    idp_skip_reason: 'local_only',
  });
  expect(trial.directory.all.size).toBe(1);
});
