/** What the data plane takes and holds at most; times in milliseconds, sizes in bytes. */
export interface GatewayLimits {
  /** A request body. */
  readonly bodyBytes: number;
  /** The bodies of one identity's requests under way together, and of all requests. */
  readonly bodyBytesPerIdentity: number;
  readonly bodyBytesTotal: number;
  /** What the body of a request may take to come. */
  readonly bodyMs: number;
  /** Messages in one JSON-RPC batch. */
  readonly batchMessages: number;
  /** A list answer, or one server-sent event, that has to be held to be filtered; after decompression. */
  readonly filterBytes: number;
  /** The header block of an upstream's answer. */
  readonly answerHeaderBytes: number;
  /** Opening a connection to a server; what the world's connector was made with. */
  readonly connectMs: number;
  /** Connections to a server that failed one after the other, from which on it is left alone; 0: never. */
  readonly breakerFailures: number;
  /** The longest time for which it is. */
  readonly breakerMaxMs: number;
  /** From sending a request (waiting for a connection included) to the headers of its answer; never the stream after them. */
  readonly headersMs: number;
  /** The same for a call of a tool, which may work for long; a server may have its own. */
  readonly callMs: number;
  /** What a call waits at most for the stream of its session that its client began to open before it. */
  readonly openingMs: number;
  /** Requests of clients in flight, streams included. */
  readonly requests: number;
  /** Connections for calls to one server. */
  readonly connectionsPerServer: number;
  /** Calls that wait for one of these connections. */
  readonly queuePerServer: number;
  /** Long-lived streams to one server; each has a connection of its own. */
  readonly streamsPerServer: number;
  /** The same, of one identity to all servers. */
  readonly streamsPerIdentity: number;
  /** Calls of one identity to one server under way at the same time; well below `connectionsPerServer`. */
  readonly callsPerIdentity: number;
  /** What one identity may be refused within a minute until it gets 429; 0: as much as it asks for. */
  readonly refusalsPerMinute: number;
  /** After this much silence, and twice as much at most, an event stream gets a comment; 0: it gets none. */
  readonly keepAliveMs: number;
  /** How long a stream that only listens may be silent until it is ended; 0: as long as it likes. */
  readonly streamIdleMs: number;
  /** How long a client may read nothing of what waits for it. */
  readonly stallMs: number;
  /** Servers with connections kept open. */
  readonly pools: number;
}

/** Limits that suit one process on two cores; those that depend on clients and servers are settings. */
export const defaultLimits: GatewayLimits = {
  bodyBytes: 4 * 1024 * 1024,
  bodyBytesPerIdentity: 16 * 1024 * 1024,
  bodyBytesTotal: 128 * 1024 * 1024,
  bodyMs: 30_000,
  batchMessages: 100,
  filterBytes: 8 * 1024 * 1024,
  answerHeaderBytes: 64 * 1024,
  connectMs: 5_000,
  breakerFailures: 5,
  breakerMaxMs: 30_000,
  headersMs: 30_000,
  callMs: 300_000,
  openingMs: 2_000,
  requests: 16_384,
  connectionsPerServer: 256,
  queuePerServer: 1_024,
  streamsPerServer: 8_192,
  streamsPerIdentity: 1_000,
  callsPerIdentity: 64,
  refusalsPerMinute: 300,
  keepAliveMs: 25_000,
  streamIdleMs: 0,
  stallMs: 120_000,
  pools: 2_048,
};
