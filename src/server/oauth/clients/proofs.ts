import { errors, Provider } from 'oidc-provider';
import type { Db } from '../../db/tables.ts';
import type { Fetch } from '../../net/outbound.ts';
import { takeTurn } from '../rates.ts';
import type { StoredClient } from './clients.ts';

/** Milliseconds ahead that the proof of a client may end: so long it is remembered, so that it counts once (RFC 7523, section 3). */
const proofLasts = 3_600_000;
/** Reads of keys from one host, and from all, within a minute at most, for clients that no administrator knows. */
const keyReads = { host: { most: 6, withinMs: 60_000 }, all: { most: 60, withinMs: 60_000 } };

/** Refuses the proof of a client (`private_key_jwt`) that would have to be remembered for long. `exp`: its claim, in seconds since 1970. */
export function assertEndsSoon(exp: unknown, now: number): void {
  if (typeof exp === 'number' && exp * 1000 <= now + proofLasts) return;
  throw new errors.InvalidClientAuth('the client_assertion must end within an hour');
}

/** What reading the keys of clients needs. */
export interface KeysOfClientsWorld {
  readonly db: Db;
  readonly now: () => number;
  /** Public addresses only. */
  readonly fetch: Fetch;
  readonly findClient: (id: string) => Promise<StoredClient | undefined>;
}

/**
 * The way to the keys of clients (`jwks_uri`). Anybody can register one, and have the gateway ask an address of their choice by
 * each request that names it: of hosts that only strangers name, it asks a few times a minute, over all replicas.
 */
export function wayToKeys({ db, now, fetch: send, findClient }: KeysOfClientsWorld): Fetch {
  return async (url, init) => {
    const client = await findClient(Provider.ctx?.oidc.client?.clientId ?? '');
    if (client?.status !== 'approved') {
      const host = new URL(String(url)).hostname.replace(/\.$/, '');
      const may =
        (await takeTurn(db, ['client keys', host], keyReads.host, now())) &&
        (await takeTurn(db, ['client keys', 'of all'], keyReads.all, now()));
      if (!may) throw new Error('the keys of clients are read too often');
    }
    return send(url, init);
  };
}
