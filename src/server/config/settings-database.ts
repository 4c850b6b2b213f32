import { integer, setting, text, wrong } from './setting.ts';

/** The settings of the database: a part of `settings`. */
export const databaseSettings = {
  DATABASE_URL: setting({
    group: 'Storage',
    about:
      'PostgreSQL 15 or newer instead of the embedded database, as postgres://user:password@host:5432/database. Needed for ' +
      'more than one process. TLS is verified in full unless the server is on this machine or the URL says sslmode=disable, ' +
      'require or verify-ca. Several servers, of which one takes changes: postgres://user:password@host:5432,other:5432/database.',
    default: '',
    defaultNote: 'the embedded database in DATA_DIR',
    secret: true,
    parse: postgresUrl,
  }),
  DATABASE_DIRECT_URL: setting({
    group: 'Storage',
    about:
      'The address of PostgreSQL itself, where DATABASE_URL leads through a pooler in transaction mode such as PgBouncer: ' +
      'for notifications and migrations.',
    default: '',
    defaultNote: 'DATABASE_URL',
    secret: true,
    parse: postgresUrl,
  }),
  DATABASE_PASSWORD_FILE: file(
    'A file with the password, read at each connection, so that it can be rotated.',
  ),
  DATABASE_CA_FILE: file("A PEM file of the authorities that the database's certificate may be from."),
  DATABASE_CLIENT_CERT_FILE: file('A PEM file with the certificate that the gateway shows to the database.'),
  DATABASE_CLIENT_KEY_FILE: file('Its private key, without a passphrase.'),
  WORKERS: setting<number | 'auto'>({
    group: 'Storage',
    about:
      'Processes that serve on this machine and share the port; `auto`: one a core. With the embedded database it is one. ' +
      'Each has its own pool of connections, and its own METRICS_PORT: that, the next, and so on.',
    default: '1',
    parse: (value) => (value === 'auto' ? value : integer(1, 256)(value)),
  }),
  DATABASE_POOL_SIZE: setting({
    group: 'Storage',
    about: 'Connections to PostgreSQL that one process holds at most, in addition to one for notifications.',
    default: '10',
    parse: integer(2, 200),
  }),
  DATABASE_GRACE_SECONDS: setting({
    group: 'Storage',
    about:
      'How long calls with tokens that were verified before continue while PostgreSQL cannot be reached. What is revoked ' +
      'in the meantime takes effect when it is back.',
    default: '300',
    parse: integer(0, 86400),
  }),
} as const;

function file(about: string) {
  return setting({ group: 'Storage', about, default: '', parse: text });
}

/** The address of a PostgreSQL database. Never repeated: it may hold a password. */
function postgresUrl(value: string): string {
  if (value === '') return '';
  const address = readPostgresAddress(value);
  if (typeof address === 'string') return wrong(address);
  const mode = address.servers[0].searchParams.get('sslmode');
  if (mode !== null && !['disable', 'require', 'verify-ca', 'verify-full'].includes(mode))
    return wrong(
      `has sslmode=${mode.slice(0, 20)}, which is not one of disable, require, verify-ca, verify-full`,
    );
  return value;
}

/** The servers of a database address, of which one takes changes. */
export interface PostgresAddress {
  /** An address of each server, in the order in which they are tried; at least one. */
  readonly servers: readonly [URL, ...URL[]];
  /** Whether a connection is kept only where the server takes changes: of several servers the others are standbys. */
  readonly isAsked: boolean;
}

/** Values of `target_session_attrs` with which a gateway can work: it always writes. */
const writing = new Set(['any', 'read-write', 'primary']);

/**
 * Reads `postgres://user:password@host:port,host:port/database?target_session_attrs=read-write`, the form of libpq
 * (PostgreSQL documentation, "Connection URIs"), in which several hosts share the rest. Returns what is wrong with it, in
 * words that repeat nothing of it: it may hold a password.
 */
export function readPostgresAddress(value: string): PostgresAddress | string {
  const [, scheme = '', user = '', hosts = '', rest = ''] =
    /^(postgres(?:ql)?:\/\/)([^/?#]*@)?([^/?#@]*)(.*)$/s.exec(value) ?? [];
  const texts = hosts.split(',').map((host) => `${scheme}${user}${host}${rest}`);
  const [first, ...others] = texts.flatMap((text) => (URL.canParse(text) ? [new URL(text)] : []));
  if (!first || others.length + 1 < texts.length || first.pathname.length < 2)
    return 'is not an address such as postgres://user:password@host:5432/database';
  if (others.length > 0 && hosts.split(',').some((host) => host === ''))
    return 'has an empty host between commas';
  const target = first.searchParams.get('target_session_attrs');
  if (target !== null && !writing.has(target))
    return `has target_session_attrs=${target.slice(0, 20)}; the gateway writes, so only any, read-write and primary can be used`;
  const servers = [first, ...others] as const;
  for (const server of servers) server.searchParams.delete('target_session_attrs');
  return { servers, isAsked: others.length > 0 || (target !== null && target !== 'any') };
}
