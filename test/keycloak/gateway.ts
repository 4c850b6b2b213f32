import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startGateway, type TestGateway } from '../harness.ts';
import { keycloakUrl } from './admin.ts';
import { makeRealm, type Realm } from './realm.ts';

/** A gateway in production mode with a realm of its own as its only provider. */
export interface RealmGateway extends TestGateway {
  readonly realm: Realm;
}

const scopes = `
UI-Scopes:
  mcp-registry-admin:
    list_service: [all]
    register_service: [all]
group_mappings:
  mcp-admins: [mcp-registry-admin]
  mcp-users: [tools/read]
tools/read:
  - { server: upstream, methods: [initialize, tools/list, tools/call], tools: [look] }
`;

/** Makes the realm and starts the gateway for it. */
export async function startRealmGateway(
  name: string,
  environment: (realm: Realm) => Promise<Record<string, string>> = async () => ({}),
): Promise<RealmGateway> {
  const port = await freePort();
  const realm = await makeRealm(name, `http://localhost:${port}`);
  const dataDir = mkdtempSync(join(tmpdir(), 'gateway-keycloak-'));
  writeFileSync(join(dataDir, 'scopes.yml'), scopes);
  const gateway = await startGateway({
    ...{ port, dataDir },
    environment: {
      ...{ AUTH_PROVIDER: 'keycloak', KEYCLOAK_URL: keycloakUrl, KEYCLOAK_REALM: name },
      ...{ KEYCLOAK_CLIENT_ID: realm.gateway.clientId, KEYCLOAK_CLIENT_SECRET: realm.gateway.clientSecret },
      ...{
        SECRET_KEY: 'only-for-this-test-8d41c7fb02e96a35b7f0642d9ec1583a',
        UPSTREAM_ALLOWED_NETWORKS: 'private',
      },
      ...{ SCOPES_CONFIG_PATH: join(dataDir, 'scopes.yml') },
      ...(await environment(realm)),
    },
  });
  return { ...gateway, realm };
}

/** An MCP server with one tool, in JSON answers. */
export async function startUpstream(): Promise<{ url: string; close(): void }> {
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    const { id } = JSON.parse(body || '{}') as { id?: number };
    res.setHeader('content-type', 'application/json');
    const tools = [{ name: 'look', inputSchema: { type: 'object' } }];
    res.end(JSON.stringify({ jsonrpc: '2.0', id, result: { tools } }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close: () => void server.close(),
  };
}

/** Asks the gateway for the tools of that server. */
export function listTools({ url }: TestGateway, token: string): Promise<Response> {
  return fetch(`${url}/upstream/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  });
}
