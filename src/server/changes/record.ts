import type { Db } from '../db/tables.ts';
import { inTransaction } from '../db/transaction.ts';

/** Every kind of change that something in memory depends on, with what the key of a change names. */
export const changeKinds = {
  server: 'the path of an MCP server: registered, changed, switched, removed, or found in another state',
  agent: 'the path of an agent',
  scope: 'the name of a scope; `*` when several changed at once',
  person: 'keyOf(provider, subject): groups, refusal, or everything of theirs was ended',
  session: 'the id hash of a browser session that ended',
  token: 'the id of a personal token that was revoked',
  m2m_client: 'keyOf(provider, client id in lower case)',
  virtual_server: 'the path of a virtual server',
  oauth_client: 'the client id of an OAuth client',
  oauth_grant: 'the id of an OAuth grant',
  connection: 'the id of a credential that a person has at a server',
  task: 'SHA-256 of the id of a task of a server as its maker has it: made, so that lists and streams may show it to them',
  call: 'SHA-256 of the session and the id of a call at a virtual server that its client cancelled at another process',
  data_key: 'the id of a key that seals what is stored: made, rewrapped, or retired',
} as const;

/** A kind of change. */
export type ChangeKind = keyof typeof changeKinds;

/**
 * Records that something changed. Call it with the transaction that makes the change, so that followers learn of it
 * when, and only when, it is committed.
 */
export async function recordChange(db: Db, kind: ChangeKind, ...keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  const at = new Date().toISOString();
  for (let from = 0; from < keys.length; from += rowsPerStatement)
    await db
      .insertInto('changes')
      .values(keys.slice(from, from + rowsPerStatement).map((key) => ({ kind, key, at })))
      .execute();
}

/**
 * Does something to the database and records it in the same transaction under the keys that `keysOf` says; without a
 * result, or without keys, nothing has changed.
 */
export function changing<T>(
  db: Db,
  kind: ChangeKind,
  change: (trx: Db) => Promise<T>,
  keysOf: (changed: NonNullable<T>) => readonly string[],
): Promise<T> {
  return inTransaction(db, async (trx) => {
    const changed = await change(trx);
    if (changed != null) await recordChange(trx, kind, ...keysOf(changed));
    return changed;
  });
}

/** Below the number of values that either database takes in one statement. */
const rowsPerStatement = 500;

/** One key of several parts, as a person has them (provider and subject). */
export function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

/** The parts of a key that `keyOf` made. */
export function partsOf(key: string): readonly string[] {
  return JSON.parse(key) as string[];
}
