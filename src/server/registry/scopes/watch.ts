import type { Grants } from '../../access/grants.ts';
import type { ScopeSet } from '../../access/scope-set.ts';
import type { ScopeFileFault } from '../../access/scopes-fault.ts';
import type { Db } from '../../db/tables.ts';
import { lockOutBy } from '../administrators.ts';
import { compileStored } from './compile-stored.ts';
import { type After, afterUnref, fingerprint, watchFile } from './file-watch.ts';
import type { Logger } from './logger.ts';
import type { GroupMappings } from './mappings.ts';
import { readStored, type StoredScope, type StoredScopes } from './store.ts';
import { takeOver } from './take-over.ts';

/** What the scopes need of the world. */
export interface ScopesWorld {
  readonly db: Db;
  /** The path of the scope file. */
  readonly file: string;
  /** Groups that hold scopes besides those of the file, such as ENTRA_GROUP_ADMIN_ID's. */
  readonly extraMappings?: GroupMappings;
  /** The one form of a group's name, where it has several; unless given, names are taken as they are. */
  readonly canonical?: (group: string) => string;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Timers; unless given, real ones that do not keep the process alive. */
  readonly after?: After;
}

/** How the scopes in force came about; times are ISO 8601 in UTC. */
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
  /** Reads the file and the stored scopes again; a faulty file is refused, which the status tells. Rejects when the database fails. */
  reload(): Promise<ScopesStatus>;
  status(): ScopesStatus;
  /** Calls `listener` each time the grants were made anew; answers how to stop that. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}

/**
 * Takes the scope file over into the database and keeps doing so whenever it changes. A faulty or missing file is logged
 * with line and column and changes nothing: the stored scopes, the last good ones, are in force. Throws the ScopesFault
 * when there are none either.
 */
export async function startScopes(world: ScopesWorld): Promise<Scopes> {
  const { file, log } = world;
  const listeners = new Set<() => void>();
  const since = await fingerprint(file);
  let state = await load(world);

  // One at a time, so that an older state of the file never comes after a newer one.
  let last: Promise<unknown> = Promise.resolve();
  const reload = (): Promise<ScopesStatus> => {
    const next = last.then(async () => {
      state = await load(world, state);
      tell(listeners, log);
      return state.status;
    });
    last = next.catch(() => {});
    return next;
  };
  const watch = watchFile({ file, since, changed: reload, log, after: world.after ?? afterUnref });

  return {
    grants: () => state.grants,
    grantsOf: (stored) => compileStored(stored, world.extraMappings, world.canonical).grants,
    status: () => state.status,
    reload,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      watch.close();
      await last;
    },
  };
}

interface State {
  readonly grants: Grants;
  readonly status: ScopesStatus;
}

async function load(world: ScopesWorld, before?: State): Promise<State> {
  const at = new Date(world.now()).toISOString();
  const fault = await takeOver(before ? { ...world, refuse: (next) => lockOut(world, before, next) } : world);
  const stored = await readStored(world.db);
  if (fault && stored.size === 0) throw fault;
  if (fault)
    world.log.error(
      { file: world.file, faults: fault.faults.slice(0, 25) },
      `the scope file is refused and the last good scopes stay in force:\n${fault.message}`,
    );
  const status: ScopesStatus = fault
    ? { file: world.file, loadedAt: before?.status.loadedAt ?? null, fault: { at, faults: fault.faults } }
    : { file: world.file, loadedAt: at, fault: null };
  return { grants: granted(world, stored), status };
}

/** Why the file's scopes would leave nobody who is an administrator; those of the API stay beside them. */
async function lockOut(world: ScopesWorld, { grants }: State, next: ScopeSet): Promise<string | undefined> {
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

function granted({ extraMappings, canonical, log }: ScopesWorld, stored: StoredScopes): Grants {
  const { grants, unknown } = compileStored(stored, extraMappings, canonical);
  if (unknown.length > 0)
    log.warn({ scopes: unknown }, 'groups of the configuration are mapped to scopes that do not exist');
  if (grants.byGroup.size === 0) log.warn({}, 'no group has a scope, so nobody may do anything');
  return grants;
}

function tell(listeners: ReadonlySet<() => void>, log: Logger): void {
  for (const listener of listeners)
    try {
      listener();
    } catch (error) {
      log.error({ err: error }, 'something that follows the scopes failed to take a change over');
    }
}
