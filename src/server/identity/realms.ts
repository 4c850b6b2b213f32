import { keyOf, recordChange } from '../changes/record.ts';
import type { Db } from '../db/tables.ts';
import { inTransaction } from '../db/transaction.ts';
import type { Provider } from '../provider/provider.ts';
import { endedOf } from './session-rows.ts';

/** A provider whose name now stands for another issuer or tenant, and what was ended for that. */
export interface ChangedRealm {
  readonly provider: string;
  readonly before: string;
  readonly after: string;
  readonly sessions: number;
  readonly tokens: number;
  readonly people: number;
  /** Applications registered by hand; they are switched off, so that somebody looks at each. */
  readonly applications: number;
}

/**
 * Compares what each provider's name stands for with what it stood for. People and applications are known by the name and
 * a subject that only their issuer keeps unique: where the issuer is another one, nothing of before may be taken for
 * somebody of now, so it is ended in one transaction.
 */
export async function settleRealms(
  db: Db,
  providers: readonly Pick<Provider, 'name' | 'realm'>[],
  at: string,
): Promise<ChangedRealm[]> {
  const changed: ChangedRealm[] = [];
  for (const { name, realm } of providers) {
    const found = await inTransaction(db, (trx) => settle(trx, name, realm, at));
    if (found) changed.push(found);
  }
  return changed;
}

async function settle(
  db: Db,
  provider: string,
  realm: string,
  at: string,
): Promise<ChangedRealm | undefined> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('provider_realms')
    .values({ provider, realm, since: at })
    .onConflict((conflict) => conflict.column('provider').doNothing())
    .executeTakeFirst();
  if (Number(numInsertedOrUpdatedRows) > 0) return undefined;
  const row = await db
    .selectFrom('provider_realms')
    .select('realm')
    .where('provider', '=', provider)
    .executeTakeFirstOrThrow();
  if (row.realm === realm) return undefined;
  await db
    .updateTable('provider_realms')
    .set({ realm, since: at })
    .where('provider', '=', provider)
    .execute();
  const because = 'The identity provider of this gateway was changed; sign in again.';
  const sessions = await db
    .updateTable('sessions')
    .set(endedOf({ at, because }))
    .where('provider', '=', provider)
    .where('ended_at', 'is', null)
    .returning('id_hash')
    .execute();
  const tokens = await db
    .updateTable('tokens')
    .set({ revoked_at: at, revoked_by: 'the change of the identity provider' })
    .where('provider', '=', provider)
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute();
  const people = await db
    .deleteFrom('people')
    .where('provider', '=', provider)
    .returning('subject')
    .execute();
  await db.deleteFrom('cutoffs').where('provider', '=', provider).execute();
  await db.deleteFrom('token_groups').where('provider', '=', provider).execute();
  // Of which provider something is was not always written down: what may be of this one is not taken for its own any more.
  await db.deleteFrom('made_here').where('provider', 'in', [provider, '']).execute();
  const applications = await db
    .updateTable('m2m_clients')
    .set({ is_enabled: 0, updated_at: at })
    .where('provider', '=', provider)
    .where('is_enabled', '=', 1)
    .returning('client_id')
    .execute();
  // Subjects of another issuer may be the same: nothing that one person owns or was granted is theirs.
  const owned = await db
    .updateTable('servers')
    .set({ owner: null })
    .where('owner', 'like', `${keyOf(provider, '').slice(0, -3)}%`)
    .returning('path')
    .execute();
  await recordChange(db, 'server', ...owned.map(({ path }) => path));
  const granted = await db
    .updateTable('access_requests')
    .set({ status: 'ended', open_key: null, ended_at: at, ended_by: 'the change of the identity provider' })
    .where('provider', '=', provider)
    .where('status', 'in', ['pending', 'granted'])
    .returning('id')
    .execute();
  if (granted.length > 0) await recordChange(db, 'scope', '*');
  await recordChange(db, 'session', ...sessions.map(({ id_hash }) => id_hash));
  await recordChange(db, 'token', ...tokens.map(({ id }) => id));
  await recordChange(db, 'person', ...people.map(({ subject }) => keyOf(provider, subject)));
  await recordChange(db, 'm2m_client', ...applications.map(({ client_id }) => keyOf(provider, client_id)));
  return {
    ...{ provider, before: row.realm, after: realm },
    ...{ sessions: sessions.length, tokens: tokens.length },
    ...{ people: people.length, applications: applications.length },
  };
}
