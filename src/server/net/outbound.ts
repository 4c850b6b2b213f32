import { isIP } from 'node:net';
import { Agent, buildConnector, type RequestInit as UndiciRequestInit, fetch as undiciFetch } from 'undici';
import { Failure, invalidInput } from '../failure/errors.ts';
import { type OutboundPolicy, refusalOf } from './addresses.ts';
import { guardedConnector, type Resolve, type WayOut } from './connector.ts';

/** What libraries that take a `fetch` of their own expect (the MCP SDK, jose, openid-client). */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** The limits of a way out. */
export interface OutboundOptions extends WayOut {
  readonly policy: OutboundPolicy;
  /** Milliseconds until the response headers are there, name lookup and connection included; 10 s unless given. */
  readonly headersMs?: number;
  /** Milliseconds until the whole body is there; unlimited unless given, as streams need it. */
  readonly totalMs?: number;
  /** Bytes of a response body, decompressed; unlimited unless given. */
  readonly maxBytes?: number;
  /** How names become addresses; the system's way unless given. */
  readonly resolve?: Resolve | undefined;
}

/** A way out: call it like `fetch`; `close` ends its connections and what still runs on them. */
export type Outbound = Fetch & { close(): Promise<void> };

/**
 * Makes the only way out for control-plane HTTP. It follows no redirects, whatever `init` says. It rejects with a Failure
 * whose message says in one sentence what happened and names neither host nor address; when the caller's own signal ends
 * the request, with that signal's reason.
 */
export function outbound(options: OutboundOptions): Outbound {
  const agent = new Agent({
    connect: guardedConnector({ ...options, timeoutMs: 0 }),
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return wayBy(agent, (url) => faultOfUrl(url, options.policy), options);
}

/**
 * The one exemption from the ban on link-local addresses: a way to a managed identity endpoint and to nothing else. It
 * carries GET requests to exactly the host, port and path of `endpoint`, which must be `http:` on loopback or on an IPv4
 * link-local address, as Azure has them, and follows no redirects.
 */
export function wayToManagedIdentity(endpoint: string): Outbound {
  const allowed = new URL(endpoint);
  const { hostname, port } = allowed;
  if (!isManagedIdentityEndpoint(endpoint))
    throw new Failure('upstream_unreachable', 'It is not the address of a managed identity endpoint.');
  // Never looked up, so nobody who answers name queries can send the request elsewhere.
  const host = hostname === 'localhost' ? '127.0.0.1' : hostname;
  const connect = buildConnector({ allowH2: false, timeout: 0 });
  const agent = new Agent({
    connect: (target, callback) => {
      if (target.hostname === hostname && (target.port || '80') === (port || '80'))
        connect({ ...target, hostname: host }, callback);
      else callback(new Failure('upstream_unreachable', 'It is another host.'), null);
    },
    allowH2: false,
  });
  const faultOf = (url: string | URL, init: RequestInit): string | undefined => {
    const asked = URL.canParse(String(url)) ? new URL(url) : undefined;
    const isIt = asked?.origin === allowed.origin && asked.pathname === allowed.pathname && !asked.username;
    return isIt && (init.method ?? 'GET') === 'GET' ? undefined : 'It is not the managed identity endpoint.';
  };
  return wayBy(agent, faultOf, { headersMs: 10_000, totalMs: 15_000, maxBytes: 64 << 10 });
}

/** Whether a URL can be a managed identity endpoint: plain http on loopback or an IPv4 link-local address. */
export function isManagedIdentityEndpoint(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(url);
  const isNear = hostname === 'localhost' || /^(127\.\d+|169\.254)\.\d+\.\d+$/.test(hostname);
  return protocol === 'http:' && isNear && !username && !password && !search && !hash;
}

/** Requests through an agent, once `faultOf` has nothing against them. */
function wayBy(
  agent: Agent,
  faultOf: (url: string | URL, init: RequestInit) => string | undefined,
  options: Omit<OutboundOptions, 'policy'>,
): Outbound {
  const send: Fetch = async (url, init = {}) => {
    const fault = faultOf(url, init);
    if (fault) throw new Failure('upstream_unreachable', fault);
    const limits = startLimits(options, init.signal ?? undefined);
    try {
      const response = await undiciFetch(url, {
        ...(init as UndiciRequestInit),
        redirect: init.redirect === 'error' ? 'error' : 'manual',
        signal: limits.signal,
        dispatcher: agent,
      });
      limits.headersArrived();
      return withBodyLimits(response as unknown as Response, limits, options.maxBytes);
    } catch (error) {
      limits.end();
      throw limits.explain(error);
    }
  };
  return Object.assign(send, { close: () => agent.destroy() });
}

/** Refuses a URL at registration: not http(s), with credentials, or at an address that the policy forbids. Names are judged when connecting. */
export function assertReachableUrl(url: string | URL, policy: OutboundPolicy, at = 'url'): void {
  const fault = faultOfUrl(url, policy);
  if (fault) throw invalidInput([{ at, message: fault }]);
}

/** What is wrong with a URL by itself, as a sentence; undefined where nothing is. Names are judged when connecting. */
export function faultOfUrl(url: string | URL, policy: OutboundPolicy): string | undefined {
  if (!URL.canParse(String(url))) return 'It is not a URL.';
  const { protocol, username, password, hostname } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return 'Only http:// and https:// URLs are reached.';
  if (username || password) return 'It must not contain a user name or password.';
  const host = hostname.replace(/^\[|\]$|\.$/g, '');
  if (isIP(host)) return refusalOf(host, policy);
  return /(^|\.)localhost$/.test(host) ? refusalOf('127.0.0.1', policy) : undefined;
}

interface OutboundLimits {
  readonly signal: AbortSignal;
  headersArrived(): void;
  end(): void;
  /** What an error of the exchange means, for whoever asked. */
  explain(error: unknown): unknown;
}

function startLimits(
  options: Omit<OutboundOptions, 'policy'>,
  callers: AbortSignal | undefined,
): OutboundLimits {
  const limit = new AbortController();
  const expire = (ms: number, what: string): NodeJS.Timeout =>
    setTimeout(() => limit.abort(new Failure('upstream_timeout', `${what} within ${ms / 1000} s.`)), ms);
  const headers = expire(options.headersMs ?? 10_000, 'It did not answer');
  const total = options.totalMs ? expire(options.totalMs, 'It did not finish its answer') : undefined;
  return {
    signal: callers ? AbortSignal.any([callers, limit.signal]) : limit.signal,
    headersArrived: () => clearTimeout(headers),
    end() {
      clearTimeout(headers);
      clearTimeout(total);
    },
    explain(error) {
      if (callers?.aborted) return callers.reason;
      return limit.signal.aborted ? limit.signal.reason : failureOf(error);
    },
  };
}

function withBodyLimits(
  response: Response,
  limits: OutboundLimits,
  maxBytes = Number.POSITIVE_INFINITY,
): Response {
  if (!response.body) {
    limits.end();
    return response;
  }
  const reader = response.body.getReader();
  let read = 0;
  const fail = (error: unknown): never => {
    limits.end();
    throw limits.explain(error);
  };
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read().catch(fail);
      if (done) {
        limits.end();
        return controller.close();
      }
      read += value.byteLength;
      if (read <= maxBytes) return controller.enqueue(value);
      reader.cancel().catch(() => {});
      fail(new Failure('upstream_invalid', `Its answer is longer than ${maxBytes} bytes.`));
    },
    cancel(reason) {
      limits.end();
      return reader.cancel(reason);
    },
  });
  const { status, statusText, headers, url } = response;
  return Object.defineProperty(new Response(body, { status, statusText, headers: [...headers] }), 'url', {
    value: url,
  });
}

const words: Record<string, string> = {
  ECONNREFUSED: 'The connection was refused; nothing listens there.',
  ECONNRESET: 'It closed the connection.',
  UND_ERR_SOCKET: 'It closed the connection.',
  EPIPE: 'It closed the connection.',
  ENOTFOUND: 'Its name is not known (DNS).',
  EAI_AGAIN: 'Its name cannot be looked up right now (DNS).',
  EHOSTUNREACH: 'There is no way to its address.',
  ENETUNREACH: 'There is no way to its address.',
  ETIMEDOUT: 'The connection was not answered in time.',
  UND_ERR_CONNECT_TIMEOUT: 'The connection was not answered in time.',
  ERR_PROXY_UNREACHABLE: 'The forward proxy on the way to it cannot be reached (HTTPS_PROXY, HTTP_PROXY).',
  ERR_PROXY_REFUSED: 'The forward proxy does not open the way to it; allow it there, or name it in NO_PROXY.',
  ERR_PROXY_CREDENTIALS: 'The forward proxy wants a user name and password (HTTPS_PROXY, HTTP_PROXY).',
  HTTPParserError: 'It does not speak HTTP.',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'It does not speak TLS; try http:// instead of https://.',
  ERR_SSL_WRONG_VERSION_NUMBER: 'It does not speak TLS; try http:// instead of https://.',
  CERT_HAS_EXPIRED: 'Its TLS certificate has expired.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Its TLS certificate is for another name.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Its TLS certificate is not trusted.',
  SELF_SIGNED_CERT_IN_CHAIN: 'Its TLS certificate is not trusted.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'Its TLS certificate is not trusted.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'Its TLS certificate is not trusted.',
};

/** The failure that a transport error amounts to: one of ours in its chain of causes, else its code put into words. */
function failureOf(error: unknown): Failure {
  let said: string | undefined;
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof Failure) return at;
    said ??= words[String((at as NodeJS.ErrnoException).code)] ?? words[at.name];
  }
  return new Failure('upstream_unreachable', said ?? 'The connection failed.', { cause: error });
}
