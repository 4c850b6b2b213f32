import { type SqlBool, sql } from 'kysely';
import type { z } from 'zod';
import type { personalToken } from '../../../contract/people/tokens.ts';
import { changing } from '../../changes/record.ts';
import type { Db } from '../../db/tables.ts';
import { scopesOfStored } from '../../identity/personal-token.ts';

/** Whose tokens: provider and stable id. */
interface Owner {
  readonly provider: string;
  readonly subject: string;
}

/** How many tokens a list has at most. */
const mostListed = 1000;

/** What narrows a list of tokens down; `at` is now. */
interface Narrow {
  /** The id of a token, or part of its user name or description. */
  readonly q?: string | undefined;
  readonly state?: 'active' | 'ended' | undefined;
  readonly at: string;
}

/** The tokens of one owner (null: everybody's), newest first, and how many there are. */
export async function listTokens(
  db: Db,
  owner: Owner | null,
  { q, state, at }: Narrow,
): Promise<{ tokens: z.infer<typeof personalToken>[]; total: number }> {
  let query = db.selectFrom('tokens');
  if (owner) query = query.where('provider', '=', owner.provider).where('subject', '=', owner.subject);
  if (state === 'active') query = query.where('revoked_at', 'is', null).where('expires_at', '>', at);
  if (state === 'ended')
    query = query.where((e) => e.or([e('revoked_at', 'is not', null), e('expires_at', '<=', at)]));
  if (q) {
    const pattern = `%${q.replaceAll(/[\\%_]/g, '\\$&')}%`;
    query = query.where((e) =>
      e.or([
        e('id', '=', q),
        sql<SqlBool>`lower(username) like lower(${pattern}) escape '\\'`,
        sql<SqlBool>`lower(description) like lower(${pattern}) escape '\\'`,
      ]),
    );
  }
  const { total } = await query.select((e) => e.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  const rows = await query
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(mostListed)
    .execute();
  const tokens = rows.map((row) => ({ ...row, scopes: scopesOfStored(row.scopes) }));
  return { tokens, total: Number(total) };
}

/** Holds up other transactions of the same owner until this one ends, where the owner has signed in here. */
export async function lockOwner(trx: Db, { provider, subject }: Owner): Promise<void> {
  await trx
    .updateTable('people')
    .set((e) => ({ username: e.ref('username') }))
    .where('provider', '=', provider)
    .where('subject', '=', subject)
    .execute();
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
