import { z } from 'zod';
import { withLease } from '../db/lease.ts';
import type { Db } from '../db/tables.ts';
import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import type { EgressServer } from './renew.ts';
import { services } from './services.ts';
import { clientSecretOf, sealedForServer } from './settings.ts';
import type { RegisteredClient } from './store.ts';
import type { TokenClient } from './tokens.ts';
import type { ConnectionVault } from './vault.ts';

/** Where people connect to a server, and where its tokens come from. */
export interface Source {
  /** Null where it was not discovered. */
  readonly issuer: string | null;
  readonly authorizeUrl: string | null;
  readonly tokenUrl: string;
  /** What tokens are asked for (RFC 8707); null for servers that refuse it. */
  readonly resource: string | null;
  /** Whether the issuer must be named in the response (RFC 9207). */
  readonly namesIssuer: boolean;
  readonly registrationUrl: string | null;
  /** Where it takes tokens back (RFC 7009); null where it says nothing of that. */
  readonly revocationUrl: string | null;
  readonly takesDocuments: boolean;
  /** What the server says that it needs, for whom no scopes were set up. */
  readonly scopes: readonly string[];
}

/** What sources are found with. */
export interface SourcesWorld {
  readonly db: Db;
  readonly vault: ConnectionVault;
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly publicUrl: string;
}

/** The gateway's own client: the document at this path says which (OAuth Client ID Metadata Document). */
export const documentPath = '/oauth/client-metadata.json';
/** Where authorization servers that the operator has chosen send people back to. */
export const callbackPath = '/oauth2/egress/callback';

/** A server as it has addresses of its own here. */
type Named = Pick<EgressServer, 'id' | 'settings'>;

/**
 * Where people come back to from the authorization server of a server. One that only the server itself names has an address
 * of its own: it could send people on to another one, whose code would then be taken for its own and go to it (mix-up;
 * RFC 9700, section 4.4.2).
 */
export function callbackOf(server: Named): string {
  return isChosen(server) ? callbackPath : `${callbackPath}/${encodeURIComponent(server.id)}`;
}

/** The same as a whole URL, as the authorization server knows it. */
export function redirectUriOf(server: Named, publicUrl: string): string {
  return new URL(callbackOf(server), publicUrl).href;
}

/** Where the document is by which the gateway is known to the authorization server of a server: a client, a redirect URI. */
function documentOf(server: Named): string {
  return isChosen(server)
    ? documentPath
    : documentPath.replace('.json', `/${encodeURIComponent(server.id)}.json`);
}

/** Whether an administrator, or the table of services, says which authorization server it is. */
function isChosen({ settings }: Named): boolean {
  const { custom_issuer, custom_token_url, egress_provider } = settings;
  return custom_issuer !== null || custom_token_url !== null || services[egress_provider] !== undefined;
}

/** The metadata document of the gateway as a client: of all chosen authorization servers, or of the one of a server. */
export function ownDocument(publicUrl: string, serverId?: string): Record<string, unknown> {
  const of = serverId === undefined ? '' : `/${encodeURIComponent(serverId)}`;
  return {
    client_id: new URL(documentPath.replace('.json', `${of}.json`), publicUrl).href,
    client_name: 'MCP Gateway & Registry',
    client_uri: publicUrl,
    redirect_uris: [new URL(`${callbackPath}${of}`, publicUrl).href],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
}

const registered = z.looseObject({
  client_id: z.string().min(1).max(2048),
  client_secret: z.string().max(4096).optional(),
  // Seconds since 1970, as far as times can be told.
  client_secret_expires_at: z.number().min(0).max(8e12).optional(),
  token_endpoint_auth_method: z.string().optional(),
});

/** Whether the gateway is known there by its document: only one at an https address is taken. */
export function usesDocument(
  { publicUrl }: SourcesWorld,
  { takesDocuments }: Pick<Source, 'takesDocuments'>,
): boolean {
  return takesDocuments && publicUrl.startsWith('https:');
}

/** The client that the gateway is at the authorization server of a server; it registers where it has to. */
export async function clientAt(
  world: SourcesWorld,
  server: EgressServer,
  source: Source,
): Promise<TokenClient> {
  const { settings } = server;
  const { tokenUrl } = source;
  if (settings.client_id !== null) {
    const secret = clientSecretOf(world.vault, server.id, settings);
    const method = secret === undefined ? 'none' : settings.token_auth_method;
    return { tokenUrl, clientId: settings.client_id, secret, method };
  }
  if (usesDocument(world, source))
    return { tokenUrl, clientId: new URL(documentOf(server), world.publicUrl).href, method: 'none' };
  const { registrationUrl, issuer } = source;
  if (registrationUrl === null || issuer === null)
    throw new Failure(
      'connection_unavailable',
      `The authorization server of '${server.name}' takes only clients that are registered there: an administrator has to give its client id (\`mcp-gateway connection configure --client-id\`).`,
    );
  const found = await registeredClient(world, server.id, issuer, tokenUrl);
  if (found) return found;
  return withLease(world.db, `egress client: ${server.id} ${issuer}`, async () => {
    return (
      (await registeredClient(world, server.id, issuer, tokenUrl)) ??
      (await register(world, server, { registrationUrl, issuer, tokenUrl }))
    );
  });
}

async function registeredClient(
  world: SourcesWorld,
  serverId: string,
  issuer: string,
  tokenUrl: string,
): Promise<TokenClient | undefined> {
  const row = await registration(world.db, serverId, issuer);
  return row && opened(world, row, tokenUrl);
}

/** What was registered for a server at an authorization server. */
export function registration(
  db: Db,
  serverId: string,
  issuer: string,
): Promise<RegisteredClient | undefined> {
  const query = db.selectFrom('egress_clients').selectAll().where('server_id', '=', serverId);
  return query.where('issuer', '=', issuer).executeTakeFirst();
}

/** A registered client as it asks for tokens; undefined once it has ended, or its secret cannot be opened. */
export function opened(
  { vault, now }: Pick<SourcesWorld, 'vault' | 'now'>,
  row: RegisteredClient,
  tokenUrl: string,
): TokenClient | undefined {
  if (row.expires_at !== null && Date.parse(row.expires_at) < now() + 60_000) return undefined;
  const secret =
    row.secret_sealed === null
      ? undefined
      : vault.open(sealedForServer(row.server_id), 'client-secret', {
          keyId: row.key_id,
          sealed: row.secret_sealed,
        });
  if (row.secret_sealed !== null && secret === undefined) return undefined;
  return { tokenUrl, clientId: row.client_id, secret, method: row.auth_method as TokenClient['method'] };
}

/** Registers the gateway as a client (RFC 7591). */
async function register(
  { db, vault, fetch: send, now, publicUrl }: SourcesWorld,
  server: EgressServer,
  at: { readonly registrationUrl: string; readonly issuer: string; readonly tokenUrl: string },
): Promise<TokenClient> {
  const { client_id: _, ...asked } = ownDocument(publicUrl);
  const redirect_uris = [redirectUriOf(server, publicUrl)];
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const response = await send(at.registrationUrl, {
    ...{ method: 'POST', headers },
    body: JSON.stringify({ ...asked, redirect_uris }),
  });
  const parsed = registered.safeParse(await response.json().catch(() => undefined));
  if (!response.ok || !parsed.success)
    throw new Failure(
      'connection_unavailable',
      `The authorization server of '${server.name}' did not register the gateway (${response.status}): an administrator has to give a client id (\`mcp-gateway connection configure --client-id\`).`,
    );
  const {
    client_id,
    client_secret,
    client_secret_expires_at: until = 0,
    token_endpoint_auth_method,
  } = parsed.data;
  const method =
    client_secret === undefined || token_endpoint_auth_method === 'none'
      ? 'none'
      : token_endpoint_auth_method === 'client_secret_post'
        ? 'client_secret_post'
        : 'client_secret_basic';
  const row = {
    client_id,
    secret_sealed:
      client_secret === undefined
        ? null
        : vault.seal(sealedForServer(server.id), 'client-secret', client_secret),
    key_id: vault.keyId,
    auth_method: method,
    expires_at: until > 0 ? new Date(until * 1000).toISOString() : null,
    created_at: new Date(now()).toISOString(),
  };
  await db
    .insertInto('egress_clients')
    .values({ server_id: server.id, issuer: at.issuer, ...row })
    .onConflict((conflict) => conflict.columns(['server_id', 'issuer']).doUpdateSet(row))
    .execute();
  return { tokenUrl: at.tokenUrl, clientId: client_id, secret: client_secret, method };
}
