import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import type { PostgresSettings } from '../../config/config-database.ts';
import { Failure } from '../../failure/errors.ts';

/** Whole numbers of 64 bits and decimals as numbers, as SQLite gives them; everything else is text or a number already. */
const numbers: Readonly<Record<number, (text: string) => unknown>> = { 20: Number, 1700: Number };
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    numbers[oid] ?? pg.types.getTypeParser(oid, format),
} as pg.CustomTypesConfig;

/** How long a statement may take, and a transaction may wait for the next one, in milliseconds. */
const statementMs = 30_000;

/** What a connection is made with; limits are set on the server where no pooler is in between that would refuse them. */
export function connectionOf(
  settings: PostgresSettings,
  way: 'pooled' | 'direct' | 'unlimited',
): pg.ClientConfig {
  const url = new URL(way === 'pooled' ? settings.url : (settings.directUrl ?? settings.url));
  const mode = url.searchParams.get('sslmode');
  const socket = url.searchParams.get('host');
  for (const name of ['sslmode', 'sslrootcert', 'sslcert', 'sslkey']) url.searchParams.delete(name);
  const isLimited = way === 'direct' || (way === 'pooled' && settings.directUrl === null);
  const { passwordFile } = settings;
  return {
    connectionString: url.href,
    application_name: 'mcp-gateway',
    ...(passwordFile === null ? {} : { password: () => readFileSync(passwordFile, 'utf8').trim() }),
    ssl: tlsOf(settings, mode, socket ?? url.hostname),
    types,
    keepAlive: true,
    connectionTimeoutMillis: 5000,
    ...(way === 'unlimited' ? {} : { query_timeout: statementMs + 5000 }),
    ...(isLimited
      ? { statement_timeout: statementMs, idle_in_transaction_session_timeout: statementMs }
      : {}),
  };
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

/** SQLSTATE classes and codes of the network that say that the database is away, not that a statement is wrong. */
const away =
  /^(08...|57P0[1-5]|53300|25006|ECONN\w+|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOENT)$/;

/** Turns what says that the database is away into the failure for it; other errors stay. */
export function whenAway(error: unknown): unknown {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  const isAway =
    (code !== undefined && away.test(code)) ||
    /Connection terminated|timeout exceeded when trying to connect|Query read timeout|not queryable|client was closed/i.test(
      message,
    );
  if (!isAway) return error;
  return new Failure(
    'database_unavailable',
    'The database cannot be reached right now; nothing was changed. Try again soon.',
    {
      cause: error,
      retryAfter: 5,
    },
  );
}

type Query = (...parameters: unknown[]) => unknown;

/** A pool whose errors say when the database is away; one that is lost while idle is replaced at the next use. */
export function poolOf(settings: PostgresSettings): pg.Pool {
  const pool = new pg.Pool({
    ...connectionOf(settings, 'pooled'),
    max: settings.poolSize,
    idleTimeoutMillis: 60_000,
  });
  pool.on('error', () => {});
  const connect = pool.connect.bind(pool);
  const wrapped = new WeakSet<pg.PoolClient>();
  pool.connect = (async () => {
    const client = await connect().catch((error: unknown) => Promise.reject(whenAway(error)));
    if (wrapped.has(client)) return client;
    wrapped.add(client);
    // A connection that is cut while nothing is asked of it must not end the process; its next use says so.
    client.on('error', () => {});
    const query = client.query.bind(client) as Query;
    client.query = ((...parameters: unknown[]) => {
      const answer = query(...parameters);
      if (!(answer instanceof Promise)) return answer;
      return answer.catch((error: unknown) => Promise.reject(whenAway(error)));
    }) as typeof client.query;
    return client;
  }) as typeof pool.connect;
  return pool;
}
