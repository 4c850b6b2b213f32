import type { ScopeChanged } from '../../../contract/scopes.ts';
import type { Caller } from '../../access/caller.ts';
import type { Scope } from '../../access/scope-set.ts';
import { withLease } from '../../db/lease.ts';
import { Failure } from '../../failure/errors.ts';
import type { Directory, DirectoryGroup } from '../../iam/directory.ts';
import type { Identity } from '../../identity/identity.ts';
import { assertOthersThanGroup, groupsWithout, systemScopes } from '../administrators.ts';
import { forgetMade, type ManagedWorld, managedGroups, notManagedOf, rememberMade } from '../managed.ts';
import { type ChangeWorld, changeScopes, type Done, type Plan, rehearse } from './change.ts';
import type { Wanted } from './definition.ts';
import {
  type EnsuredGroup,
  ensureGroup,
  findUnlessDenied,
  mappedGroupOf,
  orUndo,
  type SkipReason,
  unlessSkipped,
} from './directory-group.ts';
import { readStored, type StoredScope } from './store.ts';
import { serverNames, warningsOf } from './warnings.ts';

/** What scopes are managed with. */
export interface ScopesApiWorld extends ChangeWorld, ManagedWorld {
  /** The directory behind the provider; undefined where none is set up. */
  readonly directory: Directory | undefined;
  /** Whether tokens name groups by Object ID (Entra), so that a mapping by name is probably a mistake. */
  readonly groupsAreIds: boolean;
  /** Paths of the registered agents; absent where there is no registry of agents. */
  readonly agentPaths?: () => Promise<ReadonlySet<string>>;
}

type Who = Caller<Identity>;

/** What became of a scope. */
export interface Written {
  readonly stored: StoredScope;
  readonly created: boolean;
  readonly changed: boolean;
  readonly idpCreated: boolean;
  readonly warnings: readonly string[];
}

/**
 * Makes or replaces a scope and, where that is wanted, its group in the directory. Everything that can be refused is
 * refused before the directory is touched; what fails after that is taken back there.
 */
export async function writeScope(
  world: ScopesApiWorld,
  caller: Who,
  { scope, createInIdp }: Wanted,
  mustBeNew = false,
): Promise<Written> {
  const planFor =
    (ensured?: EnsuredGroup): Plan =>
    (stored) => {
      const before = stored.get(scope.name);
      if (before && mustBeNew) throw taken(before);
      const idpGroupId = ensured?.created ? ensured.group.id : (before?.idpGroupId ?? null);
      return new Map([[scope.name, { scope: mapped(scope, ensured), idpGroupId }]]);
    };
  if (!createInIdp) return written(world, await changeScopes(world, caller, planFor()), scope.name);
  return withLease(world.db, `group ${scope.name}`, async () => {
    await rehearse(world, caller, planFor());
    const known = (await readStored(world.db)).get(scope.name);
    const { name, description = '' } = scope;
    const asked = { name, description, knownId: known?.idpGroupId ?? null };
    const ensured = await ensureGroup(world.directory, asked);
    caller.note({ idp_created: ensured.created, idp_group_id: ensured.group.id });
    const { directory } = world;
    const remember = async (): Promise<void> => {
      if (!directory || !ensured.created) return;
      const made = { provider: directory.provider, kind: 'group', id: ensured.group.id } as const;
      await rememberMade(world.db, made, caller.identity.username, new Date(world.now()).toISOString());
    };
    const done = await orUndo(directory, ensured, caller, async () => {
      await remember();
      return changeScopes(world, caller, planFor(ensured));
    });
    return written(world, done, name, ensured);
  });
}

/** The scope, held by the directory's group too. */
function mapped(scope: Scope, ensured: EnsuredGroup | undefined): Scope {
  const mapping = ensured?.group.mapping;
  if (mapping === undefined || scope.groupMappings.includes(mapping)) return scope;
  return { ...scope, groupMappings: [...scope.groupMappings, mapping] };
}

async function written(
  world: ScopesApiWorld,
  done: Done,
  name: string,
  ensured?: EnsuredGroup,
): Promise<Written> {
  const stored = done.stored.get(name);
  if (!stored)
    throw new Failure(
      'conflict',
      `The scope '${name}' was removed by someone else in the meantime; try again.`,
    );
  const found =
    ensured && !ensured.created && stored.idpGroupId !== ensured.group.id
      ? [`the directory already had a group '${name}' (${ensured.group.id}): its members hold this scope now`]
      : [];
  return {
    stored,
    created: !done.before.has(name),
    changed: done.changed.has(name),
    idpCreated: ensured?.created ?? false,
    warnings: [...found, ...(await warningsFor(world, stored.scope))],
  };
}

/** What of a scope will not work as its writer may think. */
export async function warningsFor(world: ScopesApiWorld, scope: Scope): Promise<string[]> {
  const registered = { servers: await serverNames(world.db), agents: await world.agentPaths?.() };
  return warningsOf(scope, registered, world.groupsAreIds);
}

/** What the API answers to a change of a scope. */
export function changedAnswer(
  message: string,
  { stored, changed, idpCreated, warnings }: Written,
): ScopeChanged {
  return {
    message,
    group_name: stored.scope.name,
    idp_created: idpCreated,
    idp_group_id: stored.idpGroupId,
    auth_server_reloaded: true,
    changed,
    warnings: [...warnings],
  };
}

/** What became of a scope's group in the directory. */
export interface Removed {
  readonly idpDeleted: boolean;
  /** Why it is still there; null when it is not, or nobody asked. */
  readonly skipped: SkipReason | null;
}

/**
 * Removes a scope. The group in the directory goes first where it is to go: when that fails, nothing has changed, and when
 * the rest fails, the same call finishes it.
 */
export async function deleteScope(
  world: ScopesApiWorld,
  caller: Who,
  name: string,
  { fromIdp, force }: { fromIdp: 'managed' | 'mapped' | 'no'; force: boolean },
): Promise<Removed> {
  const plan: Plan = (stored) => {
    if (!stored.has(name)) throw unknownScope(name);
    return new Map([[name, null]]);
  };
  return withLease(world.db, `group ${name}`, async () => {
    await rehearse(world, caller, plan);
    if (systemScopes.includes(name) && !force)
      throw new Failure(
        'not_editable',
        `The roles depend on the scope '${name}'. To remove it anyway, repeat this with force.`,
      );
    const before = (await readStored(world.db)).get(name);
    let id = fromIdp === 'no' ? null : (before?.idpGroupId ?? null);
    if (fromIdp === 'mapped' && id === null)
      id = await mappedGroupOf(world.directory, name, before?.scope.groupMappings ?? []);
    const group = id === null ? undefined : await findUnlessDenied(world.directory, id);
    const foreign = await foreignIn(world, id, group);
    if (world.directory && group && !foreign) {
      await rehearse(world, caller, plan, groupsWithout(world, caller.identity, world.directory, [group]));
      await assertOthersThanGroup(world, world.directory, group);
    }
    const remove = (): Promise<SkipReason | null> =>
      unlessSkipped(world.directory, id, (groups, found) => groups.remove?.(found));
    const skipped = fromIdp === 'no' ? null : foreign ? 'not_managed' : await remove();
    const idpDeleted = fromIdp !== 'no' && skipped === null;
    caller.note({
      idp_deleted: idpDeleted,
      ...(skipped ? { idp_skip_reason: skipped } : {}),
      ...(foreign ? { idp_not_managed: foreign.id } : {}),
    });
    await changeScopes(world, caller, plan);
    if (world.directory && id !== null && (idpDeleted || skipped === 'not_found'))
      await forgetMade(world.db, { provider: world.directory.provider, kind: 'group', id });
    return { idpDeleted, skipped };
  });
}

/** The group that keeps one from being removed: itself or one inside it, where neither is managed here. */
async function foreignIn(
  world: ScopesApiWorld,
  id: string | null,
  group: DirectoryGroup | undefined,
): Promise<DirectoryGroup | undefined> {
  const { directory } = world;
  if (!directory || id === null) return undefined;
  if (group) return notManagedOf(world, directory, group);
  // Not there, or not to be read: then only its id can say that it was made here.
  const unread = { id, name: id, description: null, mapping: id, editable: true };
  return (await managedGroups(world, directory, [unread])).has(unread) ? undefined : unread;
}

/** The failure of a name that no scope has. */
export function unknownScope(name: string): Failure {
  return new Failure('not_found', `There is no scope '${name}'. GET /api/servers/groups lists them.`);
}

function taken({ scope, source }: StoredScope): Failure {
  return new Failure(
    'conflict',
    source === 'file'
      ? `The scope file has a scope '${scope.name}'; edit scopes.yml, or choose another name.`
      : source === 'built_in'
        ? `The role '${scope.name}' is built in; choose another name.`
        : `The scope '${scope.name}' already exists; to replace it, import it, or choose another name.`,
  );
}
