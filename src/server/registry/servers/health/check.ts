import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Tool } from '../../../../contract/servers/servers.ts';
import { Failure } from '../../../failure/errors.ts';
import type { OutboundPolicy } from '../../../net/addresses.ts';
import type { WayOut } from '../../../net/connector.ts';
import { type Fetch, outbound } from '../../../net/outbound.ts';
import { plainRequests } from '../../../net/plain.ts';
import type { ServerEndpoints } from '../endpoints.ts';
import type { Health, Offers } from '../store.ts';
import { readOffers, readTools } from './read-tools.ts';
import { createRecorder, createRepeats, type Recorder } from './repeat.ts';
import { type Seen, verdictOn } from './verdict.ts';

/** What a look at a server found; `tools` is null when its list could not be read. */
export interface Finding extends Omit<Health, 'checkedAt'> {
  readonly tools: readonly Tool[] | null;
  /** Names in its list of tools of what is no valid tool, and was left out. */
  readonly invalid?: readonly string[];
  /** What it offers besides; absent when its tools could not be read. */
  readonly offers?: Offers;
  /** What the server calls itself; null or absent when it did not say. */
  readonly serverName?: string | null;
  /** Names what the server said, to ask whether it still says so; absent where that cannot be asked. */
  readonly mark?: string;
  /** It says what the mark that was given names: its lists are not read again, and `tools` is null. */
  readonly isAsMarked?: true;
}

/** Whether an MCP server was found, even one that wants another credential. */
export function isThere({ status }: Pick<Finding, 'status'>): boolean {
  return status === 'healthy' || status === 'auth-failing';
}

/**
 * Looks at a server, with headers (name, value, name, value) that prove who asks: it leaves no session behind, and
 * rejects only when the gateway ends. With the mark of what is known of it, it may find that nothing differs.
 */
export type CheckServer = (
  endpoints: ServerEndpoints,
  headers?: readonly string[],
  mark?: string,
) => Promise<Finding>;

/** The limits of a check. */
export interface CheckOptions extends WayOut {
  readonly policy: OutboundPolicy;
  /** What the gateway calls itself. */
  readonly version: string;
  /** Milliseconds for the headers of one answer; 5 s unless given. */
  readonly headersMs?: number;
  /** Milliseconds for the whole check; 15 s unless given. */
  readonly totalMs?: number;
  /** Tools that are kept; 1000 unless given. */
  readonly maxTools?: number;
  /** Bytes of one answer, and of all tools together before the list is cut; 4 MiB unless given. */
  readonly maxBytes?: number;
}

/** Makes the health check: connect as an MCP client does, the newest protocol first, read the tools, take leave. */
export function createCheck(options: CheckOptions): CheckServer {
  const {
    policy,
    tls,
    proxy,
    headersMs = 5000,
    totalMs = 15_000,
    maxBytes = 4 * 1024 * 1024,
    maxTools = 1000,
  } = options;
  const way = { policy, tls, proxy, maxBytes };
  const repeats = createRepeats<Omit<Finding, 'tools'>>(plainRequests(way), headersMs);
  return async (endpoints, headers = [], mark) => {
    const same = mark && endpoints.mcp && (await repeats.same(endpoints.mcp, headers, mark));
    if (same) return { ...same, tools: null, isAsMarked: true };
    // Connections of its own: one kept since the last check would fail after a restart of the server.
    const plain = outbound({ ...way, headersMs, totalMs });
    const send = proving(plain, endpoints, headers);
    const limit = new AbortController();
    const timer = setTimeout(
      () => limit.abort(new Failure('upstream_timeout', `It did not finish within ${totalMs / 1000} s.`)),
      totalMs,
    );
    const recorder = createRecorder();
    try {
      const { version } = options;
      const looking = { version, send, proves: headers.length > 0, totalMs, maxBytes, maxTools, recorder };
      const found = await look(endpoints, { ...looking, signal: limit.signal });
      if (!endpoints.mcp) return found;
      const recorded = found.status === 'healthy' ? recorder.taken() : undefined;
      const { tools: _, invalid: __, offers: ___, ...rest } = found;
      repeats.keep(endpoints.mcp, headers, recorded && { ...recorded, found: rest });
      return recorded ? { ...found, mark: recorded.mark } : found;
    } finally {
      clearTimeout(timer);
      await plain.close();
    }
  };
}

/** Adds the headers to what goes to the server's own origins, and to nothing else that a server may lead to. */
function proving(send: Fetch, { mcp, sse }: ServerEndpoints, headers: readonly string[]): Fetch {
  const origins = [mcp?.origin, sse?.origin];
  return (url, init = {}) => {
    if (!origins.includes(new URL(url).origin)) return send(url, init);
    const all = new Headers(init.headers);
    for (let at = 0; at + 1 < headers.length; at += 2) all.set(headers[at] ?? '', headers[at + 1] ?? '');
    return send(url, { ...init, headers: all });
  };
}

interface Looking {
  readonly version: string;
  readonly send: Fetch;
  readonly proves: boolean;
  readonly totalMs: number;
  readonly maxBytes: number;
  readonly maxTools: number;
  readonly signal: AbortSignal;
  readonly recorder: Recorder;
}

async function look(endpoints: ServerEndpoints, looking: Looking): Promise<Finding> {
  const url = endpoints.mcp ?? endpoints.sse;
  const seen: Seen = { status: null, contentType: '', failure: null, session: null };
  const client = new Client(
    { name: 'mcp-gateway-registry', version: looking.version },
    {
      versionNegotiation: { mode: endpoints.mcp ? 'auto' : 'legacy' },
      // Some servers list tools that ask the client only to clients that can be asked.
      capabilities: { sampling: {}, elicitation: {}, roots: {} },
    },
  );
  const until = { signal: looking.signal, timeout: looking.totalMs };
  const told = (): Pick<Finding, 'serverName' | 'serverVersion' | 'protocolVersion'> => ({
    serverName: nameIn(client.getServerVersion()),
    serverVersion: client.getServerVersion()?.version.slice(0, 255) ?? null,
    protocolVersion: client.getNegotiatedProtocolVersion() ?? null,
  });
  try {
    if (!url) throw new Failure('upstream_invalid', 'It has no endpoint that the gateway can reach.');
    await client.connect(transportTo(endpoints, seen, looking), until);
    const { tools, invalid, detail } = client.getServerCapabilities()?.tools
      ? await readTools(client, until, looking)
      : { tools: [], invalid: [], detail: null };
    const offers = await readOffers(client, until, looking);
    return { status: 'healthy', detail, tools, invalid, offers, ...told() };
  } catch (error) {
    return {
      ...verdictOn(seen, {
        error,
        signal: looking.signal,
        proves: looking.proves,
        speaksMcp: client.getServerCapabilities() !== undefined,
      }),
      tools: null,
      ...told(),
    };
  } finally {
    await client.close().catch(() => {});
    if (url && seen.session) await takeLeave(url, seen.session, told().protocolVersion, looking.send);
  }
}

function nameIn(said: { title?: string | undefined; name: string } | undefined): string | null {
  return (said?.title ?? said?.name)?.slice(0, 255) ?? null;
}

function transportTo(
  { mcp, sse }: ServerEndpoints,
  seen: Seen,
  { send, signal, recorder }: Looking,
): StreamableHTTPClientTransport | SSEClientTransport {
  const watched: Fetch = async (url, init) => {
    // A check needs no stream of notifications: to the SDK it looks as if the server offered none.
    if (mcp && init?.method === 'GET') return new Response(null, { status: 405 });
    try {
      const response = await send(url, { ...init, signal: AbortSignal.any([signal, ...signalOf(init)]) });
      seen.session = response.headers.get('mcp-session-id') ?? seen.session;
      seen.status = response.status;
      seen.contentType = response.headers.get('content-type') ?? '';
      return await recorder.note(init, response);
    } catch (error) {
      recorder.fail();
      if (error instanceof Failure) seen.failure = error;
      throw error;
    }
  };
  // The data plane follows no redirects, so a server behind one must not look healthy.
  const options = { fetch: watched, requestInit: { redirect: 'manual' as const } };
  if (mcp) return new StreamableHTTPClientTransport(mcp, options);
  return new SSEClientTransport(sse ?? new URL('about:blank'), options);
}

function signalOf(init: RequestInit | undefined): AbortSignal[] {
  return init?.signal ? [init.signal] : [];
}

/** Ends the session that the server made: legacy servers keep them until told (2025-11-25, "Session Management"). */
async function takeLeave(url: URL, session: string, version: string | null, send: Fetch): Promise<void> {
  const headers = { 'mcp-session-id': session, ...(version ? { 'mcp-protocol-version': version } : {}) };
  const response = await send(url, { method: 'DELETE', headers }).catch(() => undefined);
  await response?.body?.cancel();
}
