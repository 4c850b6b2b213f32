import { setTimeout as delay } from 'node:timers/promises';
import type { Fetch } from '../net/outbound.ts';
import type { EgressServer } from './renew.ts';
import type { Sources } from './sources.ts';
import type { Connection, RegisteredClient } from './store.ts';
import { authenticated } from './tokens.ts';
import type { ConnectionVault } from './vault.ts';

/**
 * What became of a credential at its authorization server: it said that it took it back; it has no way to; it refused; it could
 * not be asked in time.
 */
export type Revoked = 'revoked' | 'unsupported' | 'refused' | 'unavailable';

/** A connection that is gone here, and the server as it was then. */
export interface Gone {
  readonly server: EgressServer;
  readonly connection: Connection;
  /** The clients that were registered for the server, where those are gone too. */
  readonly clients?: readonly RegisteredClient[] | undefined;
}

/** Told of the connections of a person that are gone. */
export type ConnectionsEnded = (gone: readonly Connection[]) => void;

/** What is gone at a server. */
export interface GoneAt {
  readonly connections: readonly Connection[];
  readonly clients: readonly RegisteredClient[];
}

/** Takes credentials back at their authorization servers, as far as those can be asked (RFC 7009). */
export interface Revocations {
  /** Waits for one, a few seconds at most. Never throws. */
  now(gone: Gone): Promise<Revoked>;
  /** Does several in the background and records each; those beyond 500 are left to end by themselves. */
  later(gone: readonly Gone[]): void;
  /** Waits for what is under way, a few seconds at most. */
  close(): Promise<void>;
}

/** What revocations work with. */
export interface RevocationsWorld {
  readonly vault: ConnectionVault;
  readonly sources: Pick<Sources, 'sourceOf' | 'knownClient'>;
  /** The way to authorization servers. */
  readonly fetch: Fetch;
  /** Told of each that was done in the background. */
  readonly done: (gone: Gone, became: Revoked) => void;
}

const longestMs = 5_000;
const mostAtATime = 500;
const atOnce = 8;

/** Makes them. A credential is deleted here before anybody is asked, so that it is used no more whatever comes of it. */
export function createRevocations(world: RevocationsWorld): Revocations {
  const running = new Set<Promise<void>>();
  const now = (gone: Gone): Promise<Revoked> =>
    Promise.race([
      revoke(world, gone).catch((): Revoked => 'unavailable'),
      delay(longestMs, 'unavailable' as const, { ref: false }),
    ]);
  const all = async (gone: readonly Gone[]): Promise<void> => {
    for (let at = 0; at < gone.length; at += atOnce)
      await Promise.all(gone.slice(at, at + atOnce).map(async (one) => world.done(one, await now(one))));
  };
  return {
    now,
    later(gone) {
      const some = gone.filter(({ connection }) => connection.mode === 'oauth_user').slice(0, mostAtATime);
      if (some.length === 0) return;
      const work = all(some).finally(() => running.delete(work));
      running.add(work);
    },
    async close() {
      await Promise.race([Promise.allSettled(running), delay(longestMs, undefined, { ref: false })]);
    },
  };
}

async function revoke(
  { vault, sources, fetch: send }: RevocationsWorld,
  { server, connection, clients }: Gone,
): Promise<Revoked> {
  if (connection.mode !== 'oauth_user') return 'unsupported';
  const { owner, keyId, accessSealed, refreshSealed, issuer } = connection;
  const opened = (part: 'access' | 'refresh', sealed: string | null) =>
    sealed === null ? undefined : vault.open(owner, part, { keyId, sealed });
  const source = await sources.sourceOf(server);
  // A token goes to nobody but the server that gave it.
  if (source.revocationUrl === null || (issuer !== null && issuer !== source.issuer)) return 'unsupported';
  const client = await sources.knownClient(server, source, clients);
  if (!client) return 'unsupported';
  // The refresh token first: with it goes the whole grant at most servers (RFC 7009, section 2.1).
  const tokens = [
    ['refresh_token', opened('refresh', refreshSealed)],
    ['access_token', opened('access', accessSealed)],
  ] as const;
  let became: Revoked = 'unsupported';
  for (const [hint, token] of tokens) {
    if (token === undefined) continue;
    const { headers, body } = authenticated(client, { token, token_type_hint: hint });
    const response = await send(source.revocationUrl, { method: 'POST', headers, body });
    await response.body?.cancel();
    const said: Revoked = response.ok ? 'revoked' : response.status < 500 ? 'refused' : 'unavailable';
    if (became !== 'revoked') became = said;
  }
  return became;
}
