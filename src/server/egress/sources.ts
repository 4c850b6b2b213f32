import { z } from 'zod';
import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import { clientAt, opened, registration, type Source, type SourcesWorld, usesDocument } from './clients.ts';
import type { EgressServer } from './renew.ts';
import { services } from './services.ts';
import type { RegisteredClient } from './store.ts';
import type { TokenClient } from './tokens.ts';

const metadata = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: z.url().optional(),
  token_endpoint: z.url(),
  registration_endpoint: z.url().optional(),
  revocation_endpoint: z.string().optional(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
  client_id_metadata_document_supported: z.boolean().optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
});

const protectedResource = z.looseObject({
  resource: z.string(),
  authorization_servers: z.array(z.url()).min(1),
  scopes_supported: z.array(z.string()).optional(),
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
    /** The client that the gateway is there already; undefined where it would have to register. `gone`: what was registered, where it is deleted. */
    async knownClient(
      server: EgressServer,
      source: Source,
      gone?: readonly RegisteredClient[],
    ): Promise<TokenClient | undefined> {
      const { settings, id } = server;
      if (settings.client_id !== null || usesDocument(world, source)) return clientAt(world, server, source);
      if (source.issuer === null) return undefined;
      const row = gone
        ? gone.find(({ issuer }) => issuer === source.issuer)
        : await registration(world.db, id, source.issuer);
      return row && opened(world, row, source.tokenUrl);
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
  const revocationUrl = settings.custom_token_url === null ? (service?.revokeUrl ?? null) : null;
  const resource = service?.refusesResource
    ? settings.target_audience
    : (settings.target_audience ?? url.href);
  if (tokenUrl !== undefined)
    return {
      ...none,
      issuer: settings.custom_issuer,
      authorizeUrl: settings.custom_authorize_url ?? service?.authorizeUrl ?? null,
      ...{ tokenUrl, resource, revocationUrl },
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
      revocationUrl: safeUrl(issuer, said.revocation_endpoint),
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

/** An address that is done without where it is none, or not as safe as who names it. */
function safeUrl(from: string, to: string | undefined): string | null {
  return to !== undefined && URL.canParse(to) && isAsSafeAs(from, to) ? to : null;
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
    `Where to connect to '${what}' cannot be determined: ${why}. An administrator can name it (mcp-gateway connection configure --issuer, or --authorize-url and --token-url).`,
  );
}
