import { z } from 'zod';
import { recordChange } from '../../changes/record.ts';
import type { Db, OauthClientsTable } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';

/** Whether people may sign in from a client: `open` and `approved` let them, `pending` waits for an administrator. */
export type ClientStatus = 'open' | 'pending' | 'approved' | 'blocked';

/** How the gateway came to know a client. */
export type ClientKind = 'registered' | 'document' | 'administrator';

/** The grant types (RFC 6749, 7523, 8628, 8693) that clients may have. */
export const grantTypes = {
  code: 'authorization_code',
  refresh: 'refresh_token',
  clientCredentials: 'client_credentials',
  device: 'urn:ietf:params:oauth:grant-type:device_code',
  jwtBearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
} as const;

/** A client's metadata (RFC 7591, section 2) as far as the authorization server uses it. */
export interface ClientMetadata {
  readonly client_name: string;
  readonly redirect_uris: readonly string[];
  readonly grant_types: readonly string[];
  readonly token_endpoint_auth_method:
    | 'none'
    | 'client_secret_basic'
    | 'client_secret_post'
    | 'private_key_jwt';
  readonly jwks?: unknown;
  readonly jwks_uri?: string;
}

/** A client as the gateway knows it. */
export interface StoredClient {
  readonly id: string;
  readonly kind: ClientKind;
  readonly alias: string | null;
  readonly name: string;
  readonly metadata: ClientMetadata;
  readonly secretHash: string | null;
  readonly groups: readonly string[];
  readonly status: ClientStatus;
  readonly fetchedAt: number | null;
}

/** A client that nobody has used for this long after its registration is forgotten, in milliseconds. */
export const unusedFor = 24 * 3_600_000;

/** The client with that id, blocked ones included; undefined for a stranger and for a registration that has ended. */
export async function findClient(db: Db, id: string, at: string): Promise<StoredClient | undefined> {
  // The protocol core takes a failure of the database for one of its own (500).
  if (id.includes('\0')) return undefined;
  const row = await db
    .selectFrom('oauth_clients')
    .selectAll()
    .where('client_id', '=', id)
    .where((e) => e.or([e('expires_at', 'is', null), e('expires_at', '>', at)]))
    .executeTakeFirst();
  return row && storedOf(row);
}

/** Whether scopes mean another client than `id` by a name: one of that alias, or of that id. */
export async function isNameTaken(db: Db, name: string, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('oauth_clients')
    .select('client_id')
    .where((e) => e.or([e('alias', '=', name), e('client_id', '=', name)]))
    .where('client_id', '!=', id)
    .executeTakeFirst();
  return row !== undefined;
}

/** A row as the rest of the room sees it. */
export function storedOf(row: OauthClientsTable): StoredClient {
  return {
    id: row.client_id,
    kind: row.kind as ClientKind,
    alias: row.alias,
    name: row.name,
    metadata: JSON.parse(row.metadata) as ClientMetadata,
    secretHash: row.secret_hash,
    groups: JSON.parse(row.groups) as string[],
    status: row.status as ClientStatus,
    fetchedAt: row.fetched_at === null ? null : Date.parse(row.fetched_at),
  };
}

/** What of a new client is not the same for all. */
export interface NewClient {
  readonly id: string;
  readonly kind: ClientKind;
  readonly alias?: string | null;
  readonly metadata: ClientMetadata;
  readonly secretHash?: string | null;
  readonly groups?: readonly string[];
  readonly status: ClientStatus;
  readonly registeredFrom?: string | null;
  readonly createdBy: string;
  readonly at: string;
  readonly expiresAt?: string | null;
}

/** Stores a client. Of a metadata document that is known already only the content is renewed, never its standing. */
export async function storeClient(db: Db, given: NewClient): Promise<void> {
  const content = {
    name: given.metadata.client_name,
    metadata: JSON.stringify(given.metadata),
    fetched_at: given.kind === 'document' ? given.at : null,
  };
  await inTransaction(db, async (tx) => {
    await tx
      .insertInto('oauth_clients')
      .values({
        ...content,
        client_id: given.id,
        kind: given.kind,
        alias: given.alias ?? null,
        secret_hash: given.secretHash ?? null,
        groups: JSON.stringify(given.groups ?? []),
        status: given.status,
        registered_from: given.registeredFrom ?? null,
        created_by: given.createdBy,
        created_at: given.at,
        last_used_at: null,
        expires_at: given.expiresAt ?? null,
      })
      .onConflict((conflict) => conflict.column('client_id').doUpdateSet(content))
      .execute();
    await recordChange(tx, 'oauth_client', given.id);
  });
}

/** What a client calls itself: without what only turns, hides or breaks the text around it on the page that asks for trust. */
export const clientName = z
  .string()
  .transform((text) => text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ').trim())
  .pipe(z.string().min(1).max(100));

/** What scopes may call a client: its id and, where it has one, its alias. */
export function namesOf({ id, alias }: Pick<StoredClient, 'id' | 'alias'>): string[] {
  return alias === null ? [id] : [id, alias];
}
