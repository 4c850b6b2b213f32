import { readFile } from 'node:fs/promises';
import { parseScopes, type ScopeSet } from '../../access/scope-set.ts';
import { ScopesFault } from '../../access/scopes-fault.ts';
import { lockUntilCommit } from '../../db/lease.ts';
import type { Db } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import type { Logger } from './logger.ts';
import { readStored, replaceScopes, type StoredScopes } from './store.ts';

/** Writes the file's scopes to the database; answers the fault when the file is not to be used. */
export async function takeOver(world: {
  readonly db: Db;
  readonly file: string;
  readonly log: Logger;
  readonly now: () => number;
  /** Why these scopes are not to be taken over; undefined when they are. */
  readonly refuse?: (db: Db, scopes: ScopeSet) => Promise<string | undefined>;
  /** Told what was stored before and is now, once that is committed. */
  readonly took?: (before: StoredScopes, after: StoredScopes) => void;
}): Promise<ScopesFault | undefined> {
  const { db, file, log, now, refuse } = world;
  let scopes: ScopeSet;
  try {
    scopes = parseScopes(await readText(file), file);
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
  log.info({ file, scopes: scopes.size }, 'the scope file is in force');
  world.took?.(done.before, done.after);
  return undefined;
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
