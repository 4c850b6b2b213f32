import { integer, list, network, proxyUrl, type Setting, setting, text } from './setting.ts';

/** The settings of the data plane: a part of `settings`. */
export const gatewaySettings = {
  MCP_PROXY_MAX_BODY_BYTES: limit(
    'The largest request body that is passed on, in bytes; larger ones get 413.',
    '4194304',
    1024,
    1073741824,
  ),
  MCP_PROXY_TIMEOUT: limit(
    'How long a server may take until its answer to anything but a call begins (a list, a ping, the start of a session), in seconds; then 504. Streams have no limit.',
    '30',
    1,
    3600,
  ),
  MCP_CALL_TIMEOUT_SECONDS: limit(
    'How long a server may take until its answer to a call of a tool begins, in seconds; then 504. A server may have its own limit (`call_timeout_seconds`).',
    '300',
    1,
    86400,
  ),
  MCP_PROXY_BODY_BYTES_PER_IDENTITY: limit(
    'What the bodies of one identity may hold together while its requests are under way, in bytes; more get 429.',
    '16777216',
    65536,
    4294967296,
  ),
  MCP_PROXY_BODY_BYTES_TOTAL: limit(
    'The same of all identities together, in bytes; more get 503.',
    '134217728',
    1048576,
    68719476736,
  ),
  MCP_PROXY_BODY_TIMEOUT: limit(
    'How long the body of a request may take to come, in seconds; then 408.',
    '30',
    1,
    3600,
  ),
  MCP_PROXY_CALLS_PER_IDENTITY: limit(
    'Calls of one identity to one server at the same time, well below MCP_PROXY_CONNECTIONS_PER_SERVER; more get 429.',
    '64',
    1,
    65536,
  ),
  MCP_PROXY_REFUSALS_PER_MINUTE: limit(
    'How many requests of one identity, to servers and to the API each, may be refused within a minute by each process; further ones get 429, and one row of the audit trail a minute. 0: all are refused and recorded one by one.',
    '300',
    0,
    1000000,
  ),
  MCP_PROXY_CONNECT_TIMEOUT_MS: limit(
    'How long a connection to a server may take to stand, in milliseconds.',
    '5000',
    50,
    60000,
  ),
  MCP_PROXY_MAX_LIST_BYTES: limit(
    'The largest list, or event on a stream, that is held to be filtered, in bytes, unpacked; larger ones get 502.',
    '8388608',
    65536,
    1073741824,
  ),
  MCP_PROXY_MAX_RESPONSE_HEADER_BYTES: limit(
    'The largest header block of an answer of a server, in bytes; larger ones get 502.',
    '65536',
    4096,
    1048576,
  ),
  MCP_PROXY_MAX_REQUESTS: limit(
    'Requests of clients at the same time, streams included; more get 503.',
    '16384',
    1,
    1000000,
  ),
  MCP_PROXY_CONNECTIONS_PER_SERVER: limit('Connections for calls to one server.', '256', 1, 65536),
  MCP_PROXY_QUEUE_PER_SERVER: limit(
    'Calls that may wait for such a connection; more get 503.',
    '1024',
    0,
    1000000,
  ),
  MCP_PROXY_STREAMS_PER_SERVER: limit(
    'Streams that only listen, to one server, each with a connection of its own; more get 503.',
    '8192',
    0,
    1000000,
  ),
  MCP_PROXY_STREAMS_PER_IDENTITY: limit(
    'Streams that only listen, of one identity to all servers; more get 429.',
    '1000',
    1,
    1000000,
  ),
  MCP_STREAM_KEEPALIVE_SECONDS: limit(
    'After how much silence, at most twice as much, an event stream gets a comment, so that nothing between cuts it, in seconds. 0: never.',
    '25',
    0,
    3600,
  ),
  MCP_STREAM_IDLE_SECONDS: limit(
    'How long a stream that only listens may be silent until the gateway ends it, in seconds. 0: as long as it likes.',
    '0',
    0,
    604800,
  ),
  MCP_PROXY_STALL_SECONDS: limit(
    'How long a client may read nothing of an answer that waits for it, in seconds; then its connection is ended. 0: as long as it likes.',
    '120',
    0,
    86400,
  ),
  MCP_PROXY_BREAKER_FAILURES: limit(
    'After how many connections in a row that failed a server is left alone for a while. 0: never.',
    '5',
    0,
    10000,
  ),
  MCP_PROXY_BREAKER_MAX_SECONDS: limit(
    'The longest time for which it is, in seconds; the first is one second.',
    '30',
    1,
    3600,
  ),
  CLIENT_HEADERS_TIMEOUT_SECONDS: limit(
    'How long a client may take to send the headers of a request, in seconds.',
    '20',
    1,
    600,
  ),
  CLIENT_REQUEST_TIMEOUT_SECONDS: limit(
    'How long a client may take to send a whole request, in seconds. Answers have no such limit.',
    '120',
    1,
    86400,
  ),
  CLIENT_MAX_HEADER_BYTES: limit(
    'The largest header block of a request, in bytes; larger ones get 431. Tokens with many groups need some thousands.',
    '32768',
    8192,
    1048576,
  ),
  UPSTREAM_ALLOWED_NETWORKS: setting({
    group: 'Gateway',
    about:
      'Networks, in addition to the public internet, in which MCP servers may be, separated by commas: CIDR, or `private` for all ' +
      'private ranges. Link-local and cloud metadata addresses are never allowed.',
    default: '',
    defaultNote: 'none; `private` in evaluation mode',
    parse: list(network),
  }),
  UPSTREAM_CA_FILE: file(
    'A PEM file of certificate authorities that MCP servers may have their certificates from, in addition to the usual ones.',
  ),
  UPSTREAM_CLIENT_CERT_FILE: file(
    'A PEM file with the certificate that the gateway shows to MCP servers that ask for one (mutual TLS).',
  ),
  UPSTREAM_CLIENT_KEY_FILE: file(
    'Its private key, without a passphrase.',
    'UPSTREAM_CLIENT_CERT_FILE, where the key may be too',
  ),
  EXTRA_CA_FILE: file(
    'A PEM file of certificate authorities that are trusted, in addition to the usual ones, by everything that the gateway connects to: identity ' +
      'provider, servers, collector, and whatever a proxy that opens TLS puts in their place.',
  ),
  HTTPS_PROXY: proxy('https://'),
  HTTP_PROXY: proxy('http://'),
  NO_PROXY: setting({
    group: 'Gateway',
    about:
      'What is reached without a proxy, separated by commas: names (with all names below them), addresses, CIDR ranges, each with ' +
      'or without a port, or `*`. This machine always is. Lower case works too.',
    default: '',
    parse: list(text),
  }),
} as const;

function file(about: string, defaultNote?: string): Setting<string> {
  const note = defaultNote === undefined ? {} : { defaultNote };
  return setting({ group: 'Gateway', about, default: '', ...note, parse: text });
}

function proxy(scheme: string): Setting<URL | null> {
  return setting({
    group: 'Gateway',
    about:
      `The forward proxy for everything that the gateway itself reaches at ${scheme} addresses (MCP servers, identity provider, ` +
      'collector), as http://user:password@host:port. It must allow CONNECT. Lower case works too.',
    default: '',
    secret: true,
    parse: proxyUrl,
  });
}

function limit(about: string, fallback: string, min: number, max: number): Setting<number> {
  return setting({ group: 'Gateway', about, default: fallback, parse: integer(min, max) });
}
