import type { Caller } from '../../access/caller.ts';
import { lockUntilCommit } from '../../db/lease.ts';
import type { Db } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { assertStaysAdministrator, groupsGainingPower } from '../administrators.ts';
import { differs, shownStored } from './definition.ts';
import {
  putScope,
  readStored,
  removeScope,
  type ScopeSource,
  type StoredScope,
  type StoredScopes,
} from './store.ts';
import type { Scopes } from './watch.ts';

/** What changing scopes works with. */
export interface ChangeWorld {
  readonly db: Db;
  readonly scopes: Scopes;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A scope as it is to be; null: it is to go. */
type Wish = Pick<StoredScope, 'scope' | 'idpGroupId'> | null;

/** What is to become of scopes, by name, seeing those that there are; a plan throws when it cannot be. */
export type Plan = (stored: StoredScopes) => ReadonlyMap<string, Wish>;

/** What a change has done. */
export interface Done {
  /** As they were. */
  readonly before: StoredScopes;
  /** Names of the scopes that are not as they were. */
  readonly changed: ReadonlySet<string>;
  readonly stored: StoredScopes;
}

/** Throws what making the change would throw, and changes nothing. */
export async function rehearse(
  world: ChangeWorld,
  caller: Caller<Identity>,
  plan: Plan,
  /** The groups that the caller has after the change, where it takes one away. */
  groups?: readonly string[],
): Promise<void> {
  examine(world, caller, await readStored(world.db), plan, groups);
}

/**
 * Changes scopes of the API: all that the plan says in one transaction, or nothing. One scope takes three statements: what
 * there is, the scope, and the change that others are told of.
 * Throws `not_editable` for a scope of the file and `would_lock_out` when the caller would be no administrator any more.
 */
export async function changeScopes(world: ChangeWorld, caller: Caller<Identity>, plan: Plan): Promise<Done> {
  const { before, examined } = await inTransaction(world.db, async (trx) => {
    await lockUntilCommit(trx, 'scopes');
    const before = await readStored(trx);
    const examined = examine(world, caller, before, plan);
    if (examined.changes.size > 0) await write({ ...world, db: trx }, examined.changes);
    return { before, examined };
  });
  note(caller, before, examined.changes, examined.gaining);
  return { before, changed: new Set(examined.changes.keys()), stored: examined.next };
}

/** What a plan comes to, and the groups that are as good as administrators by it and were not. */
interface Examined {
  readonly changes: ReadonlyMap<string, Wish>;
  /** The scopes after it. */
  readonly next: StoredScopes;
  readonly gaining: readonly string[];
}

function examine(
  world: ChangeWorld,
  caller: Caller<Identity>,
  stored: StoredScopes,
  plan: Plan,
  groups?: readonly string[],
): Examined {
  const wishes = plan(stored);
  for (const name of wishes.keys()) {
    const source = stored.get(name)?.source;
    if (source && source !== 'api') throw notOfTheApi(world, name, source);
  }
  const changes = new Map([...wishes].filter(([name, wish]) => differs(stored.get(name), wish)));
  const next = new Map(stored);
  const at = new Date(world.now()).toISOString();
  for (const [name, wish] of changes)
    if (wish)
      next.set(name, {
        ...{ ...wish, source: 'api', updatedAt: at },
        createdAt: stored.get(name)?.createdAt ?? at,
      });
    else next.delete(name);
  const { grantsOf } = world.scopes;
  const [now, then] = [grantsOf(stored), grantsOf(next)];
  assertStaysAdministrator(caller.identity, now, then, groups);
  return { changes, next, gaining: groupsGainingPower(now, then) };
}

async function write(world: ChangeWorld, changes: ReadonlyMap<string, Wish>): Promise<void> {
  const at = new Date(world.now()).toISOString();
  for (const [name, wish] of changes)
    if (!wish) await removeScope(world.db, name);
    else if (!(await putScope(world.db, wish, at))) throw notOfTheApi(world, name, 'file');
}

/** The refusal to change a scope that the scope file owns, or nobody. */
function notOfTheApi({ scopes }: ChangeWorld, name: string, source: ScopeSource): Failure {
  return new Failure(
    'not_editable',
    source === 'built_in'
      ? `The role '${name}' is built in. Create a scope of another name for the same group, or write a scope file of your own (${scopes.status().file}); it is read as soon as it is there.`
      : `The scope '${name}' comes from the scope file. Edit scopes.yml (${scopes.status().file}) instead; it is read again as soon as it changes.`,
  );
}

function note(
  caller: Caller<Identity>,
  before: StoredScopes,
  changes: ReadonlyMap<string, Wish>,
  gaining: readonly string[],
): void {
  const names = [...changes.keys()];
  caller.note({
    scopes: names,
    before: names.map((name) => shownStored(before.get(name))),
    after: names.map((name) => shownStored(changes.get(name))),
    ...(gaining.length > 0 ? { admin_grant: true, admin_grant_to: [...gaining] } : {}),
  });
}
