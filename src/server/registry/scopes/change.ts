import type { Caller } from '../../access/caller.ts';
import type { Scope } from '../../access/scope-set.ts';
import type { Db } from '../../db/tables.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { definitionOf } from './definition.ts';
import { assertStaysAdministrator, isAdminGrant } from './guard.ts';
import { putScope, readStored, removeScope, type StoredScope, type StoredScopes } from './store.ts';
import type { InTurn } from './turns.ts';
import type { Scopes } from './watch.ts';

/** What changing scopes works with. */
export interface ChangeWorld {
  readonly db: Db;
  readonly scopes: Scopes;
  readonly inTurn: InTurn;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A scope as it is to be; null: it is to go. */
export type Wish = Pick<StoredScope, 'scope' | 'idpGroupId'> | null;

/** What is to become of scopes, by name, seeing those that there are; a plan throws when it cannot be. */
export type Plan = (stored: StoredScopes) => ReadonlyMap<string, Wish>;

/** What a change has done. */
export interface Done {
  /** Names of the scopes that are not as they were. */
  readonly changed: ReadonlySet<string>;
  readonly stored: StoredScopes;
}

/** Throws what making the change would throw, and changes nothing. */
export async function rehearse(world: ChangeWorld, caller: Caller<Identity>, plan: Plan): Promise<void> {
  examine(world, caller, await readStored(world.db), plan);
}

/**
 * Changes scopes of the API: all that the plan says in one transaction, or nothing. They are in force when it resolves.
 * Throws `not_editable` for a scope of the file and `would_lock_out` when the caller would be no administrator any more.
 */
export async function changeScopes(world: ChangeWorld, caller: Caller<Identity>, plan: Plan): Promise<Done> {
  return world.inTurn('scopes', async () => {
    const before = await readStored(world.db);
    const changes = examine(world, caller, before, plan);
    if (changes.size > 0) {
      await write(world, changes);
      await world.scopes.reload();
    }
    note(caller, before, changes);
    return { changed: new Set(changes.keys()), stored: await readStored(world.db) };
  });
}

function examine(
  world: ChangeWorld,
  caller: Caller<Identity>,
  stored: StoredScopes,
  plan: Plan,
): ReadonlyMap<string, Wish> {
  const wishes = plan(stored);
  for (const name of wishes.keys()) if (stored.get(name)?.source === 'file') throw ofTheFile(world, name);
  const changes = new Map([...wishes].filter(([name, wish]) => differs(stored.get(name), wish)));
  const next = new Map(stored);
  const at = new Date(world.now()).toISOString();
  for (const [name, wish] of changes)
    if (wish) next.set(name, { ...wish, source: 'api', createdAt: at, updatedAt: at });
    else next.delete(name);
  const { grantsOf } = world.scopes;
  assertStaysAdministrator(caller.identity, grantsOf(stored), grantsOf(next));
  return changes;
}

function differs(before: StoredScope | undefined, wish: Wish): boolean {
  if (!before || !wish) return Boolean(before) !== Boolean(wish);
  return before.idpGroupId !== wish.idpGroupId || textOf(before.scope) !== textOf(wish.scope);
}

function textOf(scope: Scope): string {
  return JSON.stringify(definitionOf(scope));
}

async function write(world: ChangeWorld, changes: ReadonlyMap<string, Wish>): Promise<void> {
  const at = new Date(world.now()).toISOString();
  await world.db.transaction().execute(async (trx) => {
    for (const [name, wish] of changes)
      if (!wish) await removeScope(trx, name);
      else if (!(await putScope(trx, wish, at))) throw ofTheFile(world, name);
  });
}

/** The refusal to change a scope that the scope file owns. */
function ofTheFile({ scopes }: ChangeWorld, name: string): Failure {
  return new Failure(
    'not_editable',
    `The scope '${name}' comes from the scope file. Edit scopes.yml (${scopes.status().file}) instead; it is read again as soon as it changes.`,
  );
}

function note(caller: Caller<Identity>, before: StoredScopes, changes: ReadonlyMap<string, Wish>): void {
  const names = [...changes.keys()];
  const show = (found: Wish | undefined) =>
    found ? { ...definitionOf(found.scope), idp_group_id: found.idpGroupId } : null;
  const granted = names.some((name) => isAdminGrant(before.get(name)?.scope, changes.get(name)?.scope));
  caller.note({
    scopes: names,
    before: names.map((name) => show(before.get(name))),
    after: names.map((name) => show(changes.get(name))),
    ...(granted ? { admin_grant: true } : {}),
  });
}
