import type { z } from 'zod';
import type { personalToken } from '../../../contract/tokens.ts';
import { changing } from '../../changes/record.ts';
import type { Db } from '../../db/tables.ts';

/** Whose tokens: provider and stable id. */
interface Owner {
  readonly provider: string;
  readonly subject: string;
}

/** The tokens of one owner, newest first. */
export async function listTokens(db: Db, owner: Owner): Promise<z.infer<typeof personalToken>[]> {
  const rows = await db
    .selectFrom('tokens')
    .selectAll()
    .where('provider', '=', owner.provider)
    .where('subject', '=', owner.subject)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(1000)
    .execute();
  return rows.map((row) => ({ ...row, scopes: JSON.parse(row.scopes) as string[] }));
}

/** How many tokens the owner has minted since that time. */
export async function countMinted(db: Db, owner: Owner, since: string): Promise<number> {
  const { count } = await db
    .selectFrom('tokens')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('provider', '=', owner.provider)
    .where('subject', '=', owner.subject)
    .where('created_at', '>', since)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Revokes a token of `owner` (null: anybody's); answers its owner's name, or undefined when there is no such token. */
export async function revokeToken(
  db: Db,
  id: string,
  owner: Owner | null,
  how: { readonly by: string; readonly at: string },
): Promise<string | undefined> {
  const revoke = (trx: Db) => {
    const query = trx
      .updateTable('tokens')
      .set((e) => ({
        revoked_at: e.fn.coalesce('revoked_at', e.val(how.at)),
        revoked_by: e.fn.coalesce('revoked_by', e.val(how.by)),
      }))
      .where('id', '=', id);
    const owned = owner
      ? query.where('provider', '=', owner.provider).where('subject', '=', owner.subject)
      : query;
    return owned.returning('username').executeTakeFirst();
  };
  return (await changing(db, 'token', revoke, () => [id]))?.username;
}

/** Revokes every living token of `owner`; answers how many. */
export async function revokeTokensOf(
  db: Db,
  owner: Owner,
  how: { readonly by: string; readonly at: string },
): Promise<number> {
  const revoked = await changing(
    db,
    'token',
    (trx) =>
      trx
        .updateTable('tokens')
        .set({ revoked_at: how.at, revoked_by: how.by })
        .where('provider', '=', owner.provider)
        .where('subject', '=', owner.subject)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', how.at)
        .returning('id')
        .execute(),
    (rows) => rows.map(({ id }) => id),
  );
  return revoked.length;
}
