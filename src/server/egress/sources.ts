import { z } from 'zod';
import { withLease } from '../db/lease.ts';
import type { Db } from '../db/tables.ts';
import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import type { EgressServer } from './renew.ts';
import { services } from './services.ts';
import { clientSecretOf, sealedForServer } from './settings.ts';
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

const metadata = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: z.url().optional(),
  token_endpoint: z.url(),
  registration_endpoint: z.url().optional(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
  client_id_metadata_document_supported: z.boolean().optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
});

const protectedResource = z.looseObject({
  resource: z.string(),
  authorization_servers: z.array(z.url()).min(1),
  scopes_supported: z.array(z.string()).optional(),
});

const registered = z.looseObject({
  client_id: z.string().min(1).max(2048),
  client_secret: z.string().max(4096).optional(),
  // Seconds since 1970, as far as times can be told.
  client_secret_expires_at: z.number().min(0).max(8e12).optional(),
  token_endpoint_auth_method: z.string().optional(),
});

/** How many scopes are asked for by the word of a server. */
const mostScopes = 100;
/** How long what was discovered is used, in milliseconds. */
const documentLasts = 600_000;

/** Finds where the tokens of servers come from, and which client the gateway is there. */
export function createSources(world: SourcesWorld) {
  const known = new Map<string, { source: Promise<Source>; readAt: number }>();
  const sourceOf = (server: EgressServer): Promise<Source> => {
    const key = JSON.stringify([server.id, server.url.href, server.settings]);
    const before = known.get(key);
    if (before && world.now() - before.readAt < documentLasts) return before.source;
    if (known.size > 2000) known.clear();
    const source = findSource(world.fetch, server);
    known.set(key, { source, readAt: world.now() });
    source.catch(() => known.delete(key));
    return source;
  };
  return {
    sourceOf,
    /** Whether people can connect to the server at an address: at once, or once a client is given; null where it does not say how. */
    async takesAccounts(url: URL): Promise<'ready' | 'needs_client' | null> {
      try {
        const said = await saysItself(world.fetch, { url, name: url.host });
        const source = await atIssuer(world.fetch, said.authorization_servers[0] ?? '');
        if (source.authorizeUrl === null) return null;
        return source.registrationUrl !== null || usesDocument(world, source) ? 'ready' : 'needs_client';
      } catch {
        return null;
      }
    },
    /** How the gateway is known there, without asking anybody. */
    clientKind({ settings }: EgressServer, source: Source): 'given' | 'document' | 'registers' | 'missing' {
      if (settings.client_id !== null) return 'given';
      if (usesDocument(world, source)) return 'document';
      return source.registrationUrl !== null && source.issuer !== null ? 'registers' : 'missing';
    },
    /** The client that the gateway is there. With `issuer`, the one that a connection was made at: another one fails. */
    async clientOf(
      server: EgressServer,
      issuer: string | null,
    ): Promise<{ client: TokenClient; source: Source }> {
      const source = await sourceOf(server);
      // A refresh token goes to nobody but the server that gave it (RFC 9700, section 4.4).
      if (issuer !== null && source.issuer !== null && issuer !== source.issuer)
        throw new Failure(
          'connection_needed',
          `'${server.name}' has another authorization server now; connect to it again.`,
        );
      return { source, client: await clientAt(world, server, source) };
    },
  };
}

/** What `createSources` makes. */
export type Sources = ReturnType<typeof createSources>;

async function findSource(send: Fetch, server: EgressServer): Promise<Source> {
  const { settings, url } = server;
  const service = services[settings.egress_provider];
  const tokenUrl = settings.custom_token_url ?? service?.tokenUrl;
  const none = { namesIssuer: false, registrationUrl: null, takesDocuments: false, scopes: [] };
  const resource = service?.refusesResource
    ? settings.target_audience
    : (settings.target_audience ?? url.href);
  if (tokenUrl !== undefined)
    return {
      ...none,
      issuer: settings.custom_issuer,
      authorizeUrl: settings.custom_authorize_url ?? service?.authorizeUrl ?? null,
      ...{ tokenUrl, resource },
    };
  const given = settings.custom_issuer ?? service?.issuer;
  if (given !== undefined) return { ...(await atIssuer(send, given)), resource, scopes: [] };
  const said = await saysItself(send, server);
  return {
    ...(await atIssuer(send, said.authorization_servers[0] ?? '')),
    resource: settings.target_audience ?? said.resource,
    scopes: (said.scopes_supported ?? []).slice(0, mostScopes),
  };
}

/** What the server says of its own authorization (RFC 9728): by its challenge, else at the well-known addresses. */
async function saysItself(
  send: Fetch,
  { url, name }: Pick<EgressServer, 'url' | 'name'>,
): Promise<z.infer<typeof protectedResource>> {
  const challenge = await challengeOf(send, url);
  const path = url.pathname === '/' ? '' : url.pathname;
  const wellKnown = '/.well-known/oauth-protected-resource';
  const candidates = [
    // Only the server's own host says what the server is (RFC 9728, section 3.3).
    ...(challenge && new URL(challenge).origin === url.origin ? [challenge] : []),
    new URL(`${wellKnown}${path}`, url).href,
    new URL(wellKnown, url).href,
  ];
  for (const at of new Set(candidates)) {
    const parsed = protectedResource.safeParse(await readJson(send, at));
    if (!parsed.success) continue;
    if (!covers(parsed.data.resource, url))
      throw undiscovered(name, 'its metadata describe another resource than this server');
    if (!isAsSafeAs(url, parsed.data.authorization_servers[0] ?? ''))
      throw undiscovered(name, 'its authorization server is at no https:// address');
    return parsed.data;
  }
  throw undiscovered(name, 'it does not say where its authorization server is (RFC 9728)');
}

async function challengeOf(send: Fetch, url: URL): Promise<string | undefined> {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      ...{ protocolVersion: '2025-11-25', capabilities: {} },
      clientInfo: { name: 'mcp-gateway-registry', version: '0' },
    },
  });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const response = await send(url, { method: 'POST', headers, body }).catch(() => undefined);
  await response?.body?.cancel().catch(() => {});
  const said = response?.headers.get('www-authenticate') ?? '';
  const at = /resource_metadata\s*=\s*"([^"]{1,2048})"/i.exec(said)?.[1];
  return at !== undefined && URL.canParse(at) ? at : undefined;
}

/** Whether a resource is the server at `url`, or the part of its host that it is in. */
function covers(resource: string, url: URL): boolean {
  if (!URL.canParse(resource)) return false;
  const { origin, pathname } = new URL(resource);
  const base = pathname.replace(/\/$/, '');
  return origin === url.origin && (url.pathname === pathname || `${url.pathname}/`.startsWith(`${base}/`));
}

/** The metadata of an authorization server (RFC 8414, or OpenID discovery); its issuer is the one asked for, to the letter. */
async function atIssuer(send: Fetch, issuer: string): Promise<Omit<Source, 'resource' | 'scopes'>> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const candidates = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  for (const at of new Set(candidates)) {
    const parsed = metadata.safeParse(await readJson(send, at));
    if (!parsed.success) continue;
    const said = parsed.data;
    const named = [said.token_endpoint, said.authorization_endpoint, said.registration_endpoint];
    if (named.some((url) => url !== undefined && !isAsSafeAs(issuer, url)))
      throw undiscovered(issuer, 'its authorization server names addresses that are no https:// addresses');
    if (said.issuer.replace(/\/$/, '') !== issuer.replace(/\/$/, '')) continue;
    if (said.authorization_endpoint && !said.code_challenge_methods_supported?.includes('S256'))
      throw undiscovered(issuer, 'its authorization server does not say that it takes PKCE with S256');
    return {
      issuer: said.issuer,
      authorizeUrl: said.authorization_endpoint ?? null,
      tokenUrl: said.token_endpoint,
      namesIssuer: said.authorization_response_iss_parameter_supported === true,
      registrationUrl: said.registration_endpoint ?? null,
      takesDocuments: said.client_id_metadata_document_supported === true,
    };
  }
  throw undiscovered(issuer, 'no metadata of its authorization server can be read (RFC 8414)');
}

/** Whether codes and tokens may go to an address by the word of another: what is said over TLS leads to nowhere without it. */
function isAsSafeAs(from: string | URL, to: string): boolean {
  const { protocol, username, password } = new URL(to);
  if (username || password) return false;
  return protocol === 'https:' || (protocol === 'http:' && new URL(from).protocol === 'http:');
}

async function readJson(send: Fetch, url: string): Promise<unknown> {
  try {
    const response = await send(url, { headers: { accept: 'application/json' } });
    if (response.ok) return await response.json();
    await response.body?.cancel();
  } catch {}
  return undefined;
}

function undiscovered(what: string, why: string): Failure {
  return new Failure(
    'connection_unavailable',
    `Where to connect to '${what}' cannot be found out: ${why}. An administrator may name it (egress-configure --issuer, or --authorize-url and --token-url).`,
  );
}

/** Whether the gateway is known there by its document: only one at an https address is taken. */
function usesDocument(
  { publicUrl }: SourcesWorld,
  { takesDocuments }: Pick<Source, 'takesDocuments'>,
): boolean {
  return takesDocuments && publicUrl.startsWith('https:');
}

async function clientAt(world: SourcesWorld, server: EgressServer, source: Source): Promise<TokenClient> {
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
      `The authorization server of '${server.name}' takes only clients that are registered there: an administrator has to give its client id (egress-configure --client-id).`,
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
  { db, vault, now }: SourcesWorld,
  serverId: string,
  issuer: string,
  tokenUrl: string,
): Promise<TokenClient | undefined> {
  const row = await db
    .selectFrom('egress_clients')
    .selectAll()
    .where('server_id', '=', serverId)
    .where('issuer', '=', issuer)
    .executeTakeFirst();
  if (!row || (row.expires_at !== null && Date.parse(row.expires_at) < now() + 60_000)) return undefined;
  const secret =
    row.secret_sealed === null
      ? undefined
      : vault.open(sealedForServer(serverId), 'client-secret', {
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
  const redirect_uris = [new URL(callbackOf(server), publicUrl).href];
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const response = await send(at.registrationUrl, {
    ...{ method: 'POST', headers },
    body: JSON.stringify({ ...asked, redirect_uris }),
  });
  const parsed = registered.safeParse(await response.json().catch(() => undefined));
  if (!response.ok || !parsed.success)
    throw new Failure(
      'connection_unavailable',
      `The authorization server of '${server.name}' did not register the gateway (${response.status}): an administrator has to give a client id (egress-configure --client-id).`,
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
