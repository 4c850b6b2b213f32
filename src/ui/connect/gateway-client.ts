import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Server } from '../api.ts';
import { t } from '../words/words.ts';

/** What a server said of itself when it was connected to through the gateway. */
export interface Greeting {
  readonly name: string;
  readonly version: string;
  readonly protocol: string;
}

/** A connection to a server through the gateway, and what the server said of itself. */
export interface Connection {
  readonly client: Client;
  readonly greeting: Greeting;
}

/**
 * Connects to a server through the gateway, as any MCP client does, with `token`; hands the connection to `use` and ends it
 * in every case. A refusal is an Error with the gateway's own words.
 */
export async function withServer<T>(
  server: Pick<Server, 'endpoint_url'>,
  token: string,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  // The page may only ask its own origin, which is the gateway under whatever name it was opened.
  const url = new URL(new URL(server.endpoint_url).pathname, location.origin);
  const refusal: { said: string | undefined } = { said: undefined };
  const send: typeof fetch = async (input, init) => {
    const response = await fetch(input, { ...init, credentials: 'omit' });
    refusal.said = response.ok ? undefined : await wordsOf(response.clone());
    return response;
  };
  const headers = { 'x-authorization': `Bearer ${token}` };
  const options = { fetch: send, requestInit: { headers } };
  const sse = url.pathname.endsWith('/sse');
  const client = new Client(
    { name: 'mcp-gateway-web', version: '1' },
    { versionNegotiation: { mode: sse ? 'legacy' : 'auto' } },
  );
  const transport = sse
    ? new SSEClientTransport(url, options)
    : new StreamableHTTPClientTransport(url, options);
  try {
    await client.connect(transport);
    const { name = 'unnamed', version = '' } = client.getServerVersion() ?? {};
    const protocol = client.getNegotiatedProtocolVersion() ?? 'unknown';
    return await use({ client, greeting: { name, version, protocol } });
  } catch (error) {
    throw refusal.said === undefined ? error : new Error(refusal.said, { cause: error });
  } finally {
    if (transport instanceof StreamableHTTPClientTransport)
      await transport.terminateSession().catch(() => {});
    await client.close().catch(() => {});
  }
}

/** The words of a refusal: of the gateway's JSON-RPC error or problem, else the status. */
async function wordsOf(response: Response): Promise<string> {
  const said: unknown = await response.json().catch(() => null);
  const words = textAt(said, 'error', 'message') ?? textAt(said, 'detail');
  return words ?? t('The gateway answered {status}.', { status: response.status });
}

function textAt(value: unknown, ...keys: string[]): string | undefined {
  const found = keys.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    value,
  );
  return typeof found === 'string' ? found : undefined;
}
