import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Reader } from './settings.ts';

/** How PostgreSQL is reached. */
export interface PostgresSettings {
  /**
   * `postgres://user:password@host:port/database`, with several hosts where standbys may take over; may lead through a pooler
   * in transaction mode when `directUrl` is given.
   */
  readonly url: string;
  /** Leads to the server itself, for LISTEN and migrations; null when `url` does. */
  readonly directUrl: string | null;
  /** PEM of the authorities that the server's certificate may be from; null for the usual ones. */
  readonly ca: string | null;
  /** The certificate that the gateway shows, with its key; null for none. */
  readonly client: { readonly cert: string; readonly key: string } | null;
  /** A file with the password, read at each connection so that it may be rotated; null for that of the URL. */
  readonly passwordFile: string | null;
  /** Connections that one process holds at most. */
  readonly poolSize: number;
}

/** How PostgreSQL is reached; null for the embedded database. */
export function databaseOf({ value }: Reader, directory: string, faults: string[]): PostgresSettings | null {
  const url = value('DATABASE_URL');
  if (url === '') return null;
  const pem = (
    name: 'DATABASE_CA_FILE' | 'DATABASE_CLIENT_CERT_FILE' | 'DATABASE_CLIENT_KEY_FILE',
  ): string | null => {
    const file = value(name);
    if (file === '') return null;
    try {
      return readFileSync(resolve(directory, file), 'utf8');
    } catch (error) {
      faults.push(`${name}: '${file}' cannot be read (${(error as NodeJS.ErrnoException).code})`);
      return null;
    }
  };
  const [ca, cert] = [pem('DATABASE_CA_FILE'), pem('DATABASE_CLIENT_CERT_FILE')];
  const key = pem('DATABASE_CLIENT_KEY_FILE') ?? cert;
  const passwordFile = value('DATABASE_PASSWORD_FILE');
  return {
    ...{ url, ca, poolSize: value('DATABASE_POOL_SIZE') },
    directUrl: value('DATABASE_DIRECT_URL') || null,
    client: cert && key ? { cert, key } : null,
    passwordFile: passwordFile === '' ? null : resolve(directory, passwordFile),
  };
}
