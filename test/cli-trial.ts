import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { main, systemClock, untilInterrupted } from '../src/cli/main.ts';
import type { Terminal, World } from '../src/cli/terminal.ts';
import type { Server, ServerInFull } from '../src/contract/servers/servers.ts';

/** A request that a scripted server has got. */
export interface Asked {
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** What a scripted server answers; an object is sent as JSON, a string as HTML. */
export interface Said {
  readonly status?: number;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: unknown;
}

/** A scripted server: what it was asked, as `POST /path?query`, and where it listens. */
export interface Scripted {
  readonly url: string;
  readonly asked: string[];
}

/** Starts a real HTTP server on loopback that answers `METHOD /path` as scripted; it closes with the test. */
export async function scripted(script: Record<string, Said | ((asked: Asked) => Said | Promise<Said>)>) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://scripted');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    asked.push(`${request.method} ${request.url}`);
    const answer = script[`${request.method} ${url.pathname}`] ?? problem(404, 'not_found', 'There is none.');
    const text = Buffer.concat(chunks).toString('utf8');
    const said =
      typeof answer === 'function' ? await answer({ url, headers: request.headers, text }) : answer;
    const html = typeof said.body === 'string';
    response.writeHead(said.status ?? 200, {
      'content-type': html ? 'text/html' : 'application/json',
      ...said.headers,
    });
    response.end(html ? said.body : said.body === undefined ? '' : JSON.stringify(said.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked } satisfies Scripted;
}

/** An error answer of the API. */
export function problem(status: number, code: string, detail: string, more: object = {}): Said {
  return { status, body: { type: 'about:blank', title: code, status, code, detail, ...more } };
}

/** A folder that goes away with the test, with the given files in it. */
export async function folderWith(files: Record<string, string> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-gateway-cli-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, name), text, { mode: 0o600 });
  return folder;
}

/** The circumstances of a command run that differ from: no terminal, no token, an empty world. */
export interface Circumstances {
  registry?: Scripted;
  env?: Record<string, string>;
  cwd?: string;
  stdin?: string;
  /** Whether a person sits there: standard input and output are terminals. */
  tty?: boolean;
  columns?: number;
  world?: Partial<World>;
  /** Time of its own, and when it is interrupted. */
  terminal?: Partial<Terminal>;
}

/** Runs one command line in this process against a scripted registry and tells what came of it. */
export async function cli(argv: string[], circumstances: Circumstances = {}) {
  const {
    registry,
    env = {},
    cwd = tmpdir(),
    stdin = '',
    tty = false,
    columns,
    world = {},
    terminal = {},
  } = circumstances;
  const said = { out: '', err: '' };
  const sink = (stream: 'out' | 'err') => ({
    write(text: string) {
      said[stream] += text;
    },
    isTTY: tty,
    ...(columns === undefined ? {} : { columns }),
  });
  const code = await main(
    argv,
    {
      startServer: () => Promise.reject(new Error('no server in this test')),
      runDoctor: () => Promise.reject(new Error('no doctor in this test')),
      rotateSecrets: () => Promise.reject(new Error('no database in this test')),
      migrateDatabase: () => Promise.reject(new Error('no database in this test')),
      moveDatabase: () => Promise.reject(new Error('no database in this test')),
      backupDatabase: () => Promise.reject(new Error('no database in this test')),
      restoreDatabase: () => Promise.reject(new Error('no database in this test')),
      runSetup: () => Promise.reject(new Error('no setup in this test')),
      recordEntra: () => Promise.reject(new Error('no tenant in this test')),
      compareEmulator: () => Promise.reject(new Error('no emulator in this test')),
      runEmulator: () => Promise.reject(new Error('no emulator in this test')),
      ...world,
    },
    {
      stdout: sink('out'),
      stderr: sink('err'),
      stdin: Object.assign(chunksOf(stdin), { isTTY: tty }),
      // No sign-in of whoever runs the tests: a folder of the settings that nobody has.
      env: {
        XDG_CONFIG_HOME: join(cwd, '.nobody'),
        ...(registry ? { REGISTRY_URL: registry.url, MCP_GATEWAY_TOKEN: 'a.test.token' } : {}),
        ...env,
      },
      cwd,
      clock: systemClock,
      untilInterrupted,
      openUrl: () => undefined,
      ...terminal,
    },
  );
  return { code, ...said };
}

async function* chunksOf(text: string): AsyncGenerator<string> {
  yield text;
}

/** A registered server; change what matters. */
export function aServer(parts: Partial<ServerInFull> = {}): ServerInFull {
  return {
    id: '1',
    server_name: 'Current time',
    path: '/currenttime',
    proxy_pass_url: 'http://127.0.0.1:8101/mcp',
    description: 'Tells the time',
    tags: ['time'],
    license: 'Apache-2.0',
    supported_transports: ['streamable-http'],
    mcp_endpoint: null,
    sse_endpoint: null,
    version: null,
    forward_authorization: false,
    pass_headers: [],
    egress_auth_mode: 'none',
    call_timeout_seconds: null,
    auth_scheme: 'none',
    auth_header_name: null,
    custom_header_names: [],
    credential_updated_at: null,
    metadata: {},
    category: null,
    is_enabled: true,
    endpoint_url: 'http://localhost:8080/currenttime/mcp',
    num_tools: 2,
    health_status: 'healthy',
    health_reason: null,
    health_detail: null,
    last_checked_iso: '2026-01-02T03:04:05.000Z',
    mcp_server_version: '1.0.0',
    mcp_protocol_version: '2026-07-28',
    registered_by: 'alice',
    registered_at: '2026-01-02T03:04:05.000Z',
    updated_at: '2026-01-02T03:04:05.000Z',
    revision: 1,
    can: { modify: true, toggle: true, delete: true, health_check: true },
    ...parts,
  };
}

/** A page of the list of servers. */
export function aPage(servers: Server[], parts: object = {}): Said {
  return {
    body: {
      servers,
      total_count: servers.length,
      limit: 20,
      offset: 0,
      has_next: false,
      can_register: true,
      ...parts,
    },
  };
}
