/** How a client signs in, as far as it differs from others: what the doctor plays. */
export interface Profile {
  readonly id: string;
  readonly title: string;
  /** The URL of its client metadata document; absent where it has none. */
  readonly document?: string;
  /** What it registers with, in this order; where it has no document, or the gateway takes none. */
  readonly redirectUris: readonly string[];
  /** The one of them that it comes back to. */
  readonly comesBackTo: string;
  /** Whether it runs on machines of its maker, which have to reach the gateway over the internet. */
  readonly isHosted?: true;
  /** Whether it compares the resource with the address that was typed, character by character. */
  readonly isExact?: true;
  /** Whether it looks for the authorization server at the root of the address that was typed, and nowhere else. */
  readonly looksAtRoot?: true;
  /** Whether it sends no `resource` (RFC 8707), as revisions before 2025-06-18. */
  readonly sendsNoResource?: true;
  /** The origin of its pages, where it runs in a browser and so needs CORS. */
  readonly origin?: string;
}

/** A port such as programs choose: any free one. */
const port = 49_152;

/** The clients that are known, as they behaved in autumn 2026. */
export const profiles: readonly Profile[] = [
  {
    ...{ id: 'claude-code', title: 'Claude Code' },
    document: 'https://claude.ai/oauth/claude-code-client-metadata',
    redirectUris: [`http://localhost:${port}/callback`],
    comesBackTo: `http://localhost:${port}/callback`,
  },
  {
    ...{ id: 'claude', title: 'Claude (web and desktop connectors)', isHosted: true },
    document: 'https://claude.ai/oauth/mcp-oauth-client-metadata',
    redirectUris: ['https://claude.ai/api/mcp/auth_callback'],
    comesBackTo: 'https://claude.ai/api/mcp/auth_callback',
  },
  {
    ...{ id: 'vscode', title: 'Visual Studio Code' },
    document: 'https://vscode.dev/oauth/client-metadata.json',
    redirectUris: ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
    comesBackTo: 'http://127.0.0.1:33418/',
  },
  {
    ...{ id: 'cursor', title: 'Cursor' },
    redirectUris: [
      'cursor://anysphere.cursor-mcp/oauth/callback',
      'https://www.cursor.com/agents/mcp/oauth/callback',
      'http://localhost:8787/callback',
    ],
    comesBackTo: 'cursor://anysphere.cursor-mcp/oauth/callback',
  },
  {
    ...{ id: 'codex', title: 'Codex' },
    redirectUris: [`http://127.0.0.1:${port}/callback`],
    comesBackTo: `http://127.0.0.1:${port}/callback`,
  },
  {
    ...{ id: 'chatgpt', title: 'ChatGPT connectors', isHosted: true },
    redirectUris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
    comesBackTo: 'https://chatgpt.com/connector_platform_oauth_redirect',
  },
  {
    ...{ id: 'gemini-cli', title: 'Gemini CLI', isExact: true },
    redirectUris: [`http://localhost:${port}/oauth/callback`],
    comesBackTo: `http://localhost:${port}/oauth/callback`,
  },
  {
    ...{ id: 'opencode', title: 'OpenCode' },
    document: 'https://opencode.ai/oauth/opencode/client.json',
    redirectUris: ['http://127.0.0.1:19876/mcp/oauth/callback'],
    comesBackTo: 'http://127.0.0.1:19876/mcp/oauth/callback',
  },
  {
    ...{ id: 'inspector', title: 'MCP Inspector', looksAtRoot: true, origin: 'http://localhost:6274' },
    redirectUris: ['http://localhost:6274/oauth/callback'],
    comesBackTo: 'http://localhost:6274/oauth/callback',
  },
  {
    ...{ id: 'mcp-remote', title: 'mcp-remote' },
    redirectUris: [`http://localhost:${port}/oauth/callback`],
    comesBackTo: `http://localhost:${port}/oauth/callback`,
  },
  {
    ...{ id: 'older', title: 'Clients of 2025-03-26 and before', looksAtRoot: true, sendsNoResource: true },
    redirectUris: [`http://localhost:${port}/callback`],
    comesBackTo: `http://localhost:${port}/callback`,
  },
];
