import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { changing } from '../../changes/record.ts';
import type { DataKeysTable, Db } from '../../db/tables.ts';
import { deriveKey, type Keyring, type SealingKeys, type StoredPurpose } from '../keys.ts';
import { type Kms, KmsFailed } from './kms.ts';

/** What data keys are kept with. */
export interface DataKeysWorld {
  readonly db: Db;
  /** What wraps new data keys. */
  readonly kms: Kms;
  /** What unwraps those of a name; undefined when it is not set up. */
  readonly find: (name: string) => Kms | undefined;
  /** SECRET_KEY and the one before: what was sealed before there were data keys opens with them. */
  readonly secrets: readonly string[];
  readonly now: () => number;
  readonly log: { warn(facts: object, message: string): void };
  /** How long a KMS that is away is waited for at the start, in milliseconds; a minute unless given. */
  readonly waitMs?: number;
}

/** The keys of what is stored: unwrapped once, in memory from then on. */
export interface DataKeys extends Keyring {
  /** Which KMS wraps, and how many data keys are at hand. */
  readonly state: () => { readonly kms: string; readonly count: number };
  /** Reads what other processes made or retired; what is known already is not unwrapped again. */
  reload(): Promise<void>;
  /** Unwraps the present data key once more, only to see whether that works. Fails with `KmsFailed`. */
  check(): Promise<void>;
  /** Wraps every data key at hand anew with the newest key of its KMS; returns how many. */
  rewrap(): Promise<number>;
  /** Makes another data key, which seals from now on. */
  renew(): Promise<void>;
  /** Deletes the data keys before the present one, once that is so old that every process has it; returns how many. */
  retire(): Promise<number>;
}

const hour = 3_600_000;
const longestPauseMs = 5_000;

/**
 * Reads and unwraps the data keys; makes one where this KMS has none, one for all processes that start at once. A database
 * from before there were data keys goes on with SECRET_KEY's own keys until `renew` or another KMS: processes of the
 * version before may still read it. Waits for a KMS that is away, and fails with `KmsFailed` when it stays so or refuses.
 */
export async function openDataKeys(world: DataKeysWorld): Promise<DataKeys> {
  const { db, kms, log } = world;
  const unwrapped = new Map<string, Buffer>();
  let rows: DataKeysTable[] = [];
  let present: DataKeysTable | undefined;
  let made = new Map<StoredPurpose, readonly [Buffer, ...Buffer[]]>();

  const load = async (): Promise<void> => {
    const read = await db.selectFrom('data_keys').selectAll().orderBy('number', 'desc').execute();
    let newest: DataKeysTable | undefined;
    for (const row of read) {
      const fault = unwrapped.has(row.id) ? undefined : await unwrapInto(unwrapped, world.find, row);
      if (fault?.isAway) throw fault;
      // A SECRET_KEY that was changed without the one before leaves what it sealed unreadable; a KMS has to be put right.
      if (fault && row.kms === kms.name && !newest && kms.name !== 'embedded') throw fault;
      if (fault)
        log.warn(
          { dataKey: row.id, kms: row.kms, err: fault },
          'a data key cannot be unwrapped; what it sealed stays unreadable',
        );
      else if (row.kms === kms.name) newest ??= row;
    }
    for (const id of unwrapped.keys()) if (!read.some((row) => row.id === id)) unwrapped.delete(id);
    [rows, present] = [read, newest];
    made = new Map();
  };
  const create = async (): Promise<void> => {
    const id = randomUUID();
    const wrapped = await kms.wrap(randomBytes(32), id);
    const number = (rows[0]?.number ?? 0) + 1;
    const row = { id, number, kms: kms.name, wrapped, created_at: new Date(world.now()).toISOString() };
    await changing(
      db,
      'data_key',
      (trx) =>
        trx
          .insertInto('data_keys')
          .values(row)
          .onConflict((conflict) => conflict.column('number').doNothing())
          .returning('id')
          .executeTakeFirst(),
      (inserted) => [inserted.id],
    );
    await load();
  };

  const isFromBefore = async (): Promise<boolean> =>
    kms.name === 'embedded' && rows.length === 0 && (await holdsSecrets(db));

  await untilThere(world, async () => {
    await load();
    // Another process may have been faster, with this KMS or another one.
    while (!present && !(await isFromBefore())) await create();
  });

  const keysFor = (purpose: StoredPurpose): readonly [Buffer, ...Buffer[]] => {
    const known = made.get(purpose);
    if (known) return known;
    const others = rows.flatMap(({ id }) => (id === present?.id ? [] : (unwrapped.get(id) ?? [])));
    const first = present && unwrapped.get(present.id);
    // Without a data key SECRET_KEY comes first.
    const ring = first ? [first, ...others, ...world.secrets] : [...world.secrets, ...others];
    const [seals, ...open] = ring.map((one) => deriveKey(one, purpose));
    if (!seals) throw new Error('there is no key');
    const keys = [seals, ...open] as const;
    made.set(purpose, keys);
    return keys;
  };
  return {
    of: (purpose): SealingKeys => {
      return () => keysFor(purpose);
    },
    state: () => ({ kms: kms.name, count: unwrapped.size }),
    reload: load,
    async check() {
      if (present) await kms.unwrap(present.wrapped, present.id);
    },
    async rewrap() {
      let count = 0;
      for (const { id, kms: name, wrapped } of rows) {
        const anew = unwrapped.has(id) && (await world.find(name)?.rewrap(wrapped, id));
        if (!anew || anew === wrapped) continue;
        await db.updateTable('data_keys').set({ wrapped: anew }).where('id', '=', id).execute();
        count += 1;
      }
      await load();
      return count;
    },
    async renew() {
      const before = present?.id;
      while (present?.id === before) await create();
    },
    async retire() {
      if (!present || world.now() - Date.parse(present.created_at) < hour) return 0;
      const { number } = present;
      const gone = await changing(
        db,
        'data_key',
        (trx) => trx.deleteFrom('data_keys').where('number', '<', number).returning('id').execute(),
        (deleted) => deleted.map(({ id }) => id),
      );
      await load();
      return gone.length;
    },
  };
}

/** Whether something was sealed here already; every gateway that ran for a while has a key that signs. */
async function holdsSecrets(db: Db): Promise<boolean> {
  const found = await db
    .selectNoFrom((no) => [
      no
        .or([
          no.exists(no.selectFrom('oauth_keys').select('kid')),
          no.exists(no.selectFrom('people').select('subject').where('refresh_sealed', 'is not', null)),
          no.exists(no.selectFrom('servers').select('id').where('credential', 'is not', null)),
          no.exists(no.selectFrom('connections').select('key_id').where('access_sealed', 'is not', null)),
        ])
        .as('any'),
    ])
    .executeTakeFirstOrThrow();
  return Boolean(found.any);
}

async function unwrapInto(
  unwrapped: Map<string, Buffer>,
  find: DataKeysWorld['find'],
  { id, kms, wrapped }: DataKeysTable,
): Promise<KmsFailed | undefined> {
  try {
    const by = find(kms);
    if (!by)
      return new KmsFailed(
        `'${kms}' wrapped it, which is not set up here; set VAULT_ADDR and the rest`,
        false,
      );
    unwrapped.set(id, await by.unwrap(wrapped, id));
    return undefined;
  } catch (error) {
    if (error instanceof KmsFailed) return error;
    throw error;
  }
}

async function untilThere({ kms, log, waitMs = 60_000 }: DataKeysWorld, open: () => Promise<void>) {
  const until = performance.now() + waitMs;
  for (let pause = 250; ; pause = Math.min(pause * 2, longestPauseMs))
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof KmsFailed)) throw error;
      if (!error.isAway || performance.now() + pause > until)
        throw new KmsFailed(
          `The data key cannot be unwrapped by the KMS '${kms.name}': ${error.message}. Without it nothing that is sealed in the database can be read, so the gateway does not start.`,
          error.isAway,
          error,
        );
      log.warn({ kms: kms.name, err: error }, 'the KMS is away; it is asked again');
      await delay(pause);
    }
}
