import type { Feed } from '../changes/feed.ts';
import { lastUsesOf } from '../db/last-uses.ts';
import { Failure } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';
import {
  type EgressServer,
  isFor,
  isGot,
  keyOf,
  openAccess,
  type RenewalWorld,
  renewed,
  skewMs,
  timesOf,
} from './renew.ts';
import { beyondLimits, type EgressLimits } from './settings.ts';
import { type Connection, connectionById, findConnection, markRefused } from './store.ts';
import type { SealedFor } from './vault.ts';

/** What lookups of credentials work with. */
export interface CredentialWorld extends RenewalWorld {
  readonly feed: Pick<Feed, 'follow'>;
  readonly limits: EgressLimits;
  readonly publicUrl: string;
}

/** A credential for one request. */
export interface Credential {
  readonly header: string;
  readonly value: string;
  /** Whose it is, for the audit trail: never the secret. */
  readonly connection: {
    readonly id: string;
    readonly mode: string;
    readonly account: string | null;
    /** Which of its secrets it was. */
    readonly generation: number;
  };
}

/** Looks up and renews the credentials that go to servers. */
export interface EgressCredentials {
  /**
   * The credential of an identity at a server, at once where it is at hand. Fails with `connection_needed` where the person
   * has to connect first, `connection_impossible` for an agent, `connection_unavailable` while it cannot be renewed. The same
   * object as long as it stays the same.
   */
  of(server: EgressServer, identity: Identity): Credential | Promise<Credential>;
  /**
   * Another credential in the place of one that the server has refused. Fails as `of` does, and with `connection_refused`
   * for one that was fetched just now: the server would refuse the next one too.
   */
  instead(
    server: EgressServer,
    identity: Identity,
    refused: Pick<Credential['connection'], 'id' | 'generation'>,
  ): Promise<Credential>;
  /** Notes what it was used for. */
  used(connectionId: string, what: string): void;
  /** Ends it once what is being fetched is stored: a refresh token that was replaced must not be lost. */
  close(): Promise<void>;
}

/** After this long a renewal that failed is tried again, in milliseconds. */
const retryMs = 30_000;
const keptAtMost = 20_000;

/** A token that is younger is not fetched anew because the server refuses it, in milliseconds. */
const freshMs = 30_000;

/** The person has to connect first; where, for clients that show addresses to people. */
export class ConnectionNeeded extends Failure {
  readonly url: string;
  constructor(message: string, url: string) {
    super('connection_needed', message);
    this.url = url;
  }
}

interface Kept {
  readonly connection: Connection;
  readonly credential: Credential;
}

/** What a connection is for: calls of its owner, or the lists of the stored catalogue. */
export type Purpose = 'call' | 'discovery';

/** Whose connection it is: the person's, or the gateway's own where it acts for itself. */
export function ownerAt(server: EgressServer, identity: Identity, purpose: Purpose = 'call'): SealedFor {
  const isOwn = server.settings.egress_auth_mode === 'client_credentials';
  return {
    provider: isOwn ? '' : identity.provider,
    subject: isOwn ? '' : identity.subject,
    serverId: server.id,
    purpose,
    address: server.url.origin,
  };
}

/** Where a person connects to a server. */
function connectUrl(publicUrl: string, server: string): string {
  return new URL(`/oauth2/egress/connect?server=${encodeURIComponent(`/${server}`)}`, publicUrl).href;
}

/** Makes the lookups; what was opened once is kept in memory until its connection changes, in whichever process. */
export function createCredentials(world: CredentialWorld): EgressCredentials {
  const kept = new Map<string, Kept>();
  const keys = new Map<string, string>();
  const fetching = new Map<string, Promise<Credential>>();
  const running = new Set<Promise<unknown>>();
  const triedAt = new Map<string, number>();
  const used = new Set<string>();
  let changes = 0;
  const close = world.feed.follow(['connection'], ({ key }) => {
    changes += 1;
    if (key === null) {
      kept.clear();
      keys.clear();
      return;
    }
    const at = keys.get(key);
    if (at !== undefined) kept.delete(at);
    keys.delete(key);
  });

  const keep = (at: string, connection: Connection, credential: Credential): void => {
    if (kept.size >= keptAtMost) {
      kept.clear();
      keys.clear();
    }
    kept.set(at, { connection, credential });
    keys.set(connection.id, at);
  };

  const of = (server: EgressServer, identity: Identity): Credential | Promise<Credential> => {
    const beyond = beyondLimits(server.settings, world.limits);
    if (beyond)
      throw new Failure(
        'connection_refused',
        `${capital(beyond)}; an administrator has to change the server.`,
      );
    const mode = server.settings.egress_auth_mode;
    if (mode !== 'client_credentials' && identity.kind !== 'person') throw onlyPeople(server);
    const owner = ownerAt(server, identity);
    const at = keyOf(owner);
    const known = kept.get(at);
    if (known && isFor(known.connection, server)) {
      const { left, ahead } = timesOf(known.connection, world.now());
      if (left <= ahead && left > skewMs) renewAhead(at, server, identity, owner, known.connection);
      if (left > skewMs) return known.credential;
    }
    const begun = fetching.get(at);
    if (begun) return begun;
    const started = fetchOne(at, server, identity, owner).finally(() => fetching.delete(at));
    fetching.set(at, started);
    underWay(started);
    return started;
  };

  /** A token that is still good serves while another is fetched; a failure is not repeated at each call. */
  const renewAhead = (
    at: string,
    server: EgressServer,
    identity: Identity,
    owner: SealedFor,
    connection: Connection,
  ): void => {
    if (triedAt.has(at) && world.now() - (triedAt.get(at) ?? 0) < retryMs) return;
    if (triedAt.size >= keptAtMost) triedAt.clear();
    triedAt.set(at, world.now());
    const renewing = renewed(world, server, identity, owner, connection).then(
      () => triedAt.delete(at),
      (error: unknown) =>
        world.log.warn(
          { err: error, server: server.name },
          'a connection could not be renewed ahead of its end',
        ),
    );
    underWay(renewing);
  };

  const underWay = (work: Promise<unknown>): void => {
    running.add(work);
    void work.catch(() => {}).finally(() => running.delete(work));
  };

  const fetchOne = async (
    at: string,
    server: EgressServer,
    identity: Identity,
    owner: SealedFor,
  ): Promise<Credential> => {
    const before = changes;
    const stored = await findConnection(world.db, owner);
    const usable =
      stored && isFor(stored, server) && timesOf(stored, world.now()).left > skewMs ? stored : undefined;
    const connection = usable ?? (await renewed(world, server, identity, owner, stored));
    const access = connection && openAccess(world.vault, connection);
    if (!connection || access === undefined) throw needed(world, server, identity, stored);
    // What changed while it was read, and what was renewed just now, is read again the next time: a deletion may be on its way.
    const credential = credentialOf(server, connection, access);
    if (usable && changes === before) keep(at, connection, credential);
    return credential;
  };

  return {
    of,
    async instead(server, identity, { id, generation }) {
      const connection = await connectionById(world.db, id);
      // Another one by now is not what was refused.
      if (connection?.generation === generation) {
        const isFetched = connection.refreshSealed !== null || isGot(server);
        // The clock of the process that got it may be ahead of this one.
        if (isFetched && Math.abs(world.now() - Date.parse(connection.updatedAt)) < freshMs)
          throw new Failure(
            'connection_refused',
            `'${server.name}' rejects a new credential. It may ask for more rights than were granted: an administrator must check its scopes and audience (mcp-gateway connection get).`,
          );
        await markRefused(world.db, connection);
      }
      const owner = ownerAt(server, identity);
      const fetched = fetchOne(keyOf(owner), server, identity, owner);
      underWay(fetched);
      return fetched;
    },
    used(connectionId, what) {
      const isFirst = !used.has(connectionId);
      if (used.size >= keptAtMost) used.clear();
      used.add(connectionId);
      lastUsesOf(world.db).note('connections', connectionId, world.now(), { isFirst, what });
    },
    async close() {
      close();
      await Promise.allSettled(running);
      kept.clear();
    },
  };
}

function credentialOf({ settings }: EgressServer, connection: Connection, access: string): Credential {
  return {
    header: settings.header_name,
    value: settings.header_prefix + access,
    connection: {
      ...{ id: connection.id, mode: connection.mode, account: connection.account },
      generation: connection.generation,
    },
  };
}

function needed(
  { publicUrl }: CredentialWorld,
  server: EgressServer,
  { kind }: Identity,
  stored: Connection | undefined,
): Failure {
  if (kind !== 'person') return onlyPeople(server);
  const { name, settings } = server;
  const url = connectUrl(publicUrl, name);
  if (stored?.status === 'refused')
    return new ConnectionNeeded(
      `'${name}' no longer takes your credential. Open ${url} in a browser and connect again, then try again.`,
      url,
    );
  const what =
    settings.egress_auth_mode === 'pat' ? 'enter your own token for it' : 'connect your own account there';
  return new ConnectionNeeded(
    `You are not connected to '${name}' yet. Open ${url} in a browser and ${what}, then try again.`,
    url,
  );
}

function onlyPeople({ name }: EgressServer): Failure {
  return new Failure(
    'connection_impossible',
    `'${name}' wants the credential of a person, and this is an agent that does not act for a person. Call it as a person, or ask an administrator to set a credential that is the gateway's own (mcp-gateway connection configure --mode client_credentials).`,
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
