import { withLease } from '../../db/lease.ts';
import { inTransaction } from '../../db/transaction.ts';
import { removeConnectionsOf } from '../../egress/store.ts';
import type { Directory, DirectoryUser, ServiceAccount } from '../../iam/directory.ts';
import { distrustGroups, endForGood } from '../../identity/cutoffs.ts';
import { forgetGroups, readGroupsAnew } from '../../identity/people.ts';
import { endSessionsOf } from '../../identity/session-rows.ts';
import { endGrantsOf } from '../../oauth/grants.ts';
import { assertApplicationCanGo, assertNotSelf, assertOthersAdminister } from '../administrators.ts';
import { removeRecord } from '../m2m-clients/store.ts';
import { assertManagesAccount, forgetMade } from '../managed.ts';
import { revokeTokensOf } from '../tokens/store.ts';
import { unsupported } from './create-human.ts';
import { findAccount } from './find-account.ts';
import { type AccountCaller, needAbility, needDirectory, type UsersWorld } from './world.ts';

/** Deletes an account for good; what it has open here ends at its next request. Answers the name of what is gone. */
export async function removeAccount(
  world: UsersWorld,
  idOrName: string,
  caller: AccountCaller,
): Promise<string> {
  const directory = needDirectory(world);
  const found = await findAccount(world, directory, idOrName);
  if (found.kind === 'human') return removePerson(world, directory, found.user, caller);
  if (found.kind === 'm2m') return removeApplication(world, directory, found.account, caller);
  const { record } = found;
  await assertApplicationCanGo(world, directory, caller, { clientId: record.clientId, groups: [] });
  await removeRecord(world.db, record.provider, record.clientId);
  caller.note({ before: { client_id: record.clientId, groups: record.groups }, after: null });
  return record.name;
}

async function removePerson(
  world: UsersWorld,
  directory: Directory,
  user: DirectoryUser,
  caller: AccountCaller,
): Promise<string> {
  const { remove } = directory.users;
  if (!remove) throw unsupported(directory);
  assertNotSelf(caller, user);
  const made = { provider: directory.provider, kind: 'person', id: user.id } as const;
  await assertManagesAccount(world, made, user.username);
  await needAbility(directory, 'writeUsers', 'delete users');
  const { db } = world;
  const owner = { provider: directory.provider, subject: user.id };
  const before = { id: user.id, username: user.username };
  await withLease(world.db, 'administrators', async () => {
    await assertOthersAdminister(world, directory, user);
    await remove(user.id).catch(async (error: unknown) => {
      // It may be gone all the same: what it has open here is proven anew at its next use.
      caller.note({ before });
      await readGroupsAnew(db, owner.provider, owner.subject);
      throw error;
    });
  });
  const at = new Date(world.now()).toISOString();
  const ended = await inTransaction(db, async (trx) => {
    await forgetMade(trx, made);
    const sessions = await endSessionsOf(trx, owner, { at, because: 'Your account was deleted.' });
    const tokens = await revokeTokensOf(trx, owner, { by: caller.identity.username, at });
    await endGrantsOf(trx, owner, { by: caller.identity.username, at, because: 'Your account was deleted.' });
    const gone = await removeConnectionsOf(trx, owner);
    await forgetGroups(trx, owner.provider, owner.subject);
    await endForGood(trx, owner, at, 'Your account was deleted.');
    return { sessions, tokens, gone };
  });
  const { gone, ...counts } = ended;
  world.connectionsEnded(gone);
  caller.note({
    ...{ before, after: null, ...counts },
    ...(gone.length > 0 ? { connections: gone.length } : {}),
  });
  return user.username;
}

async function removeApplication(
  world: UsersWorld,
  directory: Directory,
  account: ServiceAccount,
  caller: AccountCaller,
): Promise<string> {
  const remove = directory.serviceAccounts?.remove;
  if (!remove) throw unsupported(directory);
  const made = { provider: directory.provider, kind: 'application', id: account.clientId } as const;
  await assertManagesAccount(world, made, account.name);
  await needAbility(directory, 'writeServiceAccounts', 'delete accounts of applications');
  await assertApplicationCanGo(world, directory, caller, { clientId: account.clientId, groups: [] });
  await remove(account.id);
  await inTransaction(world.db, async (trx) => {
    await forgetMade(trx, made);
    await removeRecord(trx, directory.provider, account.clientId);
    if (account.principalId === null) return;
    const owner = { provider: directory.provider, subject: account.principalId };
    const at = new Date(world.now()).toISOString();
    await endForGood(trx, owner, at, 'The account of this application was deleted.');
  });
  caller.note({ before: { client_id: account.clientId, name: account.name }, after: null });
  return account.name;
}

/** The groups of a person or an application are read again before anything of theirs goes on. */
export function proveAnew(
  { db, now }: Pick<UsersWorld, 'db' | 'now'>,
  provider: string,
  subject: string,
): Promise<void> {
  return inTransaction(db, async (trx) => {
    await readGroupsAnew(trx, provider, subject);
    await distrustGroups(trx, { provider, subject }, new Date(now()).toISOString());
  });
}
