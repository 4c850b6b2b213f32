import type { Reader } from './settings.ts';

/** What the data plane takes and holds at most, as far as settings say; times in milliseconds, sizes in bytes. */
export interface GatewayConfig {
  readonly limits: {
    readonly bodyBytes: number;
    readonly headersMs: number;
    readonly connectMs: number;
    readonly filterBytes: number;
    readonly answerHeaderBytes: number;
    readonly requests: number;
    readonly connectionsPerServer: number;
    readonly queuePerServer: number;
    readonly streamsPerServer: number;
    readonly streamsPerIdentity: number;
    readonly keepAliveMs: number;
    readonly streamIdleMs: number;
    readonly stallMs: number;
    readonly breakerFailures: number;
    readonly breakerMaxMs: number;
  };
  /** How long clients may take to send, and how much may stand before a body. */
  readonly clients: { readonly headersMs: number; readonly requestMs: number; readonly headerBytes: number };
}

/** Reads the settings of the data plane. */
export function gatewayOf({ value }: Reader): GatewayConfig {
  return {
    limits: {
      bodyBytes: value('MCP_PROXY_MAX_BODY_BYTES'),
      headersMs: value('MCP_PROXY_TIMEOUT') * 1000,
      connectMs: value('MCP_PROXY_CONNECT_TIMEOUT_MS'),
      filterBytes: value('MCP_PROXY_MAX_LIST_BYTES'),
      answerHeaderBytes: value('MCP_PROXY_MAX_RESPONSE_HEADER_BYTES'),
      requests: value('MCP_PROXY_MAX_REQUESTS'),
      connectionsPerServer: value('MCP_PROXY_CONNECTIONS_PER_SERVER'),
      queuePerServer: value('MCP_PROXY_QUEUE_PER_SERVER'),
      streamsPerServer: value('MCP_PROXY_STREAMS_PER_SERVER'),
      streamsPerIdentity: value('MCP_PROXY_STREAMS_PER_IDENTITY'),
      keepAliveMs: value('MCP_STREAM_KEEPALIVE_SECONDS') * 1000,
      streamIdleMs: value('MCP_STREAM_IDLE_SECONDS') * 1000,
      stallMs: value('MCP_PROXY_STALL_SECONDS') * 1000,
      breakerFailures: value('MCP_PROXY_BREAKER_FAILURES'),
      breakerMaxMs: value('MCP_PROXY_BREAKER_MAX_SECONDS') * 1000,
    },
    clients: {
      headersMs: value('CLIENT_HEADERS_TIMEOUT_SECONDS') * 1000,
      requestMs: value('CLIENT_REQUEST_TIMEOUT_SECONDS') * 1000,
      headerBytes: value('CLIENT_MAX_HEADER_BYTES'),
    },
  };
}
