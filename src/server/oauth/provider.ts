import type { JWK } from 'jose';
import { type Context, errors, interactionPolicy, type Payload, Provider, type Token } from 'oidc-provider';
import { asFailure } from '../failure/errors.ts';
import type { FreshPerson } from '../identity/fresh-people.ts';
import { hashOf, sameSecret } from '../identity/keys.ts';
import type { Fetch } from '../net/outbound.ts';
import { type ArtifactsWorld, aheadOfMachine, artifactsOf, shifted } from './artifacts.ts';
import type { StoredClient } from './clients/clients.ts';
import { assertEndsSoon, wayToKeys } from './clients/proofs.ts';
import { endGrant } from './grants.ts';
import { renderErrorPage, renderLeavingPage } from './pages.ts';
import { takeTurn } from './rates.ts';
import { mcpScopes, type Resource, resourceOf } from './resources.ts';
import type { IssuedClaims } from './verify.ts';

/** Where the protocol endpoints are. */
export const routes = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  jwks: '/oauth/jwks',
  revocation: '/oauth/revoke',
  introspection: '/oauth/introspect',
  device_authorization: '/oauth/device/authorize',
  code_verification: '/oauth/device',
} as const;

/** Ways in which clients prove themselves. */
export const clientAuthMethods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'];

/** What the protocol core is built from. */
export interface ProviderWorld extends ArtifactsWorld {
  /** The public origin: the issuer, character by character. */
  readonly issuer: string;
  /** Signs the cookies of sign-ins under way. */
  readonly cookieKey: string;
  /** Finds a client that may be used: approved or open, not blocked. */
  readonly findClient: (id: string) => Promise<StoredClient | undefined>;
  readonly freshPerson: FreshPerson;
  /** The way to the keys of clients (`jwks_uri`): public addresses only. */
  readonly fetch: Fetch;
  readonly lifetimes: { readonly accessSeconds: number; readonly grantSeconds: number };
  readonly log: { error(facts: object, text: string): void };
  /** Grants that the core does not know. */
  readonly grants: readonly ExtraGrant[];
  /** What a living access token of ours says; undefined for one that is over, revoked or not ours. */
  readonly living: (token: string) => Promise<IssuedClaims | undefined>;
}

/** A grant of the token endpoint besides the core's. */
export interface ExtraGrant {
  readonly name: string;
  readonly handle: (ctx: Context) => Promise<void>;
  readonly parameters: readonly string[];
}

/** The `sub` of a person: provider and the provider's stable id. */
export function accountIdOf({ provider, subject }: { provider: string; subject: string }): string {
  return `${provider}:${subject}`;
}

/** The person of a `sub`. */
function ownerOf(accountId: string): { provider: string; subject: string } {
  const at = accountId.indexOf(':');
  return { provider: accountId.slice(0, at), subject: accountId.slice(at + 1) };
}

/**
 * The protocol core (oidc-provider) with our storage, people, clients and resources. It keeps no session: who the person is
 * and what they grant comes from the consent page each time.
 */
export function createProvider(world: ProviderWorld, keys: readonly JWK[]): Provider {
  const secure = world.issuer.startsWith('https:');
  const cookie = { httpOnly: true, sameSite: 'lax', secure, signed: true, overwrite: true };
  const { accessSeconds, grantSeconds } = world.lifetimes;
  const provider = new Provider(world.issuer, {
    adapter: (model: string) => (model === 'Client' ? clientsFor(world) : artifactsOf(world, model)),
    jwks: { keys },
    routes,
    cookies: {
      keys: [world.cookieKey],
      names: {
        session: 'mcp_oauth_session',
        interaction: 'mcp_oauth_interaction',
        resume: 'mcp_oauth_resume',
      },
      short: cookie,
      long: cookie,
    },
    clientAuthMethods,
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
      token_endpoint_auth_method: 'none',
    },
    enabledJWA: {
      idTokenSigningAlgValues: ['ES256'],
      clientAuthSigningAlgValues: ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'RS256', 'PS256'],
    },
    responseTypes: ['code'],
    scopes: ['offline_access'],
    claims: {},
    pkce: { required: () => true },
    assertJwtClientAuthClaimsAndHeader: async (_: unknown, { exp }: { exp?: unknown }) =>
      assertEndsSoon(exp, world.now()),
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      // The data plane takes bearer tokens: one that is bound to a key would be no safer, and say that it is.
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****' },
      revocation: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => false },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => world.issuer,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (ctx: Context, indicator: string) => resourceInfo(ctx, indicator, world),
      },
    },
    formats: {
      customizers: {
        // Tokens are judged by the shared clock too (verify.ts).
        jwt: (_: unknown, __: unknown, token: { payload: Payload }) => {
          token.payload = shifted(token.payload, aheadOfMachine(world));
        },
      },
    },
    ttl: {
      AccessToken: accessSeconds,
      ClientCredentials: accessSeconds,
      // RFC 6749, section 4.1.2, allows ten minutes.
      AuthorizationCode: 300,
      Interaction: 900,
      Session: 900,
      DeviceCode: 600,
      Grant: grantSeconds,
      // A refresh token never outlives what it was granted for.
      RefreshToken: (ctx: Context | undefined) =>
        Math.max(1, ctx?.oidc.entities.Grant?.remainingTTL ?? grantSeconds),
    },
    rotateRefreshToken: () => true,
    issueRefreshToken: async (_: unknown, client: { grantTypeAllowed(type: string): boolean }) =>
      client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    extraTokenClaims: async (_: unknown, { grantId, act }: { grantId?: string; act?: unknown }) =>
      grantId ? { gid: grantId, ...(act ? { act } : {}) } : undefined,
    loadExistingGrant: async (ctx: Context) => {
      const id = ctx.oidc.result?.consent?.grantId;
      return id ? provider.Grant.find(id) : undefined;
    },
    findAccount: async (ctx: Context, accountId: string) => accountOf(ctx, accountId, world),
    interactions: {
      policy: [
        new interactionPolicy.Prompt({ name: 'login', requestable: true }),
        new interactionPolicy.Prompt({ name: 'select_account', requestable: true }),
        new interactionPolicy.Prompt(
          { name: 'consent', requestable: true },
          new interactionPolicy.Check(
            'not_asked',
            'the person has to be asked',
            'consent_required',
            (ctx) => !ctx.oidc.result?.consent?.grantId,
          ),
        ),
      ],
      url: async (_: unknown, { uid }: { uid: string }) => `/oauth/consent/${uid}`,
    },
    // Any page may be a client of ours: what it gets it has to have the code or token for, and no cookie counts here.
    clientBasedCORS: () => true,
    fetch: wayToKeys(world),
    renderError: async (ctx: Context, out: Payload) => renderErrorPage(ctx, out),
  });
  provider.proxy = true;
  // Secrets of clients are stored as their hashes.
  provider.Client.prototype.compareClientSecret = function compare(actual) {
    return sameSecret(hashOf(actual), this.clientSecret ?? '');
  };
  Object.defineProperty(provider.RefreshToken.prototype, 'scopes', {
    get(this: Token) {
      return scopesAtRefresh(this.scope ?? '', Provider.ctx?.oidc.params.scope);
    },
  });
  for (const { name, handle, parameters } of world.grants)
    provider.registerGrantType(name, handle, parameters);
  provider.on('server_error', (_: unknown, error: unknown) =>
    world.log.error({ err: error }, 'the authorization server failed'),
  );
  provider.use(adjustAuthorization);
  provider.use((ctx, next) => showWhereErrorsGo(ctx, next, world));
  provider.use((ctx, next) => aboutAccessTokens(ctx, next, world));
  provider.use((ctx, next) => paceDevices(ctx, next, world));
  return provider;
}

/** Clients as the core reads them; it never writes any. */
function clientsFor(world: ProviderWorld) {
  return {
    async find(id: string): Promise<Payload | undefined> {
      const client = await world.findClient(id);
      if (!client) return undefined;
      const { client_name, redirect_uris, grant_types, token_endpoint_auth_method, jwks, jwks_uri } =
        client.metadata;
      return {
        ...{ client_id: id, client_name, redirect_uris, grant_types, token_endpoint_auth_method },
        response_types: redirect_uris.length > 0 ? ['code'] : [],
        // The rules of RFC 8252 for loopback redirects: any port, and no http elsewhere.
        application_type: 'native',
        ...(jwks ? { jwks } : {}),
        ...(jwks_uri ? { jwks_uri } : {}),
        ...(client.secretHash ? { client_secret: client.secretHash } : {}),
      };
    },
  };
}

function resourceInfo(ctx: Context, indicator: string, world: ProviderWorld) {
  const { resource: asked } = ctx.oidc.params;
  if (Array.isArray(asked) && asked.length > 1)
    throw new errors.InvalidTarget('ask for one resource at a time');
  const resource = resourceOf(indicator, world.issuer);
  if (!resource)
    throw new errors.InvalidTarget(
      `the resource must be the URL of an MCP endpoint of this gateway, such as ${world.issuer}/<server>/mcp`,
    );
  return resourceServerOf(resource, world.lifetimes.accessSeconds);
}

/** A resource as the core has them: its tokens are JWTs (RFC 9068) of so many seconds. */
export function resourceServerOf(resource: Resource, seconds: number) {
  return {
    audience: resource.audience,
    scope: resource.scopes.join(' '),
    accessTokenFormat: 'jwt',
    accessTokenTTL: seconds,
    jwt: { sign: { alg: 'ES256' } },
  } as const;
}

/** The account behind a `sub`; whoever the provider has ended gets no more tokens. */
async function accountOf(ctx: Context, accountId: string, world: ProviderWorld) {
  const { provider, subject } = ownerOf(accountId);
  try {
    const person = await world.freshPerson(provider, subject);
    return person && { accountId, claims: async () => ({ sub: accountId }) };
  } catch (error) {
    const failure = asFailure(error);
    if (failure.status >= 500) throw new errors.TemporarilyUnavailable(failure.message);
    if (ctx.oidc.route === 'token') throw new errors.InvalidGrant(failure.message);
    throw new errors.AccessDenied(failure.message);
  }
}

/**
 * Reads an authorization request as generously as clients need: scopes that are not ours are left out, and who names none
 * of ours asks for all that the resource has for MCP. `nonce` and the like belong to OpenID Connect, which is not offered.
 */
async function adjustAuthorization(ctx: Context, next: () => Promise<void>): Promise<void> {
  if (ctx.path === routes.authorization) {
    const { nonce, claims, max_age, acr_values, id_token_hint, claims_locales, ...query } = ctx.query;
    // A form would go to the program from a page of ours, which lets none go elsewhere: the core knows no such mode.
    if (query.response_mode === 'form_post') query.response_mode = 'none';
    if (typeof query.scope === 'string' || query.scope === undefined)
      query.scope = scopeAsked(query.scope ?? '');
    ctx.query = query;
  }
  await next();
  dropSessionCookie(ctx);
}

/**
 * An error that no person has seen goes back to the program at once. Where that is a web site that no administrator knows, be it
 * that it registered itself or has a document of its own, it is shown first: anybody could make an address of the gateway lead there, and people trust it (RFC 9700, section 4.11.2).
 */
async function showWhereErrorsGo(
  ctx: Context,
  next: () => Promise<void>,
  world: ProviderWorld,
): Promise<void> {
  await next();
  const to = String(ctx.response.headers.location ?? '');
  if (ctx.path !== routes.authorization || !URL.canParse(to) || new URL(to).protocol !== 'https:') return;
  if (new URL(to).origin === new URL(world.issuer).origin) return;
  const client = await world.findClient(String(ctx.query.client_id));
  if (!client || client.status === 'approved') return;
  ctx.remove('location');
  ctx.status = 400;
  renderLeavingPage(ctx, to);
}

/** The scopes of a request that are ours; all for MCP when there is none. */
export function scopeAsked(scope: string): string {
  const asked = new Set(scope.split(' '));
  // Whoever may call may look.
  if (asked.has('mcp:call')) asked.add('mcp:read');
  const ours = [...mcpScopes, 'registry'].filter((one) => asked.has(one));
  return [
    ...(ours.length > 0 ? ours : mcpScopes),
    ...(asked.has('offline_access') ? ['offline_access'] : []),
  ].join(' ');
}

/**
 * The scopes that a refresh may name (RFC 6749, section 6). Codex and others name all that they once asked for, where the
 * person allowed less, or `offline_access`, which the refresh token itself is: what the grant has not, the core then leaves
 * out of the access token.
 */
function scopesAtRefresh(granted: string, asked: unknown): ReadonlySet<string> {
  const has = new Set(granted.split(' '));
  const names = typeof asked === 'string' ? asked.split(' ') : [];
  return names.some((one) => has.has(one)) ? new Set([...has, ...names]) : has;
}

/**
 * Revocation (RFC 7009) and introspection (RFC 7662) of access tokens: the core knows of none that are JWTs, and says so once
 * it has authenticated the client. Revoking one ends what it came of. Only clients that prove themselves may look into tokens
 * of others.
 */
async function aboutAccessTokens(
  ctx: Context,
  next: () => Promise<void>,
  world: ProviderWorld,
): Promise<void> {
  await next();
  if ((ctx.body as { error?: unknown } | undefined)?.error !== 'unsupported_token_type') return;
  const { client, route, params } = ctx.oidc;
  const claims = await world.living(String(params.token));
  const isOwn = claims?.client_id === client.clientId;
  if (route === 'revocation') {
    if (isOwn && claims.gid !== undefined)
      await endGrant(world.db, claims.gid, {
        at: new Date(world.now()).toISOString(),
        by: 'the program',
        because: 'The program ended its access.',
      });
    ctx.status = 200;
    ctx.body = '';
    // What went before was an error in JSON; nothing is not.
    ctx.remove('content-type');
  } else if (route === 'introspection') {
    ctx.status = 200;
    ctx.body =
      claims && (isOwn || client.clientAuthMethod !== 'none')
        ? { active: true, token_type: 'Bearer', ...claims }
        : { active: false };
  }
}

/** Device authorizations for one client within a minute at most: each is stored for ten. */
const devices = { most: 120, withinMs: 60_000 };
/** Seconds between the polls of a device (RFC 8628, section 3.2). */
const pollSeconds = 5;

/** What the core leaves out of RFC 8628: how often a device may ask, and that one that asks more often is told so. */
async function paceDevices(ctx: Context, next: () => Promise<void>, world: ProviderWorld): Promise<void> {
  await next();
  const body = ctx.body as { error?: string; device_code?: string; interval?: number } | undefined;
  if (ctx.path === routes.device_authorization && body?.device_code) {
    const { clientId } = ctx.oidc.client;
    if (await takeTurn(world.db, ['device authorization', clientId], devices, world.now()))
      body.interval = pollSeconds;
    else {
      ctx.status = 429;
      ctx.set('retry-after', '60');
      const error_description =
        'Too many devices are being connected with this program; try again in a minute.';
      ctx.body = { error: 'temporarily_unavailable', error_description };
    }
  } else if (body?.error === 'authorization_pending') {
    const polled = { most: 2, withinMs: pollSeconds * 1000 };
    const device = String(ctx.oidc.params.device_code);
    if (await takeTurn(world.db, ['device poll', device], polled, world.now())) return;
    const error_description = `Ask every ${pollSeconds * 2} seconds from now on.`;
    ctx.body = { error: 'slow_down', error_description };
  }
}

/** The core's session cookie names nothing that is stored; it need not be in any browser. */
function dropSessionCookie(ctx: Context): void {
  const set = ctx.response.headers['set-cookie'];
  const cookies = (Array.isArray(set) ? set : set === undefined ? [] : [set]) as string[];
  const kept = cookies.filter((one) => !one.startsWith('mcp_oauth_session'));
  if (kept.length === cookies.length) return;
  if (kept.length > 0) ctx.set('set-cookie', kept);
  else ctx.remove('set-cookie');
}
