/** A client metadata document that ships with the gateway. */
export interface KnownClient {
  /** The name that scopes may use for it. */
  readonly alias: string;
  readonly name: string;
  /** For networks from which the document cannot be read; undefined where the document alone knows. */
  readonly redirectUris?: readonly string[];
}

/**
 * Programs whose client metadata documents are known, by URL: names for scopes, and copies for closed networks (as
 * published in autumn 2026). Nothing is trusted for being in this list: it is what their documents say.
 */
export const knownClients: Readonly<Record<string, KnownClient>> = {
  'https://claude.ai/oauth/claude-code-client-metadata': {
    alias: 'claude-code',
    name: 'Claude Code',
    redirectUris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  },
  'https://claude.ai/oauth/mcp-oauth-client-metadata': {
    alias: 'claude',
    name: 'Claude',
    redirectUris: ['https://claude.ai/api/mcp/auth_callback'],
  },
  'https://vscode.dev/oauth/client-metadata.json': {
    alias: 'vscode',
    name: 'Visual Studio Code',
    redirectUris: ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
  },
  'https://chatgpt.com/oauth/client.json': { alias: 'chatgpt', name: 'ChatGPT' },
  'https://chatgpt.com/oauth/codex/client.json': { alias: 'codex', name: 'Codex' },
  'https://opencode.ai/oauth/opencode/client.json': { alias: 'opencode', name: 'OpenCode' },
};
