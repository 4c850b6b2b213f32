import { type Adapter, errors, type Payload } from 'oidc-provider';
import type { Db } from '../db/tables.ts';
import { hashOf, type SealingKeys, seal, unseal } from '../identity/keys.ts';
import { endGrant } from './grants.ts';

/** What artifacts are kept with. */
export interface ArtifactsWorld {
  readonly db: Db;
  /** Encrypts payloads. */
  readonly key: Buffer | SealingKeys;
  readonly now: () => number;
}

/** Kinds that are never stored: people are known by the gateway's own session, and access tokens are JWTs. */
const unstored: ReadonlySet<string> = new Set(['Session', 'AccessToken', 'ClientCredentials']);

/** By how many seconds the clock that all processes share is ahead of that of this machine, by which oidc-provider goes. */
export function aheadOfMachine({ now }: Pick<ArtifactsWorld, 'now'>): number {
  return Math.round((now() - Date.now()) / 1000);
}

/** Members of payloads that are times, in seconds since 1970. */
const times: ReadonlySet<string> = new Set(['iat', 'exp', 'iiat', 'authTime', 'loginTs', 'consumed']);

/** The payload with its times moved, so that each process reads by its own clock what another wrote by another one. */
export function shifted(payload: Payload, seconds: number): Payload {
  if (seconds === 0) return payload;
  return Object.fromEntries(
    Object.entries(payload).map(([name, value]) => [
      name,
      times.has(name) && typeof value === 'number' ? value + seconds : value,
    ]),
  );
}

/**
 * The storage contract of oidc-provider for one kind of artifact. Ids are stored hashed and payloads encrypted, since both
 * hold what a thief could use; times are those of the shared clock. An artifact can be consumed once, whichever replica is
 * asked; a second attempt ends its grant (RFC 9700, sections 2.1.1 and 4.14.2). What a client proves itself with is noted once: another process that has just
 * looked for it, and not found it, is refused (RFC 7523, section 3).
 */
export function artifactsOf(world: ArtifactsWorld, model: string): Adapter {
  const { db } = world;
  const at = (): string => new Date(world.now()).toISOString();
  const idHash = (id: string): string => hashOf(`${model}:${id}`);
  const open = (row: { id_hash: string; payload_sealed: string; consumed_at: string | null }) => {
    try {
      const payload = JSON.parse(unseal(world.key, row.payload_sealed, row.id_hash)) as Payload;
      const consumed = row.consumed_at ? { consumed: Math.floor(Date.parse(row.consumed_at) / 1000) } : {};
      return shifted({ ...payload, ...consumed }, -aheadOfMachine(world));
    } catch {
      // Of another SECRET_KEY: as good as none.
      return undefined;
    }
  };
  const living = () =>
    db.selectFrom('oauth_artifacts').selectAll().where('model', '=', model).where('expires_at', '>', at());

  return {
    async upsert(id, payload, expiresIn) {
      if (unstored.has(model)) return;
      const id_hash = idHash(id);
      const code = typeof payload.userCode === 'string' ? hashOf(payload.userCode) : null;
      const row = {
        model,
        grant_id: typeof payload.grantId === 'string' ? payload.grantId : null,
        code_hash: code,
        payload_sealed: seal(world.key, JSON.stringify(shifted(payload, aheadOfMachine(world))), id_hash),
        expires_at: new Date(world.now() + expiresIn * 1000).toISOString(),
      };
      const inserting = db.insertInto('oauth_artifacts').values({ id_hash, ...row, consumed_at: null });
      if (model === 'ReplayDetection') {
        const first = await inserting
          .onConflict((conflict) => conflict.column('id_hash').doNothing())
          .returning('id_hash')
          .executeTakeFirst();
        if (!first) throw new errors.InvalidClientAuth('client assertion tokens must only be used once');
        return;
      }
      await inserting.onConflict((conflict) => conflict.column('id_hash').doUpdateSet(row)).execute();
    },

    async find(id) {
      const row = await living().where('id_hash', '=', idHash(id)).executeTakeFirst();
      return row && open(row);
    },

    async findByUserCode(code) {
      const row = await living().where('code_hash', '=', hashOf(code)).executeTakeFirst();
      return row && open(row);
    },

    async findByUid() {
      return undefined;
    },

    async consume(id) {
      const row = await db
        .updateTable('oauth_artifacts')
        .set({ consumed_at: at() })
        .where('id_hash', '=', idHash(id))
        .where('consumed_at', 'is', null)
        .returning('grant_id')
        .executeTakeFirst();
      if (row) return;
      const used = await db
        .selectFrom('oauth_artifacts')
        .select('grant_id')
        .where('id_hash', '=', idHash(id))
        .executeTakeFirst();
      if (used?.grant_id) await endGrant(db, used.grant_id, reused(at()));
      throw new errors.InvalidGrant('it was used already');
    },

    async destroy(id) {
      // What the library calls a grant ends when a code or refresh token of it is used twice, or is revoked.
      if (model === 'Grant') await endGrant(db, id, reused(at()));
      await db.deleteFrom('oauth_artifacts').where('id_hash', '=', idHash(id)).execute();
    },

    async revokeByGrantId(grantId) {
      await db
        .deleteFrom('oauth_artifacts')
        .where('model', '=', model)
        .where('grant_id', '=', grantId)
        .execute();
    },
  };
}

function reused(at: string) {
  return {
    at,
    by: 'the gateway',
    because: 'The program ended its access, or a token of it was used twice.',
  };
}
