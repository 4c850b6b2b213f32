import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An MCP server that tells its callers who they are, and lets nobody in without a token. */
export interface GuardedServer {
  readonly url: string;
  /** The credentials that it was sent, in order. */
  readonly seen: (string | undefined)[];
  close(): Promise<void>;
}

/** Starts one on loopback; `whose` says whose a token is, `issuer` is the authorization server that it names (RFC 9728). */
export async function startGuarded(
  whose: (token: string) => Promise<string | undefined>,
  issuer: string,
): Promise<GuardedServer> {
  const seen: (string | undefined)[] = [];
  const server = createServer(async (req, res) => {
    let text = '';
    for await (const chunk of req) text += chunk;
    const send = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    if (req.url?.startsWith('/.well-known/oauth-protected-resource'))
      return send(200, { resource: url, authorization_servers: [issuer], scopes_supported: ['repo'] });
    const { authorization } = req.headers;
    seen.push(authorization);
    const who = await whose(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '');
    if (who === undefined)
      return send(
        401,
        { error: 'invalid_token' },
        {
          'www-authenticate': `Bearer resource_metadata="${new URL('/.well-known/oauth-protected-resource/mcp', url)}"`,
        },
      );
    if (req.method !== 'POST') return res.writeHead(405).end();
    const { id, method } = JSON.parse(text || '{}') as { id?: number; method?: string };
    if (id === undefined) return res.writeHead(202).end();
    const serverInfo = { name: 'hub', version: '1' };
    const results: Record<string, object> = {
      initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo },
      'tools/list': {
        tools: [{ name: 'whoami', description: 'Who calls', inputSchema: { type: 'object' } }],
      },
      'tools/call': { content: [{ type: 'text', text: who }] },
    };
    return send(200, { jsonrpc: '2.0', id, result: { resultType: 'complete', ...results[method ?? ''] } });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  return {
    ...{ url, seen },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
