import { plainJson } from '../../contract/values/plain-text.ts';
import type { Run } from '../command.ts';
import { Trouble } from '../trouble.ts';

/** The action of `server-connect-config`: what an MCP client's configuration needs to connect to a server. */
export async function connectConfig({ api, output }: Run, { path }: { path: string }): Promise<void> {
  const server = await (await api())('servers.get', { params: { path } });
  if (!server.is_enabled)
    throw new Trouble(`${server.path} is disabled, so nobody can connect to it.`, {
      remedy: `Whoever may do so enables it with: mcp-gateway toggle --path ${server.path} --enabled true`,
    });
  const name = server.path.slice(1).replaceAll('/', '-');
  const config = {
    mcpServers: {
      [name]: {
        type: server.endpoint_url.endsWith('/sse') ? 'sse' : 'http',
        url: server.endpoint_url,
        // A place to put it, never the token itself: this is copied, shown and committed.
        headers: { Authorization: 'Bearer <your token>' },
      },
    },
  };
  output.result(config, () => plainJson(config));
  output.note('Replace <your token>, or leave headers out where the client signs in by itself (OAuth).');
}
