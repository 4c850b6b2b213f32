import type { HealthChange, HealthStatus } from '../../../../contract/servers/servers.ts';
import type { Db } from '../../../db/tables.ts';
import type { Health } from '../store.ts';

/** How long changes are kept, in days; the last one before that stays, because it says how the time began. */
const historyDays = 30;

/**
 * Remembers how a server is from `at` (ISO 8601) on, if that is something else than before; what became too old goes.
 */
export async function recordHealth(
  db: Db,
  serverId: string,
  now: Pick<Health, 'reason' | 'detail'> & { readonly status: HealthStatus; readonly at: string },
): Promise<void> {
  const last = await db
    .selectFrom('health_changes')
    .select(['status', 'reason'])
    .where('server_id', '=', serverId)
    .orderBy('at', 'desc')
    .executeTakeFirst();
  const reason = now.reason ?? null;
  if (last?.status === now.status && last.reason === reason) return;
  await db
    .insertInto('health_changes')
    .values({ server_id: serverId, at: now.at, status: now.status, reason, detail: now.detail })
    .onConflict((conflict) =>
      conflict.columns(['server_id', 'at']).doUpdateSet({ status: now.status, reason, detail: now.detail }),
    )
    .execute();
  await dropOld(db, serverId, now.at);
}

async function dropOld(db: Db, serverId: string, at: string): Promise<void> {
  const limit = new Date(Date.parse(at) - historyDays * 86_400_000).toISOString();
  const first = await db
    .selectFrom('health_changes')
    .select('at')
    .where('server_id', '=', serverId)
    .where('at', '<=', limit)
    .orderBy('at', 'desc')
    .executeTakeFirst();
  if (!first) return;
  await db
    .deleteFrom('health_changes')
    .where('server_id', '=', serverId)
    .where('at', '<', first.at)
    .execute();
}

/** When a server's health became another, oldest first, 1000 at most. */
export async function healthHistory(db: Db, serverId: string): Promise<HealthChange[]> {
  const stored = await db
    .selectFrom('health_changes')
    .select(['at', 'status', 'reason', 'detail'])
    .where('server_id', '=', serverId)
    .orderBy('at', 'desc')
    .limit(1000)
    .execute();
  return stored.reverse() as HealthChange[];
}

/** Forgets the history of a server that is removed. */
export async function forgetHistory(db: Db, serverId: string): Promise<void> {
  await db.deleteFrom('health_changes').where('server_id', '=', serverId).execute();
}
