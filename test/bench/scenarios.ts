import { readFileSync } from 'node:fs';
import { groups } from './gateway.ts';

/** A load, the same for the gateway and whatever it is compared with. */
export interface Scenario {
  readonly name: string;
  /** The server that is called. */
  readonly server: string;
  readonly body: string;
  readonly connections: number;
  readonly rate?: number;
  /** The identities that call in turn, as numbers and their group. */
  readonly identities: number;
  readonly group: string;
  /** Which token of the one person is sent, in place of those of the identities. */
  readonly as?: 'personal' | 'oauth';
  /** Sent in place of a token. */
  readonly credential?: string;
  /** What is expected of the gateway. */
  readonly status: string;
  /** Sends the scenario to a gateway with many servers and scopes. */
  readonly large?: boolean;
  /** Another scenario of the gateway that its cost is compared with. */
  readonly against?: string;
  /** Whether what is no gateway would give the same answer. */
  readonly compared: boolean;
}

/** The body of a call. */
export const callText = readFileSync(new URL('call.json', import.meta.url), 'utf8').trim();
const list = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
const large = callText.replace('"here"', JSON.stringify('x'.repeat(1_000_000)));

const usual = {
  ...{ server: 'json', body: callText, connections: 32, identities: 1, group: groups.all as string },
  ...{ status: '200', compared: true },
};

/** In the order in which they are reported. */
export const scenarios: readonly Scenario[] = [
  { ...usual, name: 'call-json' },
  { ...usual, name: '256-identities', identities: 256, against: 'call-json' },
  { ...usual, name: 'personal-token', as: 'personal', compared: false },
  { ...usual, name: 'oauth-token', as: 'oauth', against: 'personal-token', compared: false },
  { ...usual, name: 'operator-credential', server: 'operated', as: 'personal', compared: false },
  {
    ...usual,
    name: 'own-connection',
    server: 'connected',
    as: 'personal',
    against: 'operator-credential',
    compared: false,
  },
  { ...usual, name: 'servers-10000', large: true, against: 'call-json' },
  { ...usual, name: 'call-sse', server: 'ticks' },
  { ...usual, name: 'list-10k', server: 'list', body: list },
  {
    ...usual,
    name: 'list-10k-filtered',
    server: 'list',
    body: list,
    group: groups.some,
    against: 'list-10k',
  },
  { ...usual, name: 'call-member', server: 'member', compared: false },
  { ...usual, name: 'call-virtual', server: 'virtual/bench', against: 'call-member', compared: false },
  { ...usual, name: 'list-1000', server: 'thousand', body: list, compared: false },
  {
    ...usual,
    name: 'list-1000-half',
    server: 'thousand',
    body: list,
    group: groups.some,
    against: 'list-1000',
    compared: false,
  },
  {
    ...usual,
    name: 'list-1000-virtual',
    server: 'virtual/thousand',
    body: list,
    against: 'list-1000',
    compared: false,
  },
  { ...usual, name: 'denied', server: 'list', group: groups.none, status: '403', compared: false },
  { ...usual, name: 'bad-token', credential: 'Bearer not-a-token', status: '401', compared: false },
  { ...usual, name: 'large-body', body: large, connections: 4 },
  { ...usual, name: 'slow-upstream', server: 'slow', connections: 128, identities: 4 },
  { ...usual, name: 'latency-1000', rate: 1000 },
];

/** A request as it goes over the wire. */
export function requestText(
  server: string,
  host: string,
  credential: string | undefined,
  body: string,
): string {
  const head = [
    `POST /${server}/mcp HTTP/1.1`,
    `Host: ${host}`,
    ...(credential ? [`Authorization: ${credential}`] : []),
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    'MCP-Protocol-Version: 2025-11-25',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** The request for a stream that stays open and idle. */
export function streamText(host: string, credential: string): string {
  return `GET /idle/mcp HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${credential}\r\nAccept: text/event-stream\r\n\r\n`;
}
