import { administratorScopes } from '../../access/holding.ts';
import { groupKey } from '../../access/names.ts';
import { Failure } from '../../failure/errors.ts';
import type { Directory, DirectoryGroup } from '../../iam/directory.ts';
import { readStored } from '../scopes/store.ts';
import type { UsersWorld, Who } from './world.ts';

/** Refuses the deletion of one's own account. */
export function assertNotSelf({ identity }: Who, { id, username }: { id: string; username: string }): void {
  const isSelf =
    groupKey(identity.subject) === groupKey(id) || identity.username.toLowerCase() === username.toLowerCase();
  if (isSelf) throw new Failure('not_allowed', 'You cannot delete your own account.');
}

/**
 * Refuses what would leave nobody in the directory who is an administrator here: somebody else with an enabled account has
 * to be in one of the administrators' groups.
 */
export async function assertOthersAdminister(
  { db }: UsersWorld,
  directory: Directory,
  leaver: { readonly id: string; readonly username: string },
  /** The groups that they are taken out of; undefined: all. */
  left?: readonly DirectoryGroup[],
): Promise<void> {
  const mappings = await administratorGroups(db);
  if (left && !left.some(({ mapping }) => mappings.has(groupKey(mapping)))) return;
  let wasIn = false;
  for (const mapping of mappings) {
    const group = await directory.groups.find(mapping);
    if (!group) continue;
    const people = await directory.memberships.people(group.id, 2);
    if (people.some((id) => id !== leaver.id)) return;
    wasIn ||= people.includes(leaver.id);
  }
  if (!wasIn) return;
  throw new Failure(
    'would_lock_out',
    `'${leaver.username}' is the last administrator: nobody else with an enabled account is in a group of ${administratorScopes.join(' or ')}. Put somebody else into one first.`,
  );
}

async function administratorGroups(db: UsersWorld['db']): Promise<ReadonlySet<string>> {
  const stored = await readStored(db);
  const scopes = [...stored.values()].filter(({ scope }) => administratorScopes.includes(scope.name));
  return new Set(scopes.flatMap(({ scope }) => scope.groupMappings.map(groupKey)));
}
