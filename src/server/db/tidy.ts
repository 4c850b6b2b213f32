import { dropFreeAllowances } from './allowance.ts';
import { dropEndedLeases, ifLeased } from './lease.ts';
import type { Db } from './tables.ts';

const hour = 3_600_000;

/** What nobody can use any more, and how long it stays for those whose clock is behind, or who ask what was. */
const ended = [
  { table: 'sessions', column: 'expires_at', keptMs: hour },
  { table: 'used_sign_ins', column: 'expires_at', keptMs: hour },
  { table: 'connection_attempts', column: 'expires_at', keptMs: hour },
  { table: 'oauth_rates', column: 'ends_at', keptMs: hour },
  { table: 'oauth_artifacts', column: 'expires_at', keptMs: hour },
  // A session of a virtual server ends after a day (`virtual/sessions.ts`).
  { table: 'virtual_sessions', column: 'created_at', keptMs: 25 * hour },
  { table: 'virtual_replies', column: 'created_at', keptMs: hour },
  // Its owner may look for a while at what a program was allowed.
  { table: 'oauth_grants', column: 'expires_at', keptMs: 90 * 24 * hour },
] as const;

/** Deletes rows that are of no use any more, unless another process does it right now. `now`: milliseconds since 1970. */
export async function tidyDatabase(db: Db, now: number): Promise<void> {
  await ifLeased(db, 'tidying', async () => {
    for (const { table, column, keptMs } of ended)
      await db
        .deleteFrom(table)
        .where(column, '<', new Date(now - keptMs).toISOString())
        .execute();
    // Nobody ends these one by one: those that are long over would only pile up.
    await db
      .deleteFrom('oauth_grants')
      .where('via', 'in', ['assertion', 'exchange'])
      .where('expires_at', '<', new Date(now - 7 * 24 * hour).toISOString())
      .execute();
    await db
      .deleteFrom('oauth_clients')
      .where('kind', '=', 'registered')
      .where('status', '!=', 'blocked')
      .where('expires_at', '<', new Date(now - hour).toISOString())
      .execute();
    await dropFreeAllowances(db);
    await dropEndedLeases(db);
  });
}
