import type { Output } from '../../../contract/endpoint.ts';
import type { userEndpoints } from '../../../contract/people/users.ts';
import { withLease } from '../../db/lease.ts';
import { inTransaction } from '../../db/transaction.ts';
import { Failure } from '../../failure/errors.ts';
import type { Directory, DirectoryGroup } from '../../iam/directory.ts';
import { assertApplicationCanGo, assertOthersAdminister, notedPower } from '../administrators.ts';
import { changeRecord, findRecord, type M2mRecord, recordM2mClient } from '../m2m-clients/store.ts';
import { assertManagesGroups, managedGroups } from '../managed.ts';
import { unsupported } from './create-human.ts';
import { type Account, findAccount } from './find-account.ts';
import { proveAnew } from './remove.ts';
import { wantedGroups, withEach } from './wanted-groups.ts';
import { type AccountCaller, needAbility, needDirectory, type UsersWorld } from './world.ts';

type Changed = Output<(typeof userEndpoints)['users.groups']>;

/** Makes the groups of an account exactly those named; groups whose members are computed, or that are not managed here, stay as they are. */
export async function changeGroups(
  world: UsersWorld,
  idOrName: string,
  names: readonly string[],
  caller: AccountCaller,
): Promise<Changed> {
  const directory = needDirectory(world);
  const found = await findAccount(world, directory, idOrName);
  return withLease(world.db, `groups of ${lockKeyOf(found)}`, () =>
    found.kind === 'record'
      ? changeGroupsOfRecord(world, found.record, names, caller)
      : changeMemberships(world, directory, found, names, caller),
  );
}

function lockKeyOf(found: Account): string {
  if (found.kind === 'human') return found.user.id;
  return found.kind === 'm2m' ? found.account.id : found.record.clientId;
}

async function changeGroupsOfRecord(
  world: UsersWorld,
  record: M2mRecord,
  names: readonly string[],
  caller: AccountCaller,
): Promise<Changed> {
  const groups = [...new Set(names)];
  const held = world.qualify(record.provider, groups);
  await assertApplicationCanGo(world, world.directory, caller, { clientId: record.clientId, groups: held });
  await changeRecord(world.db, { ...record, groups, updatedAt: new Date(world.now()).toISOString() });
  caller.note({
    ...{ before: { groups: record.groups }, after: { groups } },
    ...notedPower(world, world.qualify(record.provider, record.groups), held),
  });
  return {
    ...{ username: record.name, groups, groups_failed: [] },
    added: groups.filter((group) => !record.groups.includes(group)),
    removed: record.groups.filter((group) => !groups.includes(group)),
    note: 'Only the registry knows this application: these groups count for its tokens that list none.',
  };
}

async function changeMemberships(
  world: UsersWorld,
  directory: Directory,
  found: Exclude<Account, { kind: 'record' }>,
  names: readonly string[],
  caller: AccountCaller,
): Promise<Changed> {
  const { add, remove } = directory.memberships;
  if (!add || !remove) throw unsupported(directory);
  const isPerson = found.kind === 'human';
  const ability = isPerson ? 'writeMemberships' : 'writeServiceMemberships';
  await needAbility(directory, ability, 'change memberships');
  const wanted = await wantedGroups(directory, names);
  const { memberId, before } = await membershipsOf(directory, found);
  const had = new Set(before.map(({ id }) => id));
  const keep = new Set(wanted.map(({ group }) => group.id));
  await assertManagesGroups(
    world,
    directory,
    wanted.filter(({ group }) => !had.has(group.id)),
  );
  const managed = await managedGroups(world, directory, before);
  const leaving = before.filter((group) => group.editable && managed.has(group) && !keep.has(group.id));
  const mapped = (groups: readonly DirectoryGroup[]): readonly string[] =>
    world.qualify(
      directory.provider,
      groups.map(({ mapping }) => mapping),
    );
  const change = async () => {
    if (found.kind === 'human')
      await assertOthersAdminister(world, directory, found.user, {
        left: leaving,
        kept: before.filter((group) => !leaving.includes(group)),
      });
    else
      await assertApplicationCanGo(world, directory, caller, {
        clientId: found.account.clientId,
        groups: mapped([
          ...before.filter((group) => !leaving.includes(group)),
          ...wanted.map(({ group }) => group),
        ]),
      });
    const added = await withEach(
      wanted.filter(({ group }) => !had.has(group.id)),
      ({ id }) => add(id, memberId),
    );
    const removed = await withEach(
      leaving.map((group) => ({ asked: group.name, group })),
      ({ id }) => remove(id, memberId),
    );
    return { added, removed };
  };
  const { added, removed } = await withLease(world.db, 'administrators', change);
  const gone = new Set(removed.done.map(({ group }) => group.id));
  const groups = [...before.filter(({ id }) => !gone.has(id)), ...added.done.map(({ group }) => group)];
  const failed = [...added.failed, ...removed.failed];
  caller.note({
    ...{ before: namesOf(before), after: namesOf(groups), groups_failed: failed },
    ...notedPower(world, mapped(before), mapped(groups)),
  });
  await takeEffect(world, directory, found, groups);
  const failure = added.failure ?? removed.failure;
  // Nothing was done at all: that is a failure and not an answer.
  if (failure && added.done.length + removed.done.length === 0)
    throw new Failure(failure.code, `${failure.message} Nothing was changed.`, { cause: failure });
  return {
    username: found.kind === 'human' ? found.user.username : found.account.name,
    groups: groups.map(({ name }) => name),
    added: added.done.map(({ group }) => group.name),
    removed: removed.done.map(({ group }) => group.name),
    groups_failed: failed,
    note: noteOn(
      before.filter(({ id }) => !keep.has(id)),
      managed,
    ),
  };
}

async function membershipsOf(directory: Directory, found: Exclude<Account, { kind: 'record' }>) {
  const { memberships, provider } = directory;
  if (found.kind === 'human') {
    const [before] = await memberships.ofUsers([found.user.id]);
    if (before) return { memberId: found.user.id, before };
  } else {
    const { principalId } = found.account;
    const before = principalId === null ? undefined : await memberships.ofServiceAccount?.(principalId);
    if (principalId !== null && before) return { memberId: principalId, before };
  }
  throw new Failure(
    'directory_unavailable',
    `The groups of this account cannot be read in ${provider} right now.`,
  );
}

/** What is known here of the groups is read anew, or written, so that the change counts as soon as it can. */
async function takeEffect(
  world: UsersWorld,
  { provider }: Directory,
  found: Exclude<Account, { kind: 'record' }>,
  groups: readonly DirectoryGroup[],
): Promise<void> {
  if (found.kind === 'human') return proveAnew(world, provider, found.user.id);
  const { clientId, principalId } = found.account;
  await inTransaction(world.db, async (db) => {
    const record = await findRecord(db, provider, clientId);
    const updatedAt = new Date(world.now()).toISOString();
    if (record)
      await changeRecord(db, { ...record, groups: groups.map(({ mapping }) => mapping), updatedAt });
    else await recordM2mClient(db, provider, clientId);
    if (principalId !== null) await proveAnew({ ...world, db }, provider, principalId);
  });
}

function noteOn(stays: readonly DirectoryGroup[], managed: ReadonlySet<DirectoryGroup>): string | null {
  const list = (groups: readonly DirectoryGroup[]): string =>
    groups.map(({ name }) => `'${name}'`).join(', ');
  const computed = stays.filter(({ editable }) => !editable);
  const foreign = stays.filter((group) => group.editable && !managed.has(group));
  const notes = [
    ...(computed.length > 0
      ? [`It stays in ${list(computed)}, whose members are computed or come from elsewhere.`]
      : []),
    ...(foreign.length > 0
      ? [`It stays in ${list(foreign)}, which the gateway does not change (IAM_MANAGES).`]
      : []),
  ];
  return notes.length > 0 ? notes.join(' ') : null;
}

function namesOf(groups: readonly DirectoryGroup[]): string[] {
  return groups.map(({ name }) => name);
}
