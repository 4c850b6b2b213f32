import type { z } from 'zod';
import type { connectedClient, oauthClient } from '../../../contract/oauth.ts';
import { recordChange } from '../../changes/record.ts';
import type { Db, OauthGrantsTable } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { storedOf } from '../../oauth/clients/clients.ts';
import { endGrantsOfClient, type GrantEnding, type GrantOwner, type GrantVia } from '../../oauth/grants.ts';

/** An OAuth client as the API shows it. */
export type ShownClient = z.input<typeof oauthClient>;

/** What a list of clients is narrowed by. */
export interface ClientFilter {
  readonly status?: string | undefined;
  readonly search?: string | undefined;
  readonly id?: string | undefined;
}

/** A page of the clients, those used last first, with how many there are. */
export async function listClients(
  db: Db,
  filter: ClientFilter,
  at: string,
  { limit, skip }: { limit: number; skip: number },
): Promise<{ total: number; items: ShownClient[] }> {
  let query = db
    .selectFrom('oauth_clients')
    .where((e) => e.or([e('expires_at', 'is', null), e('expires_at', '>', at), e('status', '=', 'blocked')]));
  if (filter.id !== undefined) query = query.where('client_id', '=', filter.id);
  if (filter.status) query = query.where('status', '=', filter.status);
  const search = filter.search?.toLowerCase();
  if (search) {
    const like = `%${search.replace(/[\\%]/g, '')}%`;
    query = query.where((e) =>
      e.or([
        e(e.fn('lower', ['name']), 'like', like),
        e(e.fn('lower', ['client_id']), 'like', like),
        e(e.fn('lower', ['alias']), 'like', like),
      ]),
    );
  }
  const { count } = await query.select((e) => e.fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  const rows = await query
    .selectAll()
    .orderBy((e) => e.fn.coalesce('last_used_at', 'created_at'), 'desc')
    .orderBy('client_id')
    .limit(limit)
    .offset(skip)
    .execute();
  const users = await peopleOf(
    db,
    rows.map(({ client_id }) => client_id),
    at,
  );
  const items = rows.map((row): ShownClient => {
    const { id: client_id, kind, name, alias, metadata, groups, status } = storedOf(row);
    const { redirect_uris, grant_types, token_endpoint_auth_method } = metadata;
    return {
      ...{ client_id, kind, alias, status, groups: [...groups], client_name: name },
      ...{ redirect_uris: [...redirect_uris], grant_types: [...grant_types], token_endpoint_auth_method },
      ...{ created_by: row.created_by, created_at: row.created_at },
      ...{ last_used_at: row.last_used_at, expires_at: row.expires_at, people: users.get(client_id) ?? 0 },
    };
  });
  return { total: Number(count), items };
}

/** How many people have a living grant of each client. */
async function peopleOf(db: Db, ids: readonly string[], at: string): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('oauth_grants')
    .select(['client_id', 'provider', 'subject'])
    .distinct()
    .where('client_id', 'in', ids)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', at)
    .execute();
  const counts = new Map<string, number>();
  for (const { client_id } of rows) counts.set(client_id, (counts.get(client_id) ?? 0) + 1);
  return counts;
}

/** The living grants of somebody, or of everybody for a client, newest first. */
export async function listGrants(
  db: Db,
  of: { owner?: GrantOwner; clientId?: string | undefined },
  at: string,
): Promise<z.input<typeof connectedClient>[]> {
  let query = db
    .selectFrom('oauth_grants')
    .selectAll()
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', at);
  if (of.owner)
    query = query.where('provider', '=', of.owner.provider).where('subject', '=', of.owner.subject);
  if (of.clientId !== undefined) query = query.where('client_id', '=', of.clientId);
  const rows = await query.orderBy('created_at', 'desc').orderBy('id').limit(1000).execute();
  return rows.map((row: OauthGrantsTable) => ({
    ...row,
    via: row.via as GrantVia,
    scopes: JSON.parse(row.scopes) as string[],
    actors: JSON.parse(row.actors) as string[],
  }));
}

/** Changes what administrators say of a client; blocking ends every grant of it. */
export async function changeClient(
  db: Db,
  id: string,
  change: {
    status?: string | undefined;
    alias?: string | null | undefined;
    groups?: readonly string[] | undefined;
  },
  how: GrantEnding,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const set = {
      ...(change.status === undefined ? {} : { status: change.status }),
      ...(change.alias === undefined ? {} : { alias: change.alias }),
      ...(change.groups === undefined ? {} : { groups: JSON.stringify(change.groups) }),
    };
    await trx.updateTable('oauth_clients').set(set).where('client_id', '=', id).execute();
    if (change.status === 'blocked') await endGrantsOfClient(trx, id, how);
    await recordChange(trx, 'oauth_client', id);
  });
}

/** Forgets a client, with every grant of it; whether there was one. */
export async function removeClient(db: Db, id: string, how: GrantEnding): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    await endGrantsOfClient(trx, id, how);
    const { numDeletedRows } = await trx
      .deleteFrom('oauth_clients')
      .where('client_id', '=', id)
      .executeTakeFirst();
    await recordChange(trx, 'oauth_client', id);
    return Number(numDeletedRows) > 0;
  });
}
