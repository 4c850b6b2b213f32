import pg from 'pg';
import type { PostgresSettings } from '../../config/config-database.ts';
import { Failure } from '../../failure/errors.ts';
import { assertStorable } from '../dialect.ts';
import { connectionTimeoutMillis, PlacedClient, placesOf, readOnly, type Way } from './places.ts';

/** SQLSTATE classes and codes of the network that say that the database is away, not that a statement is wrong. */
const away =
  /^(08...|57P0[1-5]|53300|25006|ECONN\w+|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOENT)$/;

/** Turns what says that the database is away into the failure for it; other errors stay. */
function whenAway(error: unknown): unknown {
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

/** What is wrong with the connection itself, which another use would meet again. */
const isSpoilt = ({ code, message = '' }: { code?: string; message?: string }): boolean =>
  code === readOnly || message.includes('Query read timeout');

/**
 * A pool whose errors say when the database is away. A connection that is lost, waits for a response that never came, or
 * leads to a server that takes no changes any more, is replaced at the next use, and the next server of the address is tried.
 */
export function poolOf(settings: PostgresSettings, way: Way, max: number): pg.Pool {
  const places = placesOf(settings, way);
  const pool = new pg.Pool({
    ...{ max, idleTimeoutMillis: 60_000, connectionTimeoutMillis },
    Client: class extends PlacedClient {
      constructor() {
        super(places);
      }
    },
  });
  pool.on('error', () => {});
  const connect = pool.connect.bind(pool);
  const wrapped = new WeakSet<pg.PoolClient>();
  const spoilt = new WeakSet<pg.PoolClient>();
  const connectAnywhere = async (): Promise<pg.PoolClient> => {
    for (let tried = 1; ; tried += 1) {
      const { at } = places;
      try {
        return await connect();
      } catch (error) {
        // Only where another server is the next one: who waited for a free connection has waited for long enough.
        if (tried >= places.all.length || places.at === at) throw whenAway(error);
      }
    }
  };
  pool.connect = (async () => {
    const client = await connectAnywhere();
    const release = client.release;
    client.release = (error) => release(error || spoilt.has(client));
    if (wrapped.has(client)) return client;
    wrapped.add(client);
    const query = client.query.bind(client) as Query;
    client.query = ((...parameters: unknown[]) => {
      if (Array.isArray(parameters[1])) assertStorable(parameters[1]);
      const answer = query(...parameters);
      if (!(answer instanceof Promise)) return answer;
      return answer.catch((error: Error) => {
        if (isSpoilt(error)) spoilt.add(client);
        throw whenAway(error);
      });
    }) as typeof client.query;
    return client;
  }) as typeof pool.connect;
  return pool;
}
