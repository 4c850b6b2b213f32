import { recordChange } from '../changes/record.ts';
import { lastUsesOf } from '../db/last-uses.ts';
import type { Db, OauthGrantsTable } from '../db/tables.ts';
import { inTransaction } from '../db/transaction.ts';
import type { Identity } from '../identity/identity.ts';

/** How a grant ends: when, by whom, and why in words for its owner. */
export interface GrantEnding {
  readonly at: string;
  readonly by: string;
  readonly because: string;
}

/** Whose grants: provider and stable id. */
export interface GrantOwner {
  readonly provider: string;
  readonly subject: string;
}

/** How a grant came about: a person's consent, also by device code (RFC 8628), an assertion (RFC 7523) or token exchange (RFC 8693). */
export type GrantVia = 'consent' | 'device' | 'assertion' | 'exchange';

/** What a person, or somebody whom the gateway trusts with it, has just granted. */
export interface NewGrant {
  readonly id: string;
  readonly owner: Pick<Identity, 'provider' | 'subject' | 'username'>;
  readonly client: { readonly id: string; readonly name: string };
  readonly resource: string;
  readonly scopes: readonly string[];
  readonly at: string;
  readonly expiresAt: string;
  readonly via: GrantVia;
  /** The clients that act for the person, the present one first; none where the client is the person's own program. */
  readonly actors?: readonly string[];
  /** The grant that it came of and ends with. */
  readonly parentId?: string | undefined;
  /** The one endpoint, such as `/everything`, that a grant for all is narrowed to. */
  readonly onlyAt?: string | null;
  /** Where the code is sent; undefined where there is none. */
  readonly redirectUri?: string | undefined;
}

/** Stores a grant; a client that registered itself lives on with it. */
export async function storeGrant(db: Db, given: NewGrant): Promise<void> {
  const { provider, subject, username } = given.owner;
  await db
    .updateTable('oauth_clients')
    .set({ last_used_at: given.at })
    .where('client_id', '=', given.client.id)
    .execute();
  await db
    .updateTable('oauth_clients')
    .set({ expires_at: given.expiresAt })
    .where('client_id', '=', given.client.id)
    .where('kind', '=', 'registered')
    .where('expires_at', '<', given.expiresAt)
    .execute();
  await db
    .insertInto('oauth_grants')
    .values({
      ...{ id: given.id, provider, subject, username, resource: given.resource },
      client_id: given.client.id,
      client_name: given.client.name,
      scopes: JSON.stringify(given.scopes),
      created_at: given.at,
      last_used_at: null,
      expires_at: given.expiresAt,
      revoked_at: null,
      revoked_by: null,
      revoked_because: null,
      via: given.via,
      actors: JSON.stringify(given.actors ?? []),
      parent_id: given.parentId ?? null,
      only_at: given.onlyAt ?? null,
      redirect_uri: given.redirectUri ?? null,
    })
    .execute();
}

/** The grant with that id, ended ones included. */
export async function findGrant(db: Db, id: string): Promise<OauthGrantsTable | undefined> {
  return db.selectFrom('oauth_grants').selectAll().where('id', '=', id).executeTakeFirst();
}

/**
 * The newest living grant of a person for a client and resource, by a code that was sent to this very address: what the
 * consent page remembers. A program may have several addresses, and may change them (RFC 6749, section 10.2).
 */
export async function rememberedGrant(
  db: Db,
  owner: GrantOwner,
  clientId: string,
  { resource, redirectUri }: { readonly resource: string; readonly redirectUri: string },
  at: string,
): Promise<OauthGrantsTable | undefined> {
  return db
    .selectFrom('oauth_grants')
    .selectAll()
    .where('provider', '=', owner.provider)
    .where('subject', '=', owner.subject)
    .where('client_id', '=', clientId)
    .where('resource', '=', resource)
    .where('redirect_uri', '=', redirectUri)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', at)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Notes that a grant is used, and so its client. */
export function touchGrant(db: Db, grant: OauthGrantsTable, now: number): void {
  const uses = lastUsesOf(db);
  uses.note('oauth_grants', grant.id, now, { isFirst: grant.last_used_at === null });
  uses.note('oauth_clients', grant.client_id, now);
}

/** Ends a grant with every code and refresh token of it; its access tokens are refused from then on. */
export async function endGrant(db: Db, id: string, how: GrantEnding): Promise<void> {
  await inTransaction(db, (trx) => endAll(trx, [id], how));
}

/** Ends every living grant of a person; returns how many. */
export async function endGrantsOf(db: Db, owner: GrantOwner, how: GrantEnding): Promise<number> {
  return inTransaction(db, async (trx) => {
    const living = await trx
      .selectFrom('oauth_grants')
      .select('id')
      .where('provider', '=', owner.provider)
      .where('subject', '=', owner.subject)
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', how.at)
      .execute();
    await endAll(
      trx,
      living.map(({ id }) => id),
      how,
    );
    return living.length;
  });
}

/** Ends every living grant of a client. */
export async function endGrantsOfClient(db: Db, clientId: string, how: GrantEnding): Promise<void> {
  await inTransaction(db, async (trx) => {
    const living = await trx
      .selectFrom('oauth_grants')
      .select('id')
      .where('client_id', '=', clientId)
      .where('revoked_at', 'is', null)
      .execute();
    await endAll(
      trx,
      living.map(({ id }) => id),
      how,
    );
  });
}

/** Ends grants, and with each what came of it by token exchange. */
async function endAll(trx: Db, ids: readonly string[], how: GrantEnding): Promise<void> {
  // Below the number of values that either database takes in one statement.
  for (let from = 0; from < ids.length; from += 500) {
    const some = ids.slice(from, from + 500);
    await trx
      .updateTable('oauth_grants')
      .set({ revoked_at: how.at, revoked_by: how.by, revoked_because: how.because })
      .where('id', 'in', some)
      .where('revoked_at', 'is', null)
      .execute();
    await trx.deleteFrom('oauth_artifacts').where('grant_id', 'in', some).execute();
    await recordChange(trx, 'oauth_grant', ...some);
    const children = await trx
      .selectFrom('oauth_grants')
      .select('id')
      .where('parent_id', 'in', some)
      .where('revoked_at', 'is', null)
      .execute();
    await endAll(
      trx,
      children.map(({ id }) => id),
      how,
    );
  }
}
