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
