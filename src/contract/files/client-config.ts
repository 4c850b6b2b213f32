import { isObject } from '../values/json.ts';
import {
  entryOr,
  type FileEntry,
  type Members,
  pathFromName,
  Refusal,
  type ServerEntry,
  textOf,
} from './entry.ts';
import { credentialOf, headerPairs } from './headers.ts';

/**
 * Under which member which clients keep their servers: `mcpServers` (Claude, Cursor, Windsurf, Gemini CLI, Roo, Cline, ...),
 * `servers` (VS Code), `context_servers` (Zed), `mcp_servers` (Codex), `mcp` (opencode, and VS Code's settings.json).
 */
const lists = ['mcpServers', 'servers', 'context_servers', 'mcp_servers', 'mcp', 'amp.mcpServers'] as const;

/** The servers that a client's configuration lists, by name, with where they stand; undefined when it is no such file. */
export function clientServers(value: Members): { at: string; servers: Members } | undefined {
  for (const member of lists) {
    const list = value[member];
    if (!isObject(list)) continue;
    if (isObject(list.servers)) return { at: `${member}.servers`, servers: list.servers };
    if (Object.values(list).some(isServerOfClient)) return { at: member, servers: list };
  }
  return undefined;
}

function isServerOfClient(value: unknown): boolean {
  return (
    isObject(value) &&
    ['url', 'serverUrl', 'httpUrl', 'uri', 'command', 'source'].some((name) => name in value)
  );
}

/** Reads each server of a client's configuration. */
export function readClientConfig({ at, servers }: { at: string; servers: Members }): FileEntry[] {
  return Object.entries(servers).map(([name, value]) => {
    const place = { name, at: `${at}.${name}` };
    return entryOr(place, () => readServer(place, isObject(value) ? value : {}));
  });
}

function readServer({ name, at }: { name: string; at: string }, value: Members): ServerEntry {
  const remote = value.command === undefined ? value : wrapped(value);
  const url = textOf(remote.serverUrl) ?? textOf(remote.httpUrl) ?? textOf(remote.url) ?? textOf(remote.uri);
  if (url === undefined)
    throw new Refusal('It has no URL.', 'Add the URL of its Streamable HTTP or SSE endpoint.');
  if (/\$\{|\{\w+\}/.test(url))
    throw new Refusal(
      'Its URL has a placeholder, which only the client can fill in.',
      'Write the whole URL into the file, or register it by its URL.',
    );
  const path = pathFromName(name);
  const kind = (textOf(remote.type) ?? textOf(remote.transport) ?? '').toLowerCase();
  const isSse =
    kind.startsWith('sse') ||
    (kind === '' && textOf(remote.httpUrl) === undefined && /\/sse\/?(?:\?|$)/.test(url));
  const { credential, notes } = credentialOf(headersOf(remote), path);
  const off = value.disabled === true || value.enabled === false;
  return {
    ...{ kind: 'server', name, at },
    body: {
      server_name: name,
      path,
      proxy_pass_url: url,
      // A client connects to exactly this address.
      ...(isSse ? { sse_endpoint: url, supported_transports: ['sse'] } : { mcp_endpoint: url }),
      ...(textOf(value.description) ? { description: value.description } : {}),
    },
    credential,
    notes: off ? [...notes, 'It is disabled in the client.'] : notes,
  };
}

/** Every way in which clients write headers: values, names of environment variables, a bearer token's variable. */
function headersOf(value: Members): [string, string | undefined][] {
  const request = isObject(value.requestInit)
    ? value.requestInit
    : isObject(value.requestOptions)
      ? value.requestOptions
      : {};
  const named = (list: unknown): [string, string | undefined][] =>
    isObject(list) ? Object.keys(list).map((header) => [header, undefined]) : [];
  return [
    ...headerPairs(value.headers),
    ...headerPairs(request.headers),
    ...headerPairs(value.http_headers),
    ...named(value.env_http_headers),
    ...(textOf(value.bearer_token_env_var) ? ([['Authorization', undefined]] as [string, undefined][]) : []),
    ...(textOf(value.bearer_token)
      ? ([['Authorization', `Bearer ${value.bearer_token}`]] as [string, string][])
      : []),
  ];
}

/** `npx -y mcp-remote URL --header NAME:VALUE --transport sse-only`: a program that only forwards to a URL. */
function wrapped(value: Members): Members {
  const command = isObject(value.command) ? value.command : value;
  const program = textOf(command.command) ?? textOf(command.path) ?? textOf(value.command) ?? '';
  const args = Array.isArray(command.args)
    ? command.args.filter((arg): arg is string => typeof arg === 'string')
    : [];
  const words = (Array.isArray(value.command) ? value.command : [program, ...args]).filter(
    (word): word is string => typeof word === 'string',
  );
  const forwarder = words.findIndex((word) =>
    /(?:^|[/@\\])(?:mcp-remote|supergateway|mcp-proxy)(?:@|$)/.test(word.toLowerCase()),
  );
  const rest = words.slice(forwarder + 1);
  const url = rest.find((word) => /^https?:\/\//i.test(word));
  if (forwarder < 0 || url === undefined)
    throw new Refusal(
      `It runs as a program on the machine of its user ('${words.slice(0, 3).join(' ')}'), and the gateway reaches servers over HTTP only.`,
      'Start it with a Streamable HTTP endpoint, for example behind an stdio bridge, and register that URL.',
    );
  const env = isObject(value.env) ? value.env : {};
  const headers: { name: string; value: string | undefined }[] = [];
  for (const [index, word] of rest.entries()) {
    const given = word === '--header' || word === '-H' ? rest[index + 1] : /^--header=(.*)$/s.exec(word)?.[1];
    const [, name, text] = /^([^:\s]+):\s*(.*)$/s.exec(given ?? '') ?? [];
    if (name) headers.push({ name, value: filledIn(text ?? '', env) });
  }
  const transport = rest[rest.indexOf('--transport') + 1] ?? '';
  return {
    url,
    headers,
    ...(rest.includes('--transport') && transport.startsWith('sse') ? { type: 'sse' } : {}),
  };
}

/** The variables that the file itself gives a value are filled in. */
function filledIn(text: string, env: Members): string {
  return text.replace(/\$\{(\w+)\}/g, (whole, name: string) => textOf(env[name]) ?? whole);
}
