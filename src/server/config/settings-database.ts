import { readPostgresAddress } from './postgres-address.ts';
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
    about: 'Connections to PostgreSQL that one process holds at most, besides one for notifications.',
    default: '10',
    parse: integer(2, 200),
  }),
  DATABASE_GRACE_SECONDS: setting({
    group: 'Storage',
    about:
      'How long calls with tokens that were verified before go on while PostgreSQL cannot be reached. What is revoked ' +
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
      `has sslmode=${mode.slice(0, 20)}, which is none of disable, require, verify-ca, verify-full`,
    );
  return value;
}
