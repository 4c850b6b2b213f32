import { groupKey } from '../access/names.ts';
import type { Db, MadeHereTable } from '../db/tables.ts';
import { Failure, type Fault } from '../failure/errors.ts';
import type { Directory, DirectoryGroup } from '../iam/directory.ts';
import type { AdministratorsWorld } from './administrators.ts';

/** What is changed in a directory (`IAM_MANAGES`). */
export type Manages = 'own' | 'mapped' | 'all';

/** What the question whether something may be changed in a directory is answered from. */
export interface ManagedWorld extends AdministratorsWorld {
  readonly manages: Manages;
}

/** Something that the gateway created in a directory. */
export interface Made {
  readonly provider: string;
  readonly kind: 'group' | 'person' | 'application';
  /** The directory's id; the client id for an application. */
  readonly id: string;
}

/** Remembers that the gateway created something, so that it may delete it again. */
export async function rememberMade(db: Db, made: Made, by: string, at: string): Promise<void> {
  const row: MadeHereTable = { ...made, id: groupKey(made.id), made_by: by, made_at: at };
  await db
    .insertInto('made_here')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Forgets what is gone: something else may get its id, where ids are names. */
export async function forgetMade(db: Db, { provider, kind, id }: Made): Promise<void> {
  await db
    .deleteFrom('made_here')
    .where('kind', '=', kind)
    .where('id', '=', groupKey(id))
    .where('provider', 'in', [provider, ''])
    .execute();
}

/** Ids that are asked for in one statement. */
const batch = 200;

/** Those of the ids that the gateway created, as they were given. */
async function madeAmong(
  db: Db,
  { provider, kind }: Omit<Made, 'id'>,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const made = new Set<string>();
  for (let start = 0; start < ids.length; start += batch) {
    const rows = await db
      .selectFrom('made_here')
      .select('id')
      .where('kind', '=', kind)
      .where('provider', 'in', [provider, ''])
      .where('id', 'in', ids.slice(start, start + batch).map(groupKey))
      .execute();
    for (const { id } of rows) made.add(id);
  }
  return new Set(ids.filter((id) => made.has(groupKey(id))));
}

/**
 * Those of a directory's groups that may be changed or deleted: created here, or mapped by a scope in the very form that
 * gives access, whatever their names look like. A group inside a mapped one is mapped only when a scope names it too.
 */
export async function managedGroups(
  { db, grants, qualify, manages }: ManagedWorld,
  { provider }: Directory,
  groups: readonly DirectoryGroup[],
): Promise<ReadonlySet<DirectoryGroup>> {
  if (manages === 'all') return new Set(groups);
  const made = await madeAmong(
    db,
    { provider, kind: 'group' },
    groups.map(({ id }) => id),
  );
  const { byGroup } = grants();
  const isMapped = ({ mapping }: DirectoryGroup): boolean =>
    manages === 'mapped' && qualify(provider, [mapping]).some((name) => byGroup.has(groupKey(name)));
  return new Set(groups.filter((group) => made.has(group.id) || isMapped(group)));
}

/** The first of the groups that would be deleted with this one and may not be, or the group itself; undefined: all may. */
export async function notManagedOf(
  world: ManagedWorld,
  directory: Directory,
  group: DirectoryGroup,
): Promise<DirectoryGroup | undefined> {
  const all = [group, ...((await directory.groups.within?.(group.id)) ?? [])];
  const managed = await managedGroups(world, directory, all);
  return all.find((one) => !managed.has(one));
}

/** Refuses groups whose members are not changed from here; each is told as a fault of `body.groups`. */
export async function assertManagesGroups(
  world: ManagedWorld,
  directory: Directory,
  asked: readonly { readonly asked: string; readonly group: DirectoryGroup }[],
): Promise<void> {
  const managed = await managedGroups(
    world,
    directory,
    asked.map(({ group }) => group),
  );
  const faults = asked.flatMap(({ asked: name, group }): Fault[] =>
    managed.has(group) ? [] : [{ at: 'body.groups', message: whyNotGroup(world, group, name) }],
  );
  if (faults.length === 0) return;
  const list = faults.map(({ message }) => message).join(' ');
  throw new Failure('not_allowed', `Nothing was changed: ${list}`, { faults });
}

/** Why a group stays as it is, and what to do about it. */
function whyNotGroup({ manages }: ManagedWorld, { name, id }: DirectoryGroup, asked = name): string {
  const named = `the directory's group '${asked}'${asked === id ? '' : ` (${id})`}`;
  return manages === 'own'
    ? `${named} was not created by this gateway, which changes no other (IAM_MANAGES=own): use the provider's own portal.`
    : `no scope maps ${named}, and this gateway did not create it: map it to a scope first, use the provider's own portal, or set IAM_MANAGES=all.`;
}

/** Refuses to change or delete an account that the gateway did not create. */
export async function assertManagesAccount(
  { db, manages }: ManagedWorld,
  { provider, kind, id }: Made,
  name: string,
): Promise<void> {
  if (manages === 'all' || (await madeAmong(db, { provider, kind }, [id])).has(id)) return;
  throw new Failure(
    'not_allowed',
    `The account '${name}' was not created by this gateway, so it cannot be deleted or given secrets here: use the portal of ${provider}, or set IAM_MANAGES=all. Its groups can be changed here.`,
  );
}
