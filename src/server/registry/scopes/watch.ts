import { existsSync } from 'node:fs';
import { compile, type Grants, type PersonalScope } from '../../access/grants.ts';
import type { Scope, ScopeSet } from '../../access/scope-set.ts';
import { type ScopeFileFault, ScopesFault } from '../../access/yaml-reader.ts';
import type { Feed } from '../../changes/feed.ts';
import type { Db } from '../../db/tables.ts';
import { createPersonalGrants } from '../access-requests/personal-grants.ts';
import type { RequestRow } from '../access-requests/store.ts';
import { groupsGainingPower, lockOutBy } from '../administrators.ts';
import { changedNames, shownStored } from './definition.ts';
import { type After, afterUnref, fingerprint, watchFile } from './file-watch.ts';
import type { Logger } from './logger.ts';
import { type GroupMappings, withMappings } from './mappings.ts';
import { readStored, type StoredScope, type StoredScopes } from './store.ts';
import { takeBuiltIn, takeOver } from './take-over.ts';

/**
 * What stored scopes grant, with the groups of the configuration; `unknown` are the scopes that those name in vain. Only
 * the scope file takes a group out of the configuration's hands: a scope made through the API adds to it. `canonical`
 * makes one name of a group's several. `personal` is what single people hold besides.
 */
export function compileStored(
  stored: StoredScopes,
  extra: GroupMappings = {},
  canonical: (group: string) => string = (group) => group,
  personal: readonly PersonalScope[] = [],
): { grants: Grants; scopes: ScopeSet; unknown: readonly string[] } {
  const all = [...stored.values()].map(({ scope, source }): { scope: Scope; source: string } => ({
    source,
    scope: { ...scope, groupMappings: scope.groupMappings.map(canonical) },
  }));
  const set: ScopeSet = new Map(all.map(({ scope }) => [scope.name, scope]));
  const written = all.filter(({ source }) => source === 'file').map(({ scope }) => scope);
  const more = Object.fromEntries(Object.entries(extra).map(([group, names]) => [canonical(group), names]));
  const { scopes, unknown } = withMappings(set, more, written);
  return { grants: compile(scopes, personal), scopes, unknown };
}

/** What the scopes need of the world. */
export interface ScopesWorld {
  readonly db: Db;
  readonly feed: Pick<Feed, 'follow'>;
  /** The path of the scope file. */
  readonly file: string;
  /** The roles that are built in: a file may name them, and they are in force while there is no file and was none. */
  readonly builtIn?: ScopeSet;
  /** Whether groups are known by their Object IDs alone (Entra ID). */
  readonly groupsAreIds?: boolean;
  /** How to create a scope file, as the end of a sentence about one that is missing. */
  readonly remedy?: string;
  /** Groups that hold scopes besides those of the file, such as ENTRA_GROUP_ADMIN_ID's. */
  readonly extraMappings?: GroupMappings;
  /** The one form of a group's name, where it has several; unless given, names are taken as they are. */
  readonly canonical?: (group: string) => string;
  readonly log: Logger;
  /** Records what a new state of the scope file changed, as the detail of a change that nobody asked the API for. */
  readonly record?: (detail: Readonly<Record<string, unknown>>) => void;
  /** Records that the groups of `extraMappings` are others than at the last start. */
  readonly recordSettings?: (detail: Readonly<Record<string, unknown>>) => void;
  /** Records that access which somebody was granted on request is over by its time. */
  readonly recordEnd?: (ended: RequestRow) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Timers; unless given, real ones that do not keep the process alive. */
  readonly after?: After;
}

/** How the scopes came about; times are ISO 8601 in UTC. */
export interface ScopesStatus {
  readonly file: string;
  /** When the file was last taken over; null when it has not been since the start: then the stored scopes are in force. */
  readonly loadedAt: string | null;
  /** Why the file as it is now is not in force; null when it is. */
  readonly fault: { readonly at: string; readonly faults: readonly ScopeFileFault[] } | null;
}

/** The scopes in force. */
export interface Scopes {
  /** What is granted now; the same object until the next reading. */
  grants(): Grants;
  /** What would be granted if these were the stored scopes. */
  grantsOf(stored: StoredScopes): Grants;
  status(): ScopesStatus;
  /** Loads the file again, as happens when it changes; a faulty one is refused, which the status says. Rejects when the database fails. */
  reload(): Promise<ScopesStatus>;
  close(): Promise<void>;
}

/**
 * Loads the scope file into the database, also whenever it changes, and compiles the stored scopes, also whenever the
 * change feed says that they changed. Where there is no file and was none, the built-in roles are active. A faulty or missing file is logged with line and column and changes nothing: the
 * stored scopes, the last good ones, stay. Throws the ScopesFault when there are none either, and when the built-in
 * roles would be held by nobody.
 */
export async function startScopes(world: ScopesWorld): Promise<Scopes> {
  const { db, file, feed, log } = world;
  const since = await fingerprint(file);
  let grants: Grants;
  let stored: StoredScopes = new Map();
  let changes = 0;
  const personal = createPersonalGrants({
    ...{ db, log, now: world.now, after: world.after ?? afterUnref, record: world.recordEnd },
    over: () => {
      grants = compile();
    },
  });
  const warn = createWarner(log);
  const compile = (): Grants => {
    const compiled = compileStored(stored, world.extraMappings, world.canonical, personal.now());
    warn(compiled.grants, compiled.unknown);
    return compiled.grants;
  };
  const readAgain = async (): Promise<void> => {
    await personal.load();
    stored = await readStored(db);
    grants = compile();
  };
  const compileAgain = async (): Promise<void> => {
    changes += 1;
    await readAgain();
  };
  const leave = feed.follow(['scope'], compileAgain);
  let status = await load(world);
  await recordMapped(world, await readStored(db));
  // What changes while the scopes are read may be older in the reading.
  for (let before = -1; before !== changes; ) {
    before = changes;
    await readAgain();
  }

  // One at a time, so that an older state of the file never comes after a newer one.
  let last: Promise<unknown> = Promise.resolve();
  const reload = (): Promise<ScopesStatus> => {
    const next = last.then(async () => {
      status = await load(world, { grants, status });
      return status;
    });
    last = next.catch(() => {});
    return next;
  };
  const watch = watchFile({ file, since, changed: reload, log, after: world.after ?? afterUnref });

  return {
    grants: () => grants,
    grantsOf: (next) => compileStored(next, world.extraMappings, world.canonical, personal.now()).grants,
    status: () => status,
    reload,
    async close() {
      leave();
      watch.close();
      personal.close();
      await last;
    },
  };
}

interface State {
  readonly grants: Grants;
  readonly status: ScopesStatus;
}

async function load(world: ScopesWorld, before?: State): Promise<ScopesStatus> {
  const at = new Date(world.now()).toISOString();
  const refuse = before && ((db: Db, next: ScopeSet) => lockOut({ ...world, db }, before.grants, next));
  const took = (stored: StoredScopes, now: StoredScopes) => recordTaken(world, stored, now);
  const { builtIn = new Map() } = world;
  const fault = await takeOver({ ...world, builtIn, took, ...(refuse ? { refuse } : {}) });
  if (!fault) return { file: world.file, loadedAt: at, fault: null };
  if (!before && builtIn.size > 0 && !existsSync(world.file)) {
    await assertSomebody(world, builtIn);
    if (await takeBuiltIn(world.db, builtIn, world.now(), took)) {
      world.log.info({ file: world.file }, 'there is no scope file: the built-in roles are active');
      return { file: world.file, loadedAt: null, fault: null };
    }
  }
  if (!before && (await readStored(world.db)).size === 0) throw fault;
  world.log.error(
    { file: world.file, faults: fault.faults.slice(0, 25) },
    `the scope file is refused and the last valid scopes stay active:\n${fault.message}`,
  );
  const loadedAt = before?.status.loadedAt ?? null;
  return { file: world.file, loadedAt, fault: { at, faults: fault.faults } };
}

/**
 * What a new state of the file did, also one that was there before this start; of several processes that read it, the one
 * that stored it records it. The very first file changes nothing: there was nobody to gain anything before.
 */
function recordTaken(world: ScopesWorld, before: StoredScopes, after: StoredScopes): void {
  const names = changedNames(before, after);
  if (before.size === 0 || names.length === 0) return;
  const [had, has] = [before, after].map(
    (stored) => compileStored(stored, world.extraMappings, world.canonical).grants,
  ) as [Grants, Grants];
  const gaining = groupsGainingPower(had, has);
  world.record?.({
    ...(gaining.length > 0 ? { admin_grant: true, admin_grant_to: gaining } : {}),
    scopes: names,
    before: names.map((name) => shownStored(before.get(name))),
    after: names.map((name) => shownStored(after.get(name))),
  });
}

/**
 * What the groups that settings map gained since the last start: a changed setting gives power as a changed file does. Of
 * several processes that start with it, the one that stored it records it; the first start of all changes nothing.
 */
async function recordMapped(world: ScopesWorld, stored: StoredScopes): Promise<void> {
  const { db, extraMappings = {}, canonical, recordSettings } = world;
  const name = 'group_mappings';
  const seen = { value: JSON.stringify(extraMappings), seen_at: new Date(world.now()).toISOString() };
  const row = await db
    .selectFrom('seen_settings')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirst();
  if (row?.value === seen.value) return;
  if (!row) {
    const added = db.insertInto('seen_settings').values({ name, ...seen });
    await added.onConflict((conflict) => conflict.column('name').doNothing()).execute();
    return;
  }
  const { numUpdatedRows } = await db
    .updateTable('seen_settings')
    .set(seen)
    .where('name', '=', name)
    .where('value', '=', row.value)
    .executeTakeFirst();
  if (Number(numUpdatedRows) === 0) return;
  const before = JSON.parse(row.value) as GroupMappings;
  const [had, has] = [before, extraMappings].map(
    (extra) => compileStored(stored, extra, canonical).grants,
  ) as [Grants, Grants];
  const gaining = groupsGainingPower(had, has);
  recordSettings?.({
    ...(gaining.length > 0 ? { admin_grant: true, admin_grant_to: gaining } : {}),
    ...{ before, after: extraMappings },
  });
}

/** Throws the fault of a scope file that is not there while no setting and no scope of the API gives anybody access. */
async function assertSomebody(world: ScopesWorld, builtIn: ScopeSet): Promise<void> {
  const { db, file, extraMappings, canonical, remedy = 'create it' } = world;
  const stored = await readStored(db);
  if ([...stored.values()].some(({ source }) => source === 'file')) return;
  const roles = [...builtIn].map(([name, scope]): [string, StoredScope] => [
    name,
    { scope, source: 'built_in', idpGroupId: null, createdAt: null, updatedAt: '' },
  ]);
  const { grants } = compileStored(new Map([...roles, ...stored]), extraMappings, canonical);
  if (grants.byGroup.size > 0) return;
  const message = `the file does not exist, and no setting gives a group access, so no one could do anything; ${remedy}`;
  throw new ScopesFault(file, [{ line: 1, column: 1, message }]);
}

/** Why the file's scopes would leave nobody who is an administrator; those of the API stay beside them. */
async function lockOut(world: ScopesWorld, grants: Grants, next: ScopeSet): Promise<string | undefined> {
  const stored = await readStored(world.db);
  const ofTheApi = [...stored].filter(([, { source }]) => source === 'api');
  const ofTheFile = [...next].map(([name, scope]): [string, StoredScope] => [
    name,
    { scope, source: 'file', idpGroupId: null, createdAt: null, updatedAt: '' },
  ]);
  const after = compileStored(
    new Map([...ofTheFile, ...ofTheApi]),
    world.extraMappings,
    world.canonical,
  ).grants;
  return lockOutBy(world.db, grants, after);
}

/** Says what is wrong with the scopes when it begins to be, not at every reading. */
function createWarner(log: ScopesWorld['log']): (grants: Grants, unknown: readonly string[]) => void {
  let [before, wasEmpty] = ['', false];
  return ({ byGroup }, unknown) => {
    const now = unknown.join('\n');
    if (now !== before && unknown.length > 0)
      log.warn({ scopes: unknown }, 'groups of the configuration are mapped to scopes that do not exist');
    const isEmpty = byGroup.size === 0;
    if (isEmpty && !wasEmpty) log.warn({}, 'no group has a scope, so no one can do anything');
    [before, wasEmpty] = [now, isEmpty];
  };
}
