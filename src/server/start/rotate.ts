import type { Config } from '../config/config.ts';
import type { Db, Tables } from '../db/tables.ts';
import { createConnectionVault } from '../egress/vault.ts';
import { type Keyring, type StoredPurpose, seal, unseal } from '../identity/keys.ts';
import { createSealer } from '../identity/sealer.ts';
import { hintHolder } from '../identity/sessions/sessions.ts';
import { type Rotation, rotateCredentials } from '../registry/servers/rotate.ts';
import { openKeys } from './keys.ts';

/** What `rotate-secrets` came to. */
export interface Rotated extends Rotation {
  /** The KMS, the data keys that were wrapped anew, whether one was made, and those that nothing needs any more. */
  readonly dataKeys: {
    readonly kms: string;
    readonly rewrapped: number;
    readonly made: boolean;
    readonly retired: number;
  };
}

/** A column of sealed texts that do not say which key it was. */
interface SealedColumn<T extends keyof Tables = keyof Tables> {
  readonly table: T;
  readonly column: string;
  readonly id: readonly string[];
  readonly purpose: StoredPurpose;
  /** What a row's text is sealed for. */
  readonly holder: (row: Readonly<Record<string, string>>) => string;
}

/** Everything in the database that is sealed without saying by which key. What says so is sealed anew by its own store. */
export const sealedColumns: readonly SealedColumn[] = [
  {
    ...{ table: 'people', column: 'refresh_sealed', id: ['provider', 'subject'] },
    ...{ purpose: 'refresh-token', holder: () => '' },
  },
  {
    ...{ table: 'sessions', column: 'logout_hint', id: ['id_hash'] },
    ...{ purpose: 'refresh-token', holder: () => hintHolder },
  },
  {
    ...{ table: 'oauth_keys', column: 'private_sealed', id: ['kid'] },
    ...{ purpose: 'oauth-key', holder: ({ kid = '' }) => kid },
  },
  {
    ...{ table: 'oauth_artifacts', column: 'payload_sealed', id: ['id_hash'] },
    ...{ purpose: 'oauth-artifact', holder: ({ id_hash = '' }) => id_hash },
  },
  {
    ...{ table: 'jobs', column: 'secret_sealed', id: ['id'] },
    ...{ purpose: 'job-secret', holder: ({ id = '' }) => id },
  },
];

/** Does it, whether or not a gateway runs: what is changed meanwhile stays as it is, and is done the next time. */
export async function rotateStored(
  { db, config, print }: { db: Db; config: Config; print: (text: string) => void },
  { newDataKey = false }: { newDataKey?: boolean | undefined },
): Promise<Rotated> {
  const warn = (facts: object, message: string): void => print(`${message}: ${causeOf(facts)}`);
  const log = { warn };
  const { keys, close } = await openKeys({ db, config, log, now: Date.now });
  try {
    const rewrapped = await keys.rewrap();
    if (newDataKey) await keys.renew();
    const servers = createSealer(keys.of('upstream-credential'));
    const done = await rotateCredentials(db, servers, createConnectionVault(keys));
    let [rotated, lost] = [done.rotated, done.unreadable.length + done.lost];
    for (const column of sealedColumns) {
      const { resealed, unreadable } = await resealColumn(db, keys, column);
      rotated += resealed;
      lost += unreadable;
    }
    // What nothing opens needs its key all the more, should that come back.
    const retired = lost === 0 ? await keys.retire() : 0;
    const dataKeys = { kms: keys.state().kms, rewrapped, made: newDataKey, retired };
    return { ...done, rotated, dataKeys };
  } finally {
    await close();
  }
}

/** Seals a column anew, as far as it can be opened; rows that change meanwhile are left to who changes them. */
async function resealColumn(
  db: Db,
  ring: Keyring,
  { table, column, id, purpose, holder }: SealedColumn,
): Promise<{ resealed: number; unreadable: number }> {
  const keys = ring.of(purpose);
  const at = db.dynamic;
  const rows = (await db
    .selectFrom(table)
    .select([...id, column].map((name) => at.ref(name)))
    .where(at.ref<string>(column), 'is not', null)
    .execute()) as unknown as Record<string, string>[];
  let [resealed, unreadable] = [0, 0];
  for (const row of rows) {
    const before = row[column] ?? '';
    const opened = openedBy(keys(), before, holder(row));
    if (!opened) unreadable += 1;
    if (!opened || opened.isPresent) continue;
    let query = db
      .updateTable(table)
      .set({ [column]: seal(keys, opened.text, holder(row)) } as never)
      .where(at.ref<string>(column), '=', before as never);
    for (const name of id) query = query.where(at.ref<string>(name), '=', row[name] as never);
    resealed += Number((await query.executeTakeFirst()).numUpdatedRows);
  }
  return { resealed, unreadable };
}

function openedBy(
  keys: readonly Buffer[],
  sealed: string,
  holder: string,
): { text: string; isPresent: boolean } | undefined {
  for (const [at, key] of keys.entries())
    try {
      return { text: unseal(key, sealed, holder), isPresent: at === 0 };
    } catch {
      // Another key may have made it.
    }
  return undefined;
}

function causeOf(facts: object): string {
  const { err } = facts as { err?: unknown };
  return err instanceof Error ? err.message : '';
}
