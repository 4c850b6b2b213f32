import { readFile } from 'node:fs/promises';
import { parseScopes, type ScopeSet } from '../../access/scope-set.ts';
import { ScopesFault } from '../../access/yaml-reader.ts';
import { lockUntilCommit } from '../../db/lease.ts';
import type { Db } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import type { Logger } from './logger.ts';
import type { GroupMappings } from './mappings.ts';
import { readStored, replaceScopes, type StoredScopes } from './store.ts';
import { namesWithoutId } from './warnings.ts';

/** Writes the file's scopes to the database; answers the fault when the file is not to be used. */
export async function takeOver(world: {
  readonly db: Db;
  readonly file: string;
  readonly log: Logger;
  readonly now: () => number;
  /** The roles that the file may name without defining them. */
  readonly builtIn: ScopeSet;
  /** Whether groups are known by their Object IDs alone (Entra ID). */
  readonly groupsAreIds?: boolean | undefined;
  /** Groups of the configuration, by the scopes that they hold. */
  readonly extraMappings?: GroupMappings | undefined;
  /** Why these scopes are not to be taken over; undefined when they are. */
  readonly refuse?: (db: Db, scopes: ScopeSet) => Promise<string | undefined>;
  /** Told what was stored before and is now, once that is committed. */
  readonly took?: (before: StoredScopes, after: StoredScopes) => void;
}): Promise<ScopesFault | undefined> {
  const { db, file, log, now, refuse } = world;
  let scopes: ScopeSet;
  try {
    const own = parseScopes(await readText(file), file, world.builtIn);
    scopes = withRoles(own, world);
  } catch (error) {
    if (error instanceof ScopesFault) return error;
    throw error;
  }
  const done = await inTransaction(db, async (trx) => {
    await lockUntilCommit(trx, 'scopes');
    const why = await refuse?.(trx, scopes);
    if (why !== undefined) return why;
    const before = await readStored(trx);
    const kept = await replaceScopes(trx, 'file', scopes, now());
    return { before, kept, after: await readStored(trx) };
  });
  if (typeof done === 'string') return new ScopesFault(file, [{ line: 1, column: 1, message: done }]);
  const { kept } = done;
  if (kept.length > 0)
    log.warn(
      { file, scopes: kept },
      'these scopes of the file are not used: the API has scopes of the same name',
    );
  log.info({ file, scopes: scopes.size }, 'the scope file is active');
  const groups = world.groupsAreIds ? [...new Set([...scopes.values()].flatMap(namesWithoutId))] : [];
  if (groups.length > 0)
    log.warn(
      { file, groups },
      'no one is in these groups of the scope file, because Entra ID names groups by Object ID: put the Object Id from the Overview of each group in place of its name',
    );
  world.took?.(done.before, done.after);
  return undefined;
}

/** A group setting whose scopes the file does not define at all means the built-in ones. */
function withRoles(
  own: ScopeSet,
  { builtIn, extraMappings = {} }: { builtIn: ScopeSet; extraMappings?: GroupMappings | undefined },
): ScopeSet {
  // One that the file only names is the built-in one.
  const defines = (name: string): boolean =>
    own.has(name) && own.get(name)?.uiPermissions !== builtIn.get(name)?.uiPermissions;
  const missing = Object.values(extraMappings)
    .filter((names) => !names.some(defines))
    .flatMap((names) => names.flatMap((name) => (own.has(name) ? [] : (builtIn.get(name) ?? []))));
  return new Map([...own, ...missing.map((scope) => [scope.name, scope] as const)]);
}

/**
 * Puts the built-in roles in force where there is no scope file and never was one: what a file said that is gone stays.
 * Returns whether it did.
 */
export async function takeBuiltIn(
  db: Db,
  builtIn: ScopeSet,
  now: number,
  took: (before: StoredScopes, after: StoredScopes) => void,
): Promise<boolean> {
  const done = await inTransaction(db, async (trx) => {
    await lockUntilCommit(trx, 'scopes');
    const ofAFile = await trx
      .selectFrom('scopes')
      .select('name')
      .where('source', '=', 'file')
      .executeTakeFirst();
    if (ofAFile) return undefined;
    const before = await readStored(trx);
    await replaceScopes(trx, 'built_in', builtIn, now);
    return { before, after: await readStored(trx) };
  });
  if (done) took(done.before, done.after);
  return done !== undefined;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const message = code === 'ENOENT' ? 'the file does not exist' : `the file cannot be read (${code})`;
    throw new ScopesFault(file, [{ line: 1, column: 1, message }]);
  }
}
