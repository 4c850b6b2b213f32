import { factsOf, uiPermissions } from '../../contract/permissions.ts';
import type { Subject } from '../access/call.ts';
import type { Caller } from '../access/caller.ts';
import {
  accessOf,
  administratorScopes,
  clientsIn,
  type Grants,
  makesAdministrators,
} from '../access/grants.ts';
import { groupKey } from '../access/names.ts';
import type { Db } from '../db/tables.ts';
import { Failure } from '../failure/errors.ts';
import type { Directory, DirectoryGroup } from '../iam/directory.ts';
import type { Identity } from '../identity/identity.ts';

/** Scopes that the four roles stand on: they are removed only with `force`. */
export const systemScopes: readonly string[] = [
  ...administratorScopes,
  'mcp-registry-operator',
  'mcp-servers-unrestricted/read',
  'mcp-servers-unrestricted/execute',
];

/** What questions about administrators are answered from: the compiled grants, by which every request is decided. */
export interface AdministratorsWorld {
  readonly db: Db;
  readonly grants: () => Grants;
  /** Groups of a provider as scopes map them. */
  readonly qualify: (provider: string, groups: readonly string[]) => readonly string[];
}

/**
 * Refuses a change after which the caller would be no administrator any more: the caller of a change is one, so there
 * always is somebody left who can undo it. Somebody who is not one any more when the change is made changes nothing.
 * `groups` are those that the caller has after the change.
 */
export function assertStaysAdministrator(
  { groups: had, limitedTo }: Identity,
  before: Grants,
  after: Grants,
  groups: readonly string[] = had,
): void {
  if (!accessOf({ groups: had, limitedTo }, before).isAdmin)
    throw new Failure('not_allowed', 'Administrator permissions are required for this operation.');
  if (accessOf({ groups, limitedTo }, after).isAdmin) return;
  throw new Failure(
    'would_lock_out',
    `After this you would no longer be an administrator, and perhaps no one would. Map one of your groups to ${administratorScopes.join(' or ')} first, or ask another administrator to do it.`,
  );
}

/** Refuses the deletion of one's own account. */
export function assertNotSelf(
  { identity }: Caller<Identity>,
  { id, username }: { id: string; username: string },
): void {
  const isSelf =
    groupKey(identity.subject) === groupKey(id) || identity.username.toLowerCase() === username.toLowerCase();
  if (isSelf) throw new Failure('not_allowed', 'You cannot delete your own account.');
}

/**
 * Refuses what would leave nobody in the directory who is an administrator here: somebody else with an enabled account has
 * to be in one of the administrators' groups, directly or through other groups.
 */
export async function assertOthersAdminister(
  world: AdministratorsWorld,
  directory: Directory,
  leaver: { readonly id: string; readonly username: string },
  /** The groups that the leaver is taken out of, and stays in; undefined: the account goes. */
  change?: { readonly left: readonly DirectoryGroup[]; readonly kept: readonly DirectoryGroup[] },
): Promise<void> {
  const mappings = administratorMappings(world, directory);
  if (change) {
    const stays = change.kept.some(({ mapping }) => mappings.has(groupKey(mapping)));
    if (stays || change.left.length === 0) return;
    if (await hasAdministratorRole(world, directory, leaver.id)) return;
  }
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
    `'${leaver.username}' is the last administrator: no one else with an enabled account is in a group of ${administratorScopes.join(' or ')}. Add someone else to one first.`,
  );
}

/** People of one group that are looked at, to find one who stays an administrator. */
const peopleLookedAt = 100;

/** Refuses the removal of a group of the directory without which nobody there would be an administrator here. */
export async function assertOthersThanGroup(
  world: AdministratorsWorld,
  directory: Directory,
  gone: DirectoryGroup,
): Promise<void> {
  const { groups, memberships } = directory;
  const inGone = new Set(await memberships.people(gone.id, peopleLookedAt));
  if (inGone.size === 0) return;
  let loses = false;
  for (const mapping of administratorMappings(world, directory)) {
    const group = await groups.find(mapping);
    if (!group) continue;
    if (group.id === gone.id) {
      loses = true;
      continue;
    }
    const people = await memberships.people(group.id, peopleLookedAt);
    if (people.some((id) => !inGone.has(id))) return;
    // Who is in both may be an administrator only through the group that goes, where groups are members of groups.
    const direct = await memberships.ofUsers(people);
    if (direct.some((held) => held?.some(({ id }) => id === group.id))) return;
    loses ||= people.length > 0;
  }
  if (!loses) return;
  throw new Failure(
    'would_lock_out',
    `All administrators are administrators through the group '${gone.name}' of the directory. Add someone to another group of ${administratorScopes.join(' or ')} first.`,
  );
}

/**
 * Refuses an application to take the last administrator's rights from itself; `groups` are those, as scopes map them, that
 * it has afterwards. Somebody else who does that to it is an administrator and stays one.
 */
export async function assertApplicationCanGo(
  world: AdministratorsWorld,
  directory: Directory | undefined,
  { identity }: Caller<Identity>,
  application: { readonly clientId: string; readonly groups: readonly string[] },
): Promise<void> {
  const isSelf =
    identity.kind === 'agent' && identity.clientId?.toLowerCase() === application.clientId.toLowerCase();
  if (!isSelf) return;
  const roles = identity.groups.filter((group) => /^(?:[a-z][a-z0-9-]*:)?role:/.test(group));
  if (accessOf({ groups: [...roles, ...application.groups] }, world.grants()).isAdmin) return;
  for (const mapping of directory ? administratorMappings(world, directory) : []) {
    const group = await directory?.groups.find(mapping);
    if (group && (await directory?.memberships.people(group.id, 1))?.length) return;
  }
  throw new Failure(
    'would_lock_out',
    `After this you would no longer be an administrator, and there is no one else. Add someone to a group of ${administratorScopes.join(' or ')} first.`,
  );
}

/** The caller's groups without some of a directory's. */
export function groupsWithout(
  { qualify }: AdministratorsWorld,
  { groups }: Identity,
  { provider }: Directory,
  left: readonly DirectoryGroup[],
): readonly string[] {
  const gone = new Set(left.flatMap(({ mapping }) => qualify(provider, [mapping])).map(groupKey));
  return groups.filter((group) => !gone.has(groupKey(group)));
}

/**
 * Why scopes that somebody wrote elsewhere would leave no administrator, as far as it is known here: no group holds an
 * administrator scope any more, or none of the people and applications who were administrators is one. Undefined when
 * somebody is left, or nobody was one before.
 */
export async function lockOutBy(db: Db, before: Grants, after: Grants): Promise<string | undefined> {
  if (!someGroupAdministers(before)) return undefined;
  const rest = 'the last valid scopes stay active; restart the gateway to apply the file anyway';
  if (!someGroupAdministers(after))
    return `no group holds ${administratorScopes.join(' or ')} any more, so no one would be an administrator: map a group to one of them (${rest})`;
  const people = await db.selectFrom('people').select('groups').distinct().execute();
  const clients = await db
    .selectFrom('m2m_clients')
    .select('groups')
    .distinct()
    .where('is_enabled', '=', 1)
    .execute();
  const known = [...people, ...clients].map(({ groups }) => JSON.parse(groups) as string[]);
  const administers = (grants: Grants) => (groups: readonly string[]) => accessOf({ groups }, grants).isAdmin;
  if (!known.some(administers(before)) || known.some(administers(after))) return undefined;
  return `no current administrator would remain one: map a group of theirs to ${administratorScopes.join(' or ')} (${rest})`;
}

/** Whether a group is mapped to an administrator scope. */
function someGroupAdministers({ byGroup }: Grants): boolean {
  return [...byGroup.values()].some((scopes) => scopes.some(makesAdministrators));
}

/** The administrators' groups that can be of this directory, as the directory calls them. */
function administratorMappings(
  { grants, qualify }: AdministratorsWorld,
  { provider }: Directory,
): Set<string> {
  const mappings = new Set<string>();
  for (const [group, scopes] of grants().byGroup) {
    if (!scopes.some(makesAdministrators)) continue;
    const bare = group.startsWith(`${provider}:`) ? group.slice(provider.length + 1) : group;
    if (groupKey(qualify(provider, [bare])[0] ?? '') === group) mappings.add(groupKey(bare));
  }
  return mappings;
}

/** Whether a person is an administrator by a role that the provider's tokens name: no group of the directory gives it. */
async function hasAdministratorRole(
  { db, grants, qualify }: AdministratorsWorld,
  { provider }: Directory,
  subject: string,
): Promise<boolean> {
  const known = await db
    .selectFrom('people')
    .select('groups')
    .where('provider', '=', provider)
    .where('subject', '=', subject)
    .executeTakeFirst();
  const [prefix = ''] = qualify(provider, ['role:']);
  const roles = (JSON.parse(known?.groups ?? '[]') as string[]).filter((group) => group.startsWith(prefix));
  return accessOf({ groups: roles }, grants()).isAdmin;
}

/**
 * What somebody may do that makes them as good as an administrator, in words: an administrator scope, calls to every
 * server, or a permission to change things that holds for every one.
 */
function powersOf(subject: Subject, grants: Grants): ReadonlySet<string> {
  const access = accessOf({ ...subject, clientNames: clientsIn(grants) }, grants);
  const everywhere = uiPermissions.filter(
    (permission) => access.permissions.get(permission) === 'all' && !factsOf(permission)?.harmless,
  );
  return new Set([
    ...(access.isAdmin ? ['administrator'] : []),
    ...(access.servers === 'all' ? ['every server'] : []),
    ...everywhere.map((permission) => `${permission}: all`),
  ]);
}

/** Whether somebody has such powers by the grants and groups of after that they had not by those of before. */
function gainsPower(
  before: { readonly subject: Subject; readonly grants: Grants },
  after: { readonly subject: Subject; readonly grants: Grants },
): boolean {
  const had = powersOf(before.subject, before.grants);
  return [...powersOf(after.subject, after.grants)].some((power) => !had.has(power));
}

/** What the audit notes of somebody whose groups change: `admin_grant` where that gives such powers. */
export function notedPower(
  { grants }: Pick<AdministratorsWorld, 'grants'>,
  before: readonly string[],
  after: readonly string[],
): { readonly admin_grant?: true } {
  const now = grants();
  const gains = gainsPower(
    { subject: { groups: before }, grants: now },
    { subject: { groups: after }, grants: now },
  );
  return gains ? { admin_grant: true } : {};
}

/** The groups whose members gain such powers when the grants change, whatever has changed them. */
export function groupsGainingPower(before: Grants, after: Grants): string[] {
  return [...after.byGroup.keys()].filter((group) => {
    const subject = { groups: [group] };
    return gainsPower({ subject, grants: before }, { subject: { ...subject }, grants: after });
  });
}
