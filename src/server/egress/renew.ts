import { setTimeout as delay } from 'node:timers/promises';
import { withLease } from '../db/lease.ts';
import type { Db } from '../db/tables.ts';
import { asFailure, Failure } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';
import type { Fetch } from '../net/outbound.ts';
import type { EgressSettings } from './settings.ts';
import {
  type Connection,
  connectionById,
  findConnection,
  type NewConnection,
  removeConnection,
  renewConnection,
  storeConnection,
  withSecrets,
} from './store.ts';
import { askForTokens, requireAudience, type TokenClient, TokenRefused, type Tokens } from './tokens.ts';
import type { ConnectionVault, SealedFor } from './vault.ts';

/** A server as credentials are looked up for it. */
export interface EgressServer {
  readonly id: string;
  /** Its name in scopes. */
  readonly name: string;
  readonly settings: EgressSettings;
  /** Its MCP endpoint. */
  readonly url: URL;
}

/** Where the tokens of a server come from; undefined parts are found out by discovery. */
interface TokenSource {
  readonly client: TokenClient;
  readonly issuer: string | null;
}

/** What renewals work with. */
export interface RenewalWorld {
  readonly db: Db;
  readonly vault: ConnectionVault;
  /** The way to authorization servers. */
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly log: { warn(facts: object, message: string): void };
  /** Which client the gateway is at the authorization server of a server. */
  readonly sourceOf: (server: EgressServer, issuer: string | null) => Promise<TokenSource>;
  /** Exchanges the sign-in of a person for a token of the server. */
  readonly exchange: (server: EgressServer, identity: Identity) => Promise<Tokens>;
  /** Told of a connection that was deleted while it was renewed, with the secrets that came for it all the same. */
  readonly lost?: (server: EgressServer, connection: Connection) => void;
}

/** How long before its end a token is renewed, in milliseconds. */
const aheadMs = 300_000;
/** A clock of the authorization server may differ from ours by so much, in milliseconds. */
export const skewMs = 10_000;
/** The last pause before a renewed connection is given up that cannot be stored, in milliseconds: 25 s in all. */
const longestPauseMs = 12_800;
/** A token got by exchange is used this long at most, in milliseconds, so that what was withdrawn ends. */
const exchangedMs = 300_000;
/** Another token in the place of one that ends, fetched by one process at a time; undefined when the person has to connect. */
export async function renewed(
  world: RenewalWorld,
  server: EgressServer,
  identity: Identity,
  owner: SealedFor,
  stored: Connection | undefined,
): Promise<Connection | undefined> {
  const canRefresh = (one: Connection | undefined): boolean =>
    one?.refreshSealed != null &&
    isFor(one, server) &&
    one.status === 'connected' &&
    !isOver(one, world.now());
  if (!isGot(server) && !canRefresh(stored)) return undefined;
  return withLease(world.db, `connection: ${keyOf(owner)}`, async () => {
    // Somebody else may have done it while this process waited.
    const now = await findConnection(world.db, owner);
    const isNew = now && now.generation !== stored?.generation;
    if (now && isNew && isFor(now, server) && timesOf(now, world.now()).left > skewMs) return now;
    if (isGot(server)) return got(world, server, identity, owner);
    return now && canRefresh(now) ? refreshed(world, server, now) : undefined;
  });
}

/** Whether the tokens of a server are fetched without asking anybody. */
export function isGot({ settings: { egress_auth_mode: mode } }: Pick<EgressServer, 'settings'>): boolean {
  return mode === 'client_credentials' || mode === 'obo_exchange';
}

/** A token that needs nobody: by client credentials, or in exchange for the person's sign-in. */
async function got(
  world: RenewalWorld,
  server: EgressServer,
  identity: Identity,
  owner: SealedFor,
): Promise<Connection> {
  const { settings } = server;
  const mode = settings.egress_auth_mode;
  const at = new Date(world.now()).toISOString();
  const tokens =
    mode === 'obo_exchange'
      ? await world.exchange(server, identity)
      : await byClientCredentials(world, server);
  const lasts = tokens.accessExpiresAt ?? world.now() + exchangedMs;
  const made: NewConnection = {
    ...tokens,
    ...{
      owner,
      mode,
      refresh: null,
      issuer: null,
      account: mode === 'obo_exchange' ? identity.username : null,
    },
    accessExpiresAt: mode === 'obo_exchange' ? Math.min(lasts, world.now() + aheadMs + exchangedMs) : lasts,
    username: mode === 'obo_exchange' ? identity.username : 'the gateway',
    audience: settings.target_audience,
    endsAt: null,
  };
  return storeConnection(world.db, world.vault, made, at);
}

async function byClientCredentials(world: RenewalWorld, server: EgressServer): Promise<Tokens> {
  const { client } = await world.sourceOf(server, null);
  try {
    const tokens = await askForTokens(
      world.fetch,
      client,
      {
        grant_type: 'client_credentials',
        scope: server.settings.scopes.join(' ') || undefined,
        ...audienceOf(server, server.settings.target_audience),
      },
      world.now,
    );
    const misdirected = audienceFault(server, tokens);
    if (misdirected) throw misdirected;
    return tokens;
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error;
    world.log.warn(
      { server: server.name, error: error.error, said: error.description },
      'client credentials were refused',
    );
    throw new Failure(
      'connection_refused',
      `The authorization server refuses the gateway's client for '${server.name}' (${error.error}); an administrator must set the right one (mcp-gateway connection configure).`,
    );
  }
}

/** How the audience of tokens is asked for. */
export function audienceOf(
  { settings }: EgressServer,
  audience: string | null,
): Readonly<Record<string, string | undefined>> {
  if (settings.audience_parameter === 'none' || audience === null) return {};
  return { [settings.audience_parameter]: audience };
}

/**
 * Tokens by refresh. The old refresh token stays stored until the new one is committed, and is deleted for `invalid_grant`
 * alone, unless somebody stored a newer one meanwhile: then that counts.
 */
async function refreshed(
  world: RenewalWorld,
  server: EgressServer,
  connection: Connection,
): Promise<Connection | undefined> {
  const { vault, db } = world;
  const { owner, keyId, refreshSealed } = connection;
  const refresh =
    refreshSealed === null ? undefined : vault.open(owner, 'refresh', { keyId, sealed: refreshSealed });
  if (refresh === undefined) return undefined;
  const { client } = await world.sourceOf(server, connection.issuer);
  try {
    const tokens = await askForTokens(
      world.fetch,
      client,
      {
        ...{ grant_type: 'refresh_token', refresh_token: refresh },
        ...audienceOf(server, connection.audience),
      },
      world.now,
    );
    const scopes = tokens.scopes.length > 0 ? tokens.scopes : connection.scopes;
    const misdirected = audienceFault(server, tokens);
    const at = new Date(world.now()).toISOString();
    // Its access token is of no use then, but the refresh token of before may be spent.
    const given = { ...tokens, scopes, ...(misdirected ? { accessExpiresAt: 0 } : {}) };
    const renewed = await untilStored(world, () => renewConnection(db, vault, connection, given, at));
    if (!renewed) world.lost?.(server, withSecrets(vault, connection, given));
    if (misdirected) throw misdirected;
    return renewed;
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error;
    if (error.error === 'invalid_grant') {
      if (await removeConnection(db, connection.id, connection.generation)) return undefined;
      return connectionById(db, connection.id);
    }
    world.log.warn(
      { server: server.name, error: error.error, said: error.description },
      'a refresh was refused',
    );
    throw new Failure(
      'connection_unavailable',
      `The authorization server of '${server.name}' refuses the gateway (${error.error}); an administrator must check the client that is registered there.`,
    );
  }
}

/**
 * Stores what cannot be got a second time: many providers end the grant when a spent refresh token comes again, so a database
 * that is away for a moment must not lose the new one.
 */
async function untilStored<T>({ log }: RenewalWorld, store: () => Promise<T>): Promise<T> {
  for (let pause = 50; ; pause *= 2)
    try {
      return await store();
    } catch (error) {
      if (pause > longestPauseMs) throw error;
      log.warn({ err: error }, 'a renewed connection could not be stored; it is tried again');
      await delay(pause);
    }
}

/** What is wrong with tokens that are for somebody else than they were asked for; undefined when nothing. */
function audienceFault({ settings }: EgressServer, { access }: Tokens): Failure | undefined {
  try {
    if (settings.target_audience !== null) requireAudience(access, settings.target_audience);
    return undefined;
  } catch (error) {
    return asFailure(error);
  }
}

/** Whether a connection was made for this arrangement and this origin. */
export function isFor({ mode, owner }: Connection, { settings, url }: EgressServer): boolean {
  return mode === settings.egress_auth_mode && owner.address === url.origin;
}

/** How a connection stands: `none` where there is none for this arrangement, or where the next call makes one by itself. */
export function statusOf(
  server: EgressServer,
  own: Connection | undefined,
  now: number,
): 'connected' | 'refused' | 'ended' | 'none' {
  if (!own || !isFor(own, server)) return 'none';
  if (own.status === 'refused') return isGot(server) ? 'none' : 'refused';
  const end = own.refreshSealed === null ? own.accessExpiresAt : null;
  const hasEnded = [own.endsAt, end].some((one) => one !== null && one <= now);
  return hasEnded ? (isGot(server) ? 'none' : 'ended') : 'connected';
}

/** When a connection ends unless its owner renews it, in milliseconds since 1970; null when nothing is known of an end. */
export function endOf({ endsAt, accessExpiresAt, refreshSealed }: Connection): number | null {
  return endsAt ?? (refreshSealed === null ? accessExpiresAt : null);
}

/** How long a token may still be used, and from what remainder on another is fetched, in milliseconds. */
export function timesOf(
  { accessExpiresAt, endsAt, status, updatedAt }: Connection,
  now: number,
): { readonly left: number; readonly ahead: number } {
  if (status !== 'connected') return { left: 0, ahead: 0 };
  const end = Math.min(accessExpiresAt ?? Number.POSITIVE_INFINITY, endsAt ?? Number.POSITIVE_INFINITY);
  // Tokens that live for minutes are not fetched at each call.
  const lifetime = (accessExpiresAt ?? Number.POSITIVE_INFINITY) - Date.parse(updatedAt);
  return { left: end - now, ahead: Math.min(aheadMs, Math.max(0, lifetime / 4)) };
}

/** The access token of a connection; undefined when it cannot be opened. */
export function openAccess(
  vault: ConnectionVault,
  { owner, keyId, accessSealed }: Connection,
): string | undefined {
  return accessSealed === null ? undefined : vault.open(owner, 'access', { keyId, sealed: accessSealed });
}

function isOver({ endsAt }: Connection, now: number): boolean {
  return endsAt !== null && endsAt <= now;
}

/** Tells the connections of different people, servers and purposes apart. */
export function keyOf({ provider, subject, serverId, purpose }: SealedFor): string {
  return JSON.stringify([provider, subject, serverId, purpose]);
}
