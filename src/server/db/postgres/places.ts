import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import type { PostgresSettings } from '../../config/config-database.ts';
import { readPostgresAddress } from '../../config/settings-database.ts';

/** Whole numbers of 64 bits and decimals as numbers, as SQLite gives them; everything else is text or a number already. */
const numbers: Readonly<Record<number, (text: string) => unknown>> = { 20: Number, 1700: Number };
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    numbers[oid] ?? pg.types.getTypeParser(oid, format),
} as pg.CustomTypesConfig;

/** How long a statement may take, and a transaction may wait for the next one, in milliseconds. */
const statementMs = 30_000;

/** How long making one connection may take, in milliseconds. */
export const connectionTimeoutMillis = 5000;

/** How a connection is made: through a pooler where there is one, or past it. */
export type Way = 'pooled' | 'direct' | 'unlimited';

/** What connections to each server of an address are made with, and the one that took changes last. */
export interface Places {
  readonly all: readonly pg.ClientConfig[];
  /** Whether a connection is asked, when it is made, if it may change something. */
  readonly isAsked: boolean;
  /** The place to be tried next, in `all`. */
  at: number;
}

/** Where and how connections are made; limits are set on the server where no pooler is in between that would refuse them. */
export function placesOf(settings: PostgresSettings, way: Way): Places {
  const address = readPostgresAddress(way === 'pooled' ? settings.url : (settings.directUrl ?? settings.url));
  if (typeof address === 'string') throw new Error(`the address of the database ${address}`);
  const isLimited = way === 'direct' || (way === 'pooled' && settings.directUrl === null);
  const { passwordFile } = settings;
  const configOf = (server: URL): pg.ClientConfig => {
    const mode = server.searchParams.get('sslmode');
    const socket = server.searchParams.get('host');
    for (const name of ['sslmode', 'sslrootcert', 'sslcert', 'sslkey']) server.searchParams.delete(name);
    return {
      connectionString: server.href,
      application_name: 'mcp-gateway',
      ...(passwordFile === null ? {} : { password: () => readFileSync(passwordFile, 'utf8').trim() }),
      ssl: tlsOf(settings, mode, socket ?? server.hostname),
      types,
      keepAlive: true,
      connectionTimeoutMillis,
      ...(way === 'unlimited' ? {} : { query_timeout: statementMs + 5000 }),
      ...(isLimited
        ? { statement_timeout: statementMs, idle_in_transaction_session_timeout: statementMs }
        : {}),
    };
  };
  return { all: address.servers.map(configOf), isAsked: address.isAsked, at: 0 };
}

/** SQLSTATE of what changes something on a standby (read_only_sql_transaction). */
export const readOnly = '25006';

/**
 * A connection to the place that is next. One that cannot be made, or leads to a standby, is none, and the place after it is
 * the next one.
 */
export class PlacedClient extends pg.Client {
  readonly #places: Places;
  readonly #at: number;

  constructor(places: Places) {
    super(places.all[places.at]);
    // One that is cut while nothing is asked of it must not end the process; its next use says so.
    this.on('error', () => {});
    this.#places = places;
    this.#at = places.at;
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: (error: Error) => void): void;
  override connect(callback?: (error: Error) => void): Promise<pg.Client> | undefined {
    const made = this.#connect();
    if (!callback) return made;
    made.then(() => callback(null as unknown as Error), callback);
    return undefined;
  }

  async #connect(): Promise<pg.Client> {
    const places = this.#places;
    try {
      await super.connect();
      if (!places.isAsked) return this;
      const { rows } = await this.query<{ transaction_read_only: string }>('show transaction_read_only');
      if (rows[0]?.transaction_read_only !== 'on') return this;
      await this.end().catch(() => {});
      throw Object.assign(new Error('the server is a standby'), { code: readOnly });
    } catch (error) {
      if (places.at === this.#at) places.at = (this.#at + 1) % places.all.length;
      throw error;
    }
  }
}

/** TLS is verified in full unless the URL's `sslmode` says otherwise, or the server is on this machine. */
function tlsOf(
  { ca, client }: PostgresSettings,
  mode: string | null,
  host: string,
): boolean | ConnectionOptions {
  const isHere = host === '' || host.startsWith('/') || /^(localhost|127\..*|\[?::1\]?)$/.test(host);
  if (mode === 'disable' || (mode === null && isHere && !ca && !client)) return false;
  const shown = { ...(ca ? { ca } : {}), ...(client ? { cert: client.cert, key: client.key } : {}) };
  // As libpq: `require` encrypts and, without an authority of its own, checks nothing; `verify-ca` not the name.
  if (mode === 'require' && !ca) return { ...shown, rejectUnauthorized: false };
  if (mode === 'require' || mode === 'verify-ca') return { ...shown, checkServerIdentity: () => undefined };
  return shown;
}
