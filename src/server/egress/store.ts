import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import { changing } from '../changes/record.ts';
import type { ConnectionsTable, Db, EgressClientsTable } from '../db/tables.ts';
import { type ConnectedMode, sealedForServer } from './settings.ts';
import type { ConnectionVault, SealedFor } from './vault.ts';

/** Somebody's credential at a server as it is stored; the secrets stay sealed. */
export interface Connection {
  readonly id: string;
  readonly owner: SealedFor;
  readonly username: string;
  readonly mode: ConnectedMode;
  readonly issuer: string | null;
  /** What the service calls the account; null when it does not say. */
  readonly account: string | null;
  readonly scopes: readonly string[];
  readonly audience: string | null;
  readonly keyId: string;
  readonly accessSealed: string | null;
  /** Milliseconds since 1970; null when it is not known. */
  readonly accessExpiresAt: number | null;
  readonly refreshSealed: string | null;
  /** When it ends whatever happens, in milliseconds since 1970; null for never. */
  readonly endsAt: number | null;
  readonly status: 'connected' | 'refused';
  readonly generation: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly lastUsedAt: string | null;
  readonly lastUsedFor: string | null;
}

/** A client as an authorization server registered it; its secret is sealed. */
export type RegisteredClient = Selectable<EgressClientsTable>;

/** What an authorization server, or a person, gave. */
export interface Given {
  readonly access: string;
  /** Milliseconds since 1970; null when it is not said. */
  readonly accessExpiresAt: number | null;
  /** Null when none was given. */
  readonly refresh: string | null;
  readonly scopes: readonly string[];
}

/** A new connection, or one in the place of another. */
export interface NewConnection extends Given {
  readonly owner: SealedFor;
  readonly username: string;
  readonly mode: ConnectedMode;
  readonly issuer: string | null;
  readonly account: string | null;
  readonly audience: string | null;
  readonly endsAt: number | null;
}

/** The connection of somebody at a server for a purpose. */
export async function findConnection(
  db: Db,
  owner: Omit<SealedFor, 'address'>,
): Promise<Connection | undefined> {
  const row = await db
    .selectFrom('connections')
    .selectAll()
    .where('provider', '=', owner.provider)
    .where('subject', '=', owner.subject)
    .where('server_id', '=', owner.serverId)
    .where('purpose', '=', owner.purpose)
    .executeTakeFirst();
  return row && connectionOf(row);
}

/** The connection with which somebody lets a server be looked at. */
export async function findDiscovery(db: Db, serverId: string): Promise<Connection | undefined> {
  const row = await db
    .selectFrom('connections')
    .selectAll()
    .where('server_id', '=', serverId)
    .where('purpose', '=', 'discovery')
    .where('provider', '!=', '')
    .orderBy('updated_at', 'desc')
    .executeTakeFirst();
  return row && connectionOf(row);
}

/** Deletes the connections with which a server is looked at, but for one. */
export function removeDiscovery(db: Db, serverId: string, except = ''): Promise<Connection[]> {
  return removeWhere(db, { server_id: serverId, purpose: 'discovery' }, except);
}

/** A connection by its id. */
export async function connectionById(db: Db, id: string): Promise<Connection | undefined> {
  const row = await db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirst();
  return row && connectionOf(row);
}

/** The connections of a person, newest first; of everybody for `null`. */
export async function listConnections(
  db: Db,
  owner: { readonly provider: string; readonly subject: string } | null,
): Promise<Connection[]> {
  let query = db.selectFrom('connections').selectAll().orderBy('updated_at', 'desc').limit(1000);
  if (owner) query = query.where('provider', '=', owner.provider).where('subject', '=', owner.subject);
  return (await query.execute()).map(connectionOf);
}

/** The newest connections at a server, of whoever. */
export async function connectionsAt(db: Db, serverId: string): Promise<Connection[]> {
  const query = db.selectFrom('connections').selectAll().where('server_id', '=', serverId);
  return (await query.orderBy('updated_at', 'desc').limit(5000).execute()).map(connectionOf);
}

/** Stores a connection in the place of the one that its owner had at the server for the purpose. */
export async function storeConnection(
  db: Db,
  vault: ConnectionVault,
  made: NewConnection,
  at: string,
): Promise<Connection> {
  const { owner } = made;
  const sealed = sealedOf(vault, owner, made);
  const said = {
    ...sealed,
    ...{ username: made.username, mode: made.mode, address: owner.address, issuer: made.issuer },
    ...{ account: made.account, audience: made.audience, status: 'connected', updated_at: at },
    ends_at: timeText(made.endsAt),
  };
  const row = await changing(
    db,
    'connection',
    (trx) =>
      trx
        .insertInto('connections')
        .values({
          ...{
            id: randomUUID(),
            provider: owner.provider,
            subject: owner.subject,
            server_id: owner.serverId,
          },
          ...{
            purpose: owner.purpose,
            generation: 1,
            created_at: at,
            last_used_at: null,
            last_used_for: null,
          },
          ...said,
        })
        .onConflict((conflict) =>
          conflict.columns(['provider', 'subject', 'server_id', 'purpose']).doUpdateSet((e) => ({
            ...said,
            generation: e('connections.generation', '+', 1),
          })),
        )
        .returningAll()
        .executeTakeFirstOrThrow(),
    ({ id }) => [id],
  );
  return connectionOf(row);
}

/**
 * Puts new secrets in the place of those of `before`, if nothing newer is stored by now; a refresh token that was not
 * replaced stays. Returns what is stored then; undefined when the connection is gone.
 */
export async function renewConnection(
  db: Db,
  vault: ConnectionVault,
  before: Connection,
  given: Given,
  at: string,
): Promise<Connection | undefined> {
  const { owner } = before;
  const { refresh_sealed, ...rest } = sealedOf(vault, owner, given);
  // The old refresh token is sealed anew too: one row has one key.
  const kept = refresh_sealed ?? keptRefresh(vault, before);
  const row = await changing(
    db,
    'connection',
    (trx) =>
      trx
        .updateTable('connections')
        .set({
          ...{ ...rest, refresh_sealed: kept, status: 'connected', updated_at: at },
          generation: before.generation + 1,
        })
        .where('id', '=', before.id)
        .where('generation', '=', before.generation)
        .returningAll()
        .executeTakeFirst(),
    ({ id }) => [id],
  );
  return row ? connectionOf(row) : connectionById(db, before.id);
}

/** A connection with other secrets than it is stored with. */
export function withSecrets(vault: ConnectionVault, before: Connection, given: Given): Connection {
  const { access_sealed: accessSealed, refresh_sealed: refreshSealed } = sealedOf(vault, before.owner, given);
  return { ...before, accessSealed, refreshSealed, keyId: vault.keyId };
}

function keptRefresh(vault: ConnectionVault, { owner, keyId, refreshSealed }: Connection): string | null {
  const text =
    refreshSealed === null ? undefined : vault.open(owner, 'refresh', { keyId, sealed: refreshSealed });
  return text === undefined ? null : vault.seal(owner, 'refresh', text);
}

/** The server refuses the credential: it counts as ended, so that the next call gets another; nothing is deleted. */
export async function markRefused(db: Db, { id, generation, refreshSealed }: Connection): Promise<void> {
  await changing(
    db,
    'connection',
    (trx) =>
      trx
        .updateTable('connections')
        .set({
          // With a refresh token the next call gets another access token; without one the person is asked.
          // When it was got stays: by that it is judged whether the next one would be refused too.
          ...(refreshSealed === null
            ? { status: 'refused' }
            : { access_expires_at: new Date(0).toISOString() }),
        })
        .where('id', '=', id)
        .where('generation', '=', generation)
        .returning('id')
        .executeTakeFirst(),
    (row) => [row.id],
  );
}

/** Deletes a connection, if `generation` is still that of its secrets where that is given; says whether it did. */
export async function removeConnection(db: Db, id: string, generation?: number): Promise<boolean> {
  const gone = await changing(
    db,
    'connection',
    (trx) => {
      const query = trx.deleteFrom('connections').where('id', '=', id);
      return (generation === undefined ? query : query.where('generation', '=', generation))
        .returning('id')
        .executeTakeFirst();
    },
    (row) => [row.id],
  );
  return gone !== undefined;
}

/** Deletes every connection of a person: their account, or all their access, has ended. Returns what is gone. */
export function removeConnectionsOf(
  db: Db,
  owner: { readonly provider: string; readonly subject: string },
): Promise<Connection[]> {
  return removeWhere(db, { provider: owner.provider, subject: owner.subject });
}

/** Deletes every connection at a server, and the clients registered for it: it is gone, or is another one now. Returns them. */
export async function removeConnectionsAt(
  db: Db,
  serverId: string,
): Promise<{ connections: Connection[]; clients: RegisteredClient[] }> {
  const clients = await db
    .deleteFrom('egress_clients')
    .where('server_id', '=', serverId)
    .returningAll()
    .execute();
  return { connections: await removeWhere(db, { server_id: serverId }), clients };
}

async function removeWhere(
  db: Db,
  where: Readonly<Record<string, string>>,
  except = '',
): Promise<Connection[]> {
  const gone = await changing(
    db,
    'connection',
    (trx) => {
      let query = trx.deleteFrom('connections').where('id', '!=', except);
      for (const [column, value] of Object.entries(where))
        query = query.where(column as 'provider', '=', value);
      return query.returningAll().execute();
    },
    (rows) => rows.map(({ id }) => id),
  );
  return gone.map(connectionOf);
}

/** Seals every connection anew that the key before sealed; returns how many, and how many cannot be opened. */
export async function resealConnections(
  db: Db,
  vault: ConnectionVault,
): Promise<{ rotated: number; unreadable: number }> {
  const rows = (
    await db.selectFrom('connections').selectAll().where('key_id', '!=', vault.keyId).execute()
  ).map(connectionOf);
  let rotated = 0;
  for (const row of rows) {
    const part = (name: 'access' | 'refresh', sealed: string | null): string | null | undefined => {
      if (sealed === null) return null;
      const text = vault.open(row.owner, name, { keyId: row.keyId, sealed });
      return text === undefined ? undefined : vault.seal(row.owner, name, text);
    };
    const [access, refresh] = [part('access', row.accessSealed), part('refresh', row.refreshSealed)];
    if (access === undefined || refresh === undefined) continue;
    const done = await db
      .updateTable('connections')
      .set({ access_sealed: access, refresh_sealed: refresh, key_id: vault.keyId })
      .where('id', '=', row.id)
      .where('generation', '=', row.generation)
      .executeTakeFirst();
    rotated += Number(done.numUpdatedRows);
  }
  const clients = await resealClients(db, vault);
  return {
    rotated: rotated + clients.rotated,
    unreadable: rows.length - rotated + clients.unreadable,
  };
}

/** The same for the secrets of clients that authorization servers gave. */
async function resealClients(
  db: Db,
  vault: ConnectionVault,
): Promise<{ rotated: number; unreadable: number }> {
  const rows = await db
    .selectFrom('egress_clients')
    .selectAll()
    .where('key_id', '!=', vault.keyId)
    .where('secret_sealed', 'is not', null)
    .execute();
  let rotated = 0;
  for (const { server_id, issuer, secret_sealed: sealed, key_id: keyId } of rows) {
    const owner = sealedForServer(server_id);
    const text = sealed === null ? undefined : vault.open(owner, 'client-secret', { keyId, sealed });
    if (text === undefined) continue;
    const done = await db
      .updateTable('egress_clients')
      .set({ secret_sealed: vault.seal(owner, 'client-secret', text), key_id: vault.keyId })
      .where('server_id', '=', server_id)
      .where('issuer', '=', issuer)
      .where('secret_sealed', '=', sealed)
      .executeTakeFirst();
    rotated += Number(done.numUpdatedRows);
  }
  return { rotated, unreadable: rows.length - rotated };
}

function sealedOf(vault: ConnectionVault, owner: SealedFor, given: Given) {
  return {
    access_sealed: vault.seal(owner, 'access', given.access),
    access_expires_at: timeText(given.accessExpiresAt),
    refresh_sealed: given.refresh === null ? null : vault.seal(owner, 'refresh', given.refresh),
    scopes: JSON.stringify(given.scopes),
    key_id: vault.keyId,
  };
}

function connectionOf(row: Selectable<ConnectionsTable>): Connection {
  const { provider, subject, server_id: serverId, purpose, address } = row;
  return {
    id: row.id,
    owner: { provider, subject, serverId, purpose, address },
    username: row.username,
    mode: row.mode as ConnectedMode,
    issuer: row.issuer,
    account: row.account,
    scopes: JSON.parse(row.scopes) as string[],
    audience: row.audience,
    keyId: row.key_id,
    accessSealed: row.access_sealed,
    accessExpiresAt: row.access_expires_at === null ? null : Date.parse(row.access_expires_at),
    refreshSealed: row.refresh_sealed,
    endsAt: row.ends_at === null ? null : Date.parse(row.ends_at),
    status: row.status === 'refused' ? 'refused' : 'connected',
    generation: Number(row.generation),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastUsedAt: row.last_used_at,
    lastUsedFor: row.last_used_for,
  };
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
