import { createHash, randomBytes } from 'node:crypto';
import type { Db } from '../db/tables.ts';
import { asFailure, Failure } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';
import { hashOf, seal, unseal } from '../identity/keys.ts';
import type { Fetch } from '../net/outbound.ts';
import { callbackOf, redirectUriOf, type Source } from './clients.ts';
import { ownerAt, type Purpose } from './credential.ts';
import type { EgressServer } from './renew.ts';
import { services } from './services.ts';
import { beyondLimits, type EgressLimits, type EgressSettings, isWithin } from './settings.ts';
import type { Sources } from './sources.ts';
import { type Connection, removeDiscovery, storeConnection } from './store.ts';
import { askForTokens, requireAudience, TokenRefused, type Tokens } from './tokens.ts';
import type { ConnectionVault } from './vault.ts';

/** How long somebody may take at the authorization server, in milliseconds. */
const attemptLasts = 600_000;

/** Why an attempt to connect failed, as the page has words for it. */
export type ConnectProblem = 'state' | 'denied' | 'issuer' | 'refused' | 'unavailable' | 'not_allowed';

/** An attempt to connect that came to nothing; the message is for the log. */
export class ConnectFailed extends Error {
  readonly problem: ConnectProblem;
  /** The server's name, where it is known. */
  readonly server: string | undefined;
  constructor(problem: ConnectProblem, message: string, server?: string, cause?: unknown) {
    super(message, { cause });
    this.problem = problem;
    this.server = server;
  }
}

/** What connecting works with. */
export interface ConnectingWorld {
  readonly db: Db;
  readonly vault: ConnectionVault;
  readonly sources: Sources;
  /** The way to authorization servers. */
  readonly fetch: Fetch;
  readonly limits: EgressLimits;
  /** 32 bytes that seal what is under way. */
  readonly key: Buffer;
  readonly publicUrl: string;
  readonly now: () => number;
  readonly log: { warn(facts: object, message: string): void };
}

/** An attempt under way, as the browser carries it through the authorization server in `state`. */
interface Attempt {
  readonly server: string;
  readonly serverId: string;
  readonly purpose: Purpose;
  /** Of the settings it was begun under. */
  readonly settings: string;
  /** Where it was begun: the code goes to nobody else. */
  readonly at: string;
  readonly verifier: string;
  readonly until: number;
}

/** Connects people to servers by OAuth (authorization code with PKCE; RFC 6749, 7636, 8707, 9207). */
export interface Connecting {
  /** Where the person's browser goes; only the same session can come back from there. */
  begin(server: EgressServer, identity: Identity, purpose?: Purpose): Promise<string>;
  /** What the browser has come back with, and to which path of ours; fails with `ConnectFailed`. */
  complete(
    query: URLSearchParams,
    path: string,
    identity: Identity,
    find: (name: string, purpose: Purpose) => EgressServer | undefined,
  ): Promise<{ server: EgressServer; connection: Connection }>;
}

/** Makes it; nothing is stored of attempts but that they were used. */
export function createConnecting(world: ConnectingWorld): Connecting {
  return {
    async begin(server, identity, purpose = 'call') {
      assertWithin(server, world.limits);
      const { source, client } = await world.sources.clientOf(server, null);
      if (source.authorizeUrl === null)
        throw new Failure(
          'connection_unavailable',
          `'${server.name}' does not say where people sign in; an administrator can name it (mcp-gateway connection configure --authorize-url).`,
        );
      const service = services[server.settings.egress_provider];
      const verifier = randomBytes(32).toString('base64url');
      const attempt: Attempt = {
        ...{ server: server.name, serverId: server.id, settings: printOf(server.settings), verifier },
        purpose,
        at: placeOf(source),
        until: world.now() + attemptLasts,
      };
      const url = new URL(source.authorizeUrl);
      const said: Record<string, string | undefined> = {
        ...service?.parameters,
        response_type: 'code',
        client_id: client.clientId,
        redirect_uri: redirectUriOf(server, world.publicUrl),
        scope: scopesOf(server, source, world.limits).join(service?.scopeSeparator ?? ' ') || undefined,
        state: seal(world.key, JSON.stringify(attempt), holderOf(identity)),
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        ...audienceParameter(server, source),
      };
      for (const [name, value] of Object.entries(said))
        if (value !== undefined) url.searchParams.set(name, value);
      return url.href;
    },

    async complete(query, path, identity, find) {
      const state = query.get('state') ?? '';
      const attempt = opened(world, state, identity);
      if (!attempt || attempt.until <= world.now())
        throw new ConnectFailed('state', 'the attempt is not known to this session, or took too long');
      const server = find(attempt.server, attempt.purpose);
      if (!server || server.id !== attempt.serverId || printOf(server.settings) !== attempt.settings)
        throw new ConnectFailed('state', 'the server was changed in the meantime', attempt.server);
      if (!(await spend(world, state, attempt.until)))
        throw new ConnectFailed('state', 'the attempt was used before', attempt.server);
      if (path !== callbackOf(server))
        throw new ConnectFailed('issuer', 'the answer came to the address of another one', server.name);
      try {
        return { server, connection: await finish(world, server, identity, attempt, query) };
      } catch (error) {
        if (error instanceof ConnectFailed) throw error;
        const { code } = asFailure(error);
        const problem = code === 'connection_unavailable' ? 'unavailable' : 'refused';
        throw new ConnectFailed(problem, 'the tokens could not be got', server.name, error);
      }
    },
  };
}

async function finish(
  world: ConnectingWorld,
  server: EgressServer,
  identity: Identity,
  { verifier, at, purpose }: Attempt,
  query: URLSearchParams,
): Promise<Connection> {
  const { source, client } = await world.sources.clientOf(server, null);
  if (placeOf(source) !== at)
    throw new ConnectFailed('issuer', 'the server names another authorization server by now', server.name);
  const issuer = query.get('iss');
  // Somebody else's answer must not be taken for that of the server that was asked (RFC 9207; mix-up).
  if (issuer === null ? source.namesIssuer : source.issuer !== null && issuer !== source.issuer)
    throw new ConnectFailed('issuer', 'the answer came from another authorization server', server.name);
  const error = query.get('error');
  if (error !== null)
    throw new ConnectFailed(
      error === 'access_denied' ? 'denied' : 'refused',
      `the authorization server said ${error.slice(0, 100)}`,
      server.name,
    );
  const code = query.get('code');
  if (!code || code.length > 4096)
    throw new ConnectFailed('refused', 'the authorization server gave no code', server.name);
  assertWithin(server, world.limits);
  const tokens = await askForTokens(
    world.fetch,
    client,
    {
      ...{ grant_type: 'authorization_code', code, code_verifier: verifier },
      redirect_uri: redirectUriOf(server, world.publicUrl),
      ...audienceParameter(server, source),
    },
    world.now,
  ).catch((cause: unknown) => {
    if (!(cause instanceof TokenRefused)) throw cause;
    const said = `the authorization server refused the code: ${cause.error} ${cause.description}`;
    throw new ConnectFailed('refused', said, server.name, cause);
  });
  if (server.settings.target_audience !== null)
    requireAudience(tokens.access, server.settings.target_audience);
  const connection = await storeConnection(
    world.db,
    world.vault,
    {
      ...tokens,
      scopes: tokens.scopes.length > 0 ? tokens.scopes : scopesOf(server, source, world.limits),
      ...{ owner: ownerAt(server, identity, purpose), username: identity.username, mode: 'oauth_user' },
      ...{ issuer: source.issuer, account: await accountOf(world, server, tokens) },
      ...{ audience: source.resource, endsAt: null },
    },
    new Date(world.now()).toISOString(),
  );
  // One person is enough, and the last one counts.
  if (purpose === 'discovery') await removeDiscovery(world.db, server.id, connection.id);
  return connection;
}

/** Whose account it is, as the service says; only shown. */
async function accountOf(
  { fetch: send }: ConnectingWorld,
  { settings }: EgressServer,
  { access, idClaims }: Tokens,
): Promise<string | null> {
  const named = [idClaims.preferred_username, idClaims.email, idClaims.name, idClaims.sub];
  const claimed = named.find((one) => typeof one === 'string' && one !== '');
  if (typeof claimed === 'string') return claimed.slice(0, 200);
  const service = services[settings.egress_provider];
  // The token goes to the service's own address only where the tokens themselves came from there.
  if (!service?.account || settings.custom_token_url || settings.custom_issuer) return null;
  try {
    const headers = { authorization: `Bearer ${access}`, accept: 'application/json' };
    const response = await send(service.account.url, { headers });
    const said = (await response.json()) as Record<string, unknown>;
    const name = said[service.account.member];
    return response.ok && typeof name === 'string' ? name.slice(0, 200) : null;
  } catch {
    return null;
  }
}

/** What is asked for: what was set up, else what the server says it needs, within what the operator allows. */
function scopesOf({ settings }: EgressServer, source: Source, limits: EgressLimits): readonly string[] {
  if (settings.scopes.length > 0) return settings.scopes;
  return source.scopes.filter(
    (one) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(one) && isWithin(one, limits.scopes),
  );
}

function audienceParameter({ settings }: EgressServer, { resource }: Source): Record<string, string> {
  if (resource === null || settings.audience_parameter === 'none') return {};
  return { [settings.audience_parameter]: resource };
}

function assertWithin({ settings }: EgressServer, limits: EgressLimits): void {
  const beyond = beyondLimits(settings, limits);
  if (beyond)
    throw new Failure('connection_refused', `It cannot be connected to: ${beyond}. Ask an administrator.`);
}

function placeOf({ issuer, authorizeUrl, tokenUrl }: Source): string {
  return JSON.stringify([issuer, authorizeUrl, tokenUrl]);
}

/** Bound to the session that asked, so that nobody finishes an attempt of somebody else. */
function holderOf({ provider, subject, credentialId }: Identity): string {
  return JSON.stringify(['connect', provider, subject, credentialId]);
}

function opened({ key }: ConnectingWorld, state: string, identity: Identity): Attempt | undefined {
  // Base64 is read leniently: only one spelling of each is ours, or one attempt could be used twice.
  if (Buffer.from(state, 'base64url').toString('base64url') !== state) return undefined;
  try {
    return JSON.parse(unseal(key, state, holderOf(identity))) as Attempt;
  } catch {
    return undefined;
  }
}

/** Marks an attempt as used, in every process; false when it was. */
async function spend({ db, now }: ConnectingWorld, state: string, until: number): Promise<boolean> {
  const at = new Date(now()).toISOString();
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('connection_attempts')
    .values({ state_hash: hashOf(state), used_at: at, expires_at: new Date(until).toISOString() })
    .onConflict((conflict) => conflict.column('state_hash').doNothing())
    .executeTakeFirst();
  return Number(numInsertedOrUpdatedRows) > 0;
}

function printOf(settings: EgressSettings): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('base64url');
}
