import type { Server } from '../api.ts';
import { t } from '../words/words.ts';

/** The environment variable that a configuration without a token of its own reads it from. */
export const tokenVariable = 'MCP_GATEWAY_TOKEN';

/** What a program needs to connect to a server. */
export interface Setup {
  /** Opens the program with the server filled in; it never holds a token, because URLs are kept and shown. */
  readonly link?: string;
  /** Where the text goes. */
  readonly where: string;
  /** The configuration or command itself. */
  readonly text: string;
}

/** The programs that can be set up, in the order shown. */
export const clients = [
  'VS Code',
  'Cursor',
  'Claude Code',
  'Codex',
  'Goose',
  'Kiro',
  'Roo Code',
  'curl',
] as const;

/** One of the programs that can be set up. */
export type ClientName = (typeof clients)[number];

type Target = Pick<Server, 'server_name' | 'path' | 'endpoint_url' | 'forward_authorization' | 'description'>;

interface Facts {
  readonly key: string;
  readonly url: string;
  readonly sse: boolean;
  /** The header that proves who calls. */
  readonly header: string;
  readonly token: string | null;
  /** Whether the program signs in by itself. */
  readonly itself: boolean;
  readonly target: Target;
}

/** Programs that open a browser to sign in when a server asks for it (MCP authorization), and so need no token. */
export function signsIn(client: ClientName, { forward_authorization }: Target): boolean {
  // Where the client's own Authorization belongs to the server, it cannot carry the gateway's.
  return client !== 'curl' && !forward_authorization;
}

/**
 * How to set up a program for a server: so that it signs in by itself, or with `token` written into it or, when that is
 * null, with a place where the program finds or asks for one.
 */
export function setupOf(client: ClientName, target: Target, token: string | null | 'sign-in'): Setup {
  const url = target.endpoint_url;
  const itself = token === 'sign-in' && signsIn(client, target);
  return makers[client]({
    ...{ key: keyOf(target), url, target, itself, token: token === 'sign-in' ? null : token },
    sse: new URL(url).pathname.endsWith('/sse'),
    // Where a client's own Authorization goes on to the server, the gateway is told who calls by the other header.
    header: target.forward_authorization ? 'X-Authorization' : 'Authorization',
  });
}

/** The name that programs know the server by: from its path, which is unique and plain. */
function keyOf({ path }: Pick<Server, 'path'>): string {
  return path.slice(1).replaceAll(/[^A-Za-z0-9_-]+/g, '-');
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);
// Strings in JSON are strings in YAML too.
const yaml = (value: string): string => JSON.stringify(value);
const quoted = (text: string): string => `"${text.replaceAll(/["\\$`]/g, (sign) => `\\${sign}`)}"`;
const proves = ({ header, token, itself }: Facts, place: string): { headers?: Record<string, string> } =>
  itself ? {} : { headers: { [header]: `Bearer ${token ?? place}` } };

const makers: Record<ClientName, (facts: Facts) => Setup> = {
  'VS Code': vsCode,
  Cursor: cursor,
  'Claude Code': (facts) => {
    const { key, url, sse, header, token, itself } = facts;
    const add = `claude mcp add --transport ${sse ? 'sse' : 'http'} ${key} ${quoted(url)}`;
    if (itself) return { where: t('A terminal; then /mcp in Claude Code to sign in'), text: add };
    const value =
      token === null ? `"${header}: Bearer $${tokenVariable}"` : quoted(`${header}: Bearer ${token}`);
    return {
      where:
        token === null
          ? t('A terminal in which {variable} is set', { variable: tokenVariable })
          : t('A terminal'),
      text: `${add} \\\n  --header ${value}`,
    };
  },
  Codex: codex,
  Goose: goose,
  Kiro: (facts) => ({
    where: t('{one} in the workspace, or {other}', {
      one: '.kiro/settings/mcp.json',
      other: '~/.kiro/settings/mcp.json',
    }),
    text: json({
      mcpServers: { [facts.key]: { url: facts.url, ...proves(facts, `\${${tokenVariable}}`) } },
    }),
  }),
  'Roo Code': (facts) => ({
    where: t('{file} in the project, or the global MCP settings', { file: '.roo/mcp.json' }),
    text: json({
      mcpServers: {
        [facts.key]: {
          type: facts.sse ? 'sse' : 'streamable-http',
          url: facts.url,
          ...proves(facts, `\${env:${tokenVariable}}`),
          disabled: false,
        },
      },
    }),
  }),
  curl,
};

function vsCode(facts: Facts): Setup {
  const { key, url, sse, target } = facts;
  const input = 'mcp-gateway-token';
  const entry = (one: Facts) => ({
    type: sse ? 'sse' : 'http',
    url,
    ...proves(one, `\${input:${input}}`),
  });
  const inputs = [
    {
      id: input,
      type: 'promptString',
      description: t('Token for {path}', { path: target.path }),
      password: true,
    },
  ];
  const asks = JSON.stringify({
    name: key,
    ...(facts.itself ? {} : { inputs }),
    ...entry({ ...facts, token: null }),
  });
  return {
    link: `vscode:mcp/install?${encodeURIComponent(asks)}`,
    where: t('{file} in the workspace, or the user configuration (MCP: Open User Configuration)', {
      file: '.vscode/mcp.json',
    }),
    text: json({
      ...(facts.token === null && !facts.itself ? { inputs } : {}),
      servers: { [key]: entry(facts) },
    }),
  };
}

function cursor(facts: Facts): Setup {
  const { key, url } = facts;
  const place = `\${env:${tokenVariable}}`;
  // Keys and URLs are ASCII, so that btoa takes them.
  const config = btoa(JSON.stringify({ url, ...proves({ ...facts, token: null }, place) }));
  return {
    link: `cursor://anysphere.cursor-deeplink/mcp/install?${new URLSearchParams({ name: key, config })}`,
    where: t('{one} in the project, or {other}', { one: '.cursor/mcp.json', other: '~/.cursor/mcp.json' }),
    text: json({ mcpServers: { [key]: { url, ...proves(facts, place) } } }),
  };
}

function codex({ key, url, sse, header, token, target, itself }: Facts): Setup {
  const set = token === null ? '' : `export ${tokenVariable}=${quoted(token)}\n`;
  const where =
    token === null
      ? t('A terminal; set {variable} before starting Codex', { variable: tokenVariable })
      : t('A terminal');
  if (sse)
    return {
      where: t('Nowhere'),
      text: `# ${t('Codex speaks Streamable HTTP only; {path} has SSE.', { path: target.path })}`,
    };
  if (itself)
    return {
      where: t('A terminal'),
      text: `codex mcp add ${key} --url ${quoted(url)}\ncodex mcp login ${key}`,
    };
  if (header !== 'Authorization')
    return {
      where: t('{file}; set {variable} to "Bearer <token>" before starting Codex', {
        file: '~/.codex/config.toml',
        variable: `${tokenVariable}_HEADER`,
      }),
      text: `[mcp_servers.${key}]\nurl = ${JSON.stringify(url)}\nenv_http_headers = { ${JSON.stringify(header)} = "${tokenVariable}_HEADER" }`,
    };
  return {
    where,
    text: `${set}codex mcp add ${key} --url ${quoted(url)} --bearer-token-env-var ${tokenVariable}`,
  };
}

function goose(facts: Facts): Setup {
  const { key, url, sse, header, target } = facts;
  const [[, value = ''] = []] = Object.entries(proves(facts, `\${${tokenVariable}}`).headers ?? {});
  const lines = [
    'extensions:',
    `  ${key}:`,
    `    name: ${yaml(target.server_name)}`,
    `    description: ${yaml(target.description.slice(0, 200))}`,
    `    type: ${sse ? 'sse' : 'streamable_http'}`,
    '    enabled: true',
    `    uri: ${yaml(url)}`,
    ...(facts.token === null && !facts.itself ? [`    env_keys: [${tokenVariable}]`] : []),
    ...(facts.itself ? [] : ['    headers:', `      ${header}: ${yaml(value)}`]),
    '    timeout: 300',
  ];
  return { where: '~/.config/goose/config.yaml', text: lines.join('\n') };
}

function curl({ url, sse, header, token }: Facts): Setup {
  const value =
    token === null ? `"${header}: Bearer $${tokenVariable}"` : quoted(`${header}: Bearer ${token}`);
  const where =
    token === null
      ? t('A terminal in which {variable} is set', { variable: tokenVariable })
      : t('A terminal');
  if (sse) return { where, text: `curl -N -H ${value} \\\n  -H "Accept: text/event-stream" ${quoted(url)}` };
  const hello = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'curl', version: '1' },
    },
  };
  const post = (body: unknown, more = ''): string =>
    [
      `curl -sS${more ? '' : ' -D headers.txt'} ${quoted(url)} \\`,
      `  -H ${value} \\`,
      '  -H "Content-Type: application/json" -H "Accept: application/json, text/event-stream" \\',
      ...(more ? [`  ${more} \\`] : []),
      `  -d '${JSON.stringify(body)}'`,
    ].join('\n');
  const session = `$(sed -n 's/^mcp-session-id: *//Ip' headers.txt | tr -d '\\r')`;
  return {
    where,
    text: [
      post(hello),
      `SESSION=${session}`,
      post({ jsonrpc: '2.0', method: 'notifications/initialized' }, '-H "Mcp-Session-Id: $SESSION"'),
      post({ jsonrpc: '2.0', id: 2, method: 'tools/list' }, '-H "Mcp-Session-Id: $SESSION"'),
    ].join('\n'),
  };
}
