import { join } from 'node:path';

/** What a client's configuration says about a server. */
export interface Connection {
  /** The name that the client shows. */
  readonly key: string;
  readonly url: string;
  readonly sse: boolean;
  /** The environment variable with a token; null where the person signs in from the client. */
  readonly tokenVariable: string | null;
}

/** How an entry is written: where in which kind of file, and its value. */
export interface Place {
  readonly file: string;
  readonly format: 'json' | 'toml' | 'yaml';
  /** The members from the top of the file down to the list of servers. */
  readonly list: readonly string[];
  readonly entry: Readonly<Record<string, unknown>>;
  /** Further members that the file needs, by their path joined with dots. */
  readonly also?: Readonly<Record<string, unknown>>;
}

/** The folders that configurations are in. */
export interface Folders {
  readonly cwd: string;
  /** A path in the person's home folder. */
  readonly home: (...parts: string[]) => string;
  /** Whether the person's own configuration is meant rather than the project's. */
  readonly user: boolean;
}

/** One MCP client that can be set up. */
export interface ClientRow {
  readonly title: string;
  /** Where its configuration goes: of the project when `user` is false and it has one, else of the person. */
  readonly place: (connection: Connection, at: Folders) => Place;
  /** What to do afterwards. */
  readonly next: string;
  /** Whether it can sign in by itself (OAuth); one that cannot needs a token. */
  readonly signsIn: boolean;
  /** Whether it can reach servers that have SSE only. */
  readonly sse: boolean;
}

const bearer = (variable: string | null, reference: (name: string) => string): Record<string, unknown> =>
  variable === null ? {} : { headers: { Authorization: `Bearer ${reference(variable)}` } };
const dollar = (name: string): string => `\${${name}}`;
const env = (name: string): string => `\${env:${name}}`;

/** Every client that `mcp-gateway connect` can set up. */
export const clients = {
  'claude-code': {
    title: 'Claude Code',
    place: ({ url, sse, tokenVariable }, { cwd, user, home }) => ({
      file: user ? home('.claude.json') : join(cwd, '.mcp.json'),
      format: 'json',
      list: ['mcpServers'],
      entry: { type: sse ? 'sse' : 'http', url, ...bearer(tokenVariable, dollar) },
    }),
    next: 'Start claude and ask it to use the server, or sign in with /mcp.',
    signsIn: true,
    sse: true,
  },
  vscode: {
    title: 'VS Code',
    place: ({ url, sse, tokenVariable }, { cwd, user, home }) => ({
      file: user ? vscodeUserFile(home) : join(cwd, '.vscode', 'mcp.json'),
      format: 'json',
      list: ['servers'],
      entry: { type: sse ? 'sse' : 'http', url, ...bearer(tokenVariable, env) },
    }),
    next: 'Open .vscode/mcp.json in VS Code and choose Start; it opens the sign-in.',
    signsIn: true,
    sse: true,
  },
  cursor: {
    title: 'Cursor',
    place: ({ url, tokenVariable }, { cwd, user, home }) => ({
      file: user ? home('.cursor', 'mcp.json') : join(cwd, '.cursor', 'mcp.json'),
      format: 'json',
      list: ['mcpServers'],
      entry: { url, ...bearer(tokenVariable, env) },
    }),
    next: 'In Cursor, open Settings > MCP and choose Needs login.',
    signsIn: true,
    sse: true,
  },
  codex: {
    title: 'Codex',
    place: ({ url, tokenVariable }, { home }) => ({
      file: home('.codex', 'config.toml'),
      format: 'toml',
      list: ['mcp_servers'],
      entry: { url, ...(tokenVariable === null ? {} : { bearer_token_env_var: tokenVariable }) },
    }),
    next: 'Sign in with: codex mcp login NAME',
    signsIn: true,
    sse: false,
  },
  gemini: {
    title: 'Gemini CLI',
    place: ({ url, sse, tokenVariable }, { cwd, user, home }) => ({
      file: user ? home('.gemini', 'settings.json') : join(cwd, '.gemini', 'settings.json'),
      format: 'json',
      list: ['mcpServers'],
      entry: { ...(sse ? { url } : { httpUrl: url }), ...bearer(tokenVariable, (name) => `$${name}`) },
    }),
    next: 'Start gemini, and sign in with /mcp auth NAME.',
    signsIn: true,
    sse: true,
  },
  windsurf: {
    title: 'Windsurf',
    place: ({ url, tokenVariable }, { home }) => ({
      file: home('.codeium', 'windsurf', 'mcp_config.json'),
      format: 'json',
      list: ['mcpServers'],
      entry: { serverUrl: url, ...bearer(tokenVariable, env) },
    }),
    next: 'In Windsurf, refresh the MCP servers; it opens the sign-in.',
    signsIn: true,
    sse: true,
  },
  roo: {
    title: 'Roo Code',
    place: ({ url, sse, tokenVariable }, { cwd }) => ({
      file: join(cwd, '.roo', 'mcp.json'),
      format: 'json',
      list: ['mcpServers'],
      entry: { type: sse ? 'sse' : 'streamable-http', url, ...bearer(tokenVariable, env) },
    }),
    next: 'Reload the MCP servers in Roo Code.',
    signsIn: false,
    sse: true,
  },
  kiro: {
    title: 'Kiro',
    place: ({ url, tokenVariable }, { cwd, user, home }) => ({
      file: user ? home('.kiro', 'settings', 'mcp.json') : join(cwd, '.kiro', 'settings', 'mcp.json'),
      format: 'json',
      list: ['mcpServers'],
      entry: { url, ...bearer(tokenVariable, dollar) },
    }),
    next: 'Kiro connects when the file is saved.',
    signsIn: true,
    sse: true,
  },
  zed: {
    title: 'Zed',
    place: ({ url, tokenVariable }, { cwd, user, home }) => ({
      file: user ? home('.config', 'zed', 'settings.json') : join(cwd, '.zed', 'settings.json'),
      format: 'json',
      list: ['context_servers'],
      entry: { url, ...bearer(tokenVariable, (name) => `$${name}`) },
    }),
    next: 'Zed connects when the settings are saved.',
    signsIn: true,
    sse: false,
  },
  opencode: {
    title: 'opencode',
    place: ({ url, tokenVariable }, { cwd, user, home }) => ({
      file: user ? home('.config', 'opencode', 'opencode.json') : join(cwd, 'opencode.json'),
      format: 'json',
      list: ['mcp'],
      entry: { type: 'remote', url, enabled: true, ...bearer(tokenVariable, (name) => `{env:${name}}`) },
    }),
    next: 'Sign in with: opencode mcp auth NAME',
    signsIn: true,
    sse: false,
  },
  'copilot-cli': {
    title: 'GitHub Copilot CLI',
    place: ({ url, sse, tokenVariable }, { home }) => ({
      file: home('.copilot', 'mcp-config.json'),
      format: 'json',
      list: ['mcpServers'],
      entry: { type: sse ? 'sse' : 'http', url, tools: ['*'], ...bearer(tokenVariable, dollar) },
    }),
    next: 'Start copilot; it opens the sign-in.',
    signsIn: true,
    sse: true,
  },
  'claude-desktop': {
    title: 'Claude Desktop',
    place: ({ url, sse, tokenVariable }, { home }) => ({
      file: claudeDesktopFile(home),
      format: 'json',
      list: ['mcpServers'],
      // Its file knows programs only; this one forwards to the URL and opens the sign-in.
      entry: {
        command: 'npx',
        args: [
          ...['-y', 'mcp-remote', url],
          ...(sse ? ['--transport', 'sse-only'] : []),
          ...(tokenVariable === null ? [] : ['--header', `Authorization:Bearer ${dollar(tokenVariable)}`]),
        ],
      },
    }),
    next: 'Restart Claude Desktop; it opens the sign-in in your browser.',
    signsIn: true,
    sse: true,
  },
  goose: {
    title: 'Goose',
    place: ({ key, url, sse, tokenVariable }, { home }) => ({
      file: home('.config', 'goose', 'config.yaml'),
      format: 'yaml',
      list: ['extensions'],
      entry: {
        ...{ name: key, type: sse ? 'sse' : 'streamable_http', enabled: true, uri: url, timeout: 300 },
        ...(tokenVariable === null ? {} : { env_keys: [tokenVariable], ...bearer(tokenVariable, dollar) }),
      },
    }),
    next: 'Goose connects at its next session.',
    signsIn: true,
    sse: true,
  },
} as const satisfies Record<string, ClientRow>;

/** The name of a client on the command line. */
export type ClientName = keyof typeof clients;

function vscodeUserFile(home: Folders['home']): string {
  if (process.platform === 'darwin')
    return home('Library', 'Application Support', 'Code', 'User', 'mcp.json');
  if (process.platform === 'win32') return home('AppData', 'Roaming', 'Code', 'User', 'mcp.json');
  return home('.config', 'Code', 'User', 'mcp.json');
}

function claudeDesktopFile(home: Folders['home']): string {
  const file = 'claude_desktop_config.json';
  if (process.platform === 'darwin') return home('Library', 'Application Support', 'Claude', file);
  if (process.platform === 'win32') return home('AppData', 'Roaming', 'Claude', file);
  return home('.config', 'Claude', file);
}
