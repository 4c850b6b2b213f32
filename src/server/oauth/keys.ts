import { createHash, generateKeyPairSync } from 'node:crypto';
import { type CryptoKey, importJWK, type JWK } from 'jose';
import type { Db } from '../db/tables.ts';
import { type SealingKeys, seal, unseal } from '../identity/keys.ts';

/** How long one key signs, in milliseconds; its successor's tokens and its own overlap by far more than a token lives. */
const periodMs = 30 * 24 * 3_600_000;
/** A `kid` that is not known is looked for in the database this often at most, in milliseconds. */
const lookEvery = 1_000;

/** What signs access tokens now, and what verifies those signed before. */
export interface SigningKeys {
  /** The period of the newest key: another one means other keys. */
  readonly period: number;
  /** Private JWKs, the newest first: that one signs. */
  readonly privateJwks: readonly JWK[];
}

/** What keys are kept with. */
interface KeysWorld {
  readonly db: Db;
  /** Encrypts private keys. */
  readonly key: Buffer | SealingKeys;
  readonly now: () => number;
}

/** The keys of the authorization server: ES256, one a period, in the database so that every replica has the same. */
export interface Keys {
  /** The keys of this moment; creates the key of a period that has begun. */
  current(): Promise<SigningKeys>;
  /** The public key with that id; undefined for none of ours. */
  publicKey(kid: string): Promise<CryptoKey | Uint8Array | undefined>;
}

/** Opens the keys; nothing is read until the first use. */
export function createKeys(world: KeysWorld): Keys {
  let known: SigningKeys | undefined;
  let publicKeys = new Map<string, CryptoKey | Uint8Array>();
  let lookedAt = Number.NEGATIVE_INFINITY;
  const periodNow = (): number => Math.floor(world.now() / periodMs);

  const load = async (): Promise<SigningKeys> => {
    const period = periodNow();
    const loaded = await loadKeys(world, period);
    publicKeys = new Map(
      await Promise.all(
        loaded.publicJwks.map(async (jwk) => [jwk.kid ?? '', await importJWK(jwk, 'ES256')] as const),
      ),
    );
    lookedAt = world.now();
    known = { period, privateJwks: loaded.privateJwks };
    return known;
  };

  return {
    async current() {
      return known?.period === periodNow() ? known : load();
    },
    async publicKey(kid) {
      const found = publicKeys.get(kid);
      if (found) return found;
      // Another replica may have begun the period; made-up ids must not become a query each.
      if (world.now() - lookedAt >= lookEvery) await load();
      return publicKeys.get(kid);
    },
  };
}

async function loadKeys(world: KeysWorld, period: number) {
  const { db } = world;
  await db
    .deleteFrom('oauth_keys')
    .where('period', '<', period - 1)
    .execute();
  let rows = await readKeys(world);
  if (rows[0]?.period !== period) {
    await createKey(world, period);
    rows = await readKeys(world);
  }
  return {
    privateJwks: rows.map((row) => row.privateJwk),
    publicJwks: rows.map((row) => row.publicJwk),
  };
}

/** The stored keys that this SECRET_KEY opens, the newest first. Keys of another one are as good as none. */
async function readKeys({ db, key }: KeysWorld) {
  const rows = await db.selectFrom('oauth_keys').selectAll().orderBy('period', 'desc').execute();
  return rows.flatMap((row) => {
    try {
      const privateJwk = JSON.parse(unseal(key, row.private_sealed, row.kid)) as JWK;
      return [{ period: row.period, privateJwk, publicJwk: JSON.parse(row.public_jwk) as JWK }];
    } catch {
      return [];
    }
  });
}

/** Creates the key of a period, unless another replica has; one that cannot be opened is replaced. */
async function createKey({ db, key, now }: KeysWorld, period: number): Promise<void> {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicPart = pair.publicKey.export({ format: 'jwk' });
  const kid = createHash('sha256').update(JSON.stringify(publicPart)).digest('base64url').slice(0, 22);
  const about = { kid, alg: 'ES256', use: 'sig' };
  const row = {
    kid,
    period,
    private_sealed: seal(
      key,
      JSON.stringify({ ...pair.privateKey.export({ format: 'jwk' }), ...about }),
      kid,
    ),
    public_jwk: JSON.stringify({ ...publicPart, ...about }),
    created_at: new Date(now()).toISOString(),
  };
  await db.transaction().execute(async (tx) => {
    const there = await tx
      .selectFrom('oauth_keys')
      .selectAll()
      .where('period', '=', period)
      .executeTakeFirst();
    if (there) {
      try {
        unseal(key, there.private_sealed, there.kid);
        return;
      } catch {
        await tx.deleteFrom('oauth_keys').where('kid', '=', there.kid).execute();
      }
    }
    await tx
      .insertInto('oauth_keys')
      .values(row)
      .onConflict((conflict) => conflict.column('period').doNothing())
      .execute();
  });
}
