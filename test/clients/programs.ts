import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { freePort } from '../harness.ts';
import type { Era } from './driver.ts';
import type { Heard, Step, startModel } from './model.ts';
import { type Key, programOf } from './pinned.ts';
import { type Home, newHome } from './program.ts';
import type { Stage } from './stage.ts';

/** A server as a program is given it. */
export interface Given {
  readonly url: string;
  readonly transport: 'http' | 'sse';
  readonly era: Era;
  /** Without one, the program has to sign in. */
  readonly token?: string;
}

/** A program that people work with, in a home of its own. */
export interface Program {
  /** Has it know a server, by the command or the file that its users are told of. */
  add(server: Given): Promise<void>;
  /** Signs in: a person runs this, and does the rest in the browser. */
  signIn?(): Promise<void>;
  /** One session of the program: the steps as its model or its user does them. */
  converse(steps: readonly Step[]): Promise<Heard>;
  /** Lets the access token that it keeps be over. */
  age?(): void;
  end(): void;
}

type Model = Awaited<ReturnType<typeof startModel>>;

/** How to start each program that is tried. */
export const programs = {
  claudeOlder: claude('claudeOlder'),
  claude: claude('claude'),
  codex,
  gemini,
  inspector,
  mcporter,
  agents,
} satisfies Partial<Record<Key, (stage: Stage, model: Model) => Program>>;

/** A program that is tried, and how. */
interface Tried {
  readonly key: keyof typeof programs;
  /** The revisions that it speaks where the server speaks both. */
  readonly eras: readonly Era[];
  readonly sse?: boolean;
  /** It can do no sign-in that a test could run. */
  readonly signsIn?: boolean;
}

const [before, now] = ['2025-11-25', '2026-07-28'] as const;

/** Every program that is tried. */
export const tried: readonly Tried[] = [
  { key: 'claudeOlder', eras: [before], sse: true },
  { key: 'claude', eras: [now], sse: true },
  { key: 'codex', eras: [before] },
  { key: 'gemini', eras: [before], sse: true },
  { key: 'inspector', eras: [before, now], sse: true },
  { key: 'mcporter', eras: [before], sse: true },
  { key: 'agents', eras: [now], sse: true, signsIn: false },
];

/** Claude Code with that model, which is told of all tools at once, and not before all servers are connected. */
export function claudeEnvironment(model: Model): Record<string, string> {
  return {
    ...{ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'none', ENABLE_TOOL_SEARCH: 'false' },
    ...{ MCP_CONNECTION_NONBLOCKING: 'false', MCP_CONNECT_TIMEOUT_MS: '60000', MCP_TIMEOUT: '60000' },
  };
}

function claude(key: Key) {
  return (stage: Stage, model: Model): Program => {
    const home = newHome({ ...stage.browser.environment, ...claudeEnvironment(model) });
    const command = programOf(key);
    return {
      async add({ url, transport, token }) {
        const header = token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`];
        await home.run(command, ['mcp', 'add', '--transport', transport, 'target', url, ...header]);
      },
      signIn: async () => void (await home.run(command, ['mcp', 'login', 'target'], { inTerminal: true })),
      converse: (steps) =>
        model.converse(steps, () =>
          home.run(command, ['-p', 'Call them.', '--output-format', 'json', '--allowedTools', 'mcp__target']),
        ),
      age: () => edit(home, '.claude/.credentials.json', { accessToken: 'over', expiresAt: 1 }),
      end: home.remove,
    };
  };
}

function codex(stage: Stage, model: Model): Program {
  const home = newHome(stage.browser.environment);
  const command = programOf('codex');
  return {
    async add({ url, token }) {
      const header = token === undefined ? '' : `http_headers = { Authorization = "Bearer ${token}" }\n`;
      write(
        home,
        '.codex/config.toml',
        `model = "fake"
model_provider = "loopback"
mcp_oauth_credentials_store = "file"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.loopback]
name = "loopback"
base_url = "${model.url}/v1"
wire_api = "responses"
[mcp_servers.target]
url = "${url}"
startup_timeout_sec = 60
${header}`,
      );
    },
    signIn: async () => void (await home.run(command, ['mcp', 'login', 'target'])),
    converse: (steps) =>
      model.converse(steps, () =>
        home.run(command, [
          ...['exec', '--skip-git-repo-check', '--json', '--dangerously-bypass-approvals-and-sandbox'],
          'Call them.',
        ]),
      ),
    age: () => edit(home, '.codex/.credentials.json', { access_token: 'over', expires_at: 1 }),
    end: home.remove,
  };
}

function gemini(stage: Stage, model: Model): Program {
  const home = newHome({
    ...{ ...stage.browser.environment, GEMINI_API_KEY: 'none', GOOGLE_GEMINI_BASE_URL: model.url },
  });
  const command = programOf('gemini');
  return {
    async add({ url, transport, token }) {
      const headers = token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } };
      write(
        home,
        '.gemini/settings.json',
        JSON.stringify({
          mcpServers: { target: { [transport === 'sse' ? 'url' : 'httpUrl']: url, trust: true, ...headers } },
          privacy: { usageStatisticsEnabled: false },
          telemetry: { enabled: false },
          general: { disableAutoUpdate: true, disableUpdateNag: true, enableAutoUpdate: false },
          security: { auth: { selectedType: 'gemini-api-key' }, folderTrust: { enabled: false } },
        }),
      );
    },
    async signIn() {
      const screen = home.terminal(command, ['--skip-trust', '-m', 'gemini-2.5-pro']);
      await screen.shows(/1 MCP server.*Type your message/);
      // It takes a command for a prompt until it knows its commands, and Enter for the first of what it offers.
      screen.type('/mcp ');
      await screen.shows(/Authenticate/);
      screen.type('auth ');
      await screen.shows(/auth target|[^/] target/);
      await screen.enter('target');
      await screen.shows(/Successfully (authenticated|reloaded)/i, '\r');
      await stage.browser.idle();
      await screen.end();
    },
    age: () => edit(home, '.gemini/mcp-oauth-tokens.json', { accessToken: 'over', expiresAt: 1 }),
    converse: (steps) =>
      model.converse(steps, () =>
        home.run(command, ['--skip-trust', '-y', '-p', 'Call them.', '-o', 'json', '-m', 'gemini-2.5-pro']),
      ),
    end: home.remove,
  };
}

/** Each call is a session of its own, which lists the tools before. */
function inspector(stage: Stage): Program {
  const home = newHome({
    ...{ ...stage.browser.environment, MCP_AUTO_OPEN_ENABLED: 'true', MCP_INSPECTOR_SECRET_STORE: 'file' },
  });
  let given: readonly string[] = [];
  const ask = async (...args: string[]): Promise<string> =>
    await home.run(programOf('inspector'), ['--cli', ...given, '--format', 'json', '-q', ...args], {
      mayFail: true,
    });
  return {
    async add({ url, transport, era, token }) {
      const header = token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`];
      const modern = era === '2026-07-28' ? 'modern' : 'legacy';
      const callback = `http://127.0.0.1:${await freePort()}/oauth/callback`;
      given = [
        url,
        '--transport',
        transport,
        '--protocol-era',
        modern,
        '--callback-url',
        callback,
        ...header,
      ];
    },
    signIn: async () => void (await ask('--method', 'tools/list')),
    converse: (steps) =>
      oneByOne(
        steps,
        () => ask('--method', 'tools/list'),
        (tool, args) =>
          ask(
            '--method',
            'tools/call',
            '--tool-name',
            tool,
            ...pairs(args).flatMap((one) => ['--tool-arg', one]),
          ),
      ),
    age: () => edit(home, '.mcp-inspector/secrets.json', { access_token: 'over' }),
    end: home.remove,
  };
}

/** Each call is a session of its own. */
function mcporter(stage: Stage): Program {
  const home = newHome(stage.browser.environment);
  const ask = async (...args: string[]): Promise<string> =>
    await home.run(programOf('mcporter'), args, { mayFail: true });
  return {
    async add({ url, token }) {
      // With a port of every run's own it would register anew each time, and lose how to refresh.
      const oauthRedirectUrl = `http://127.0.0.1:${await freePort()}/callback`;
      const how =
        token === undefined
          ? { auth: 'oauth', oauthRedirectUrl }
          : { headers: { Authorization: `Bearer ${token}` } };
      write(
        home,
        'config/mcporter.json',
        JSON.stringify({ mcpServers: { target: { baseUrl: url, ...how } }, imports: [] }),
      );
    },
    signIn: async () => void (await home.run(programOf('mcporter'), ['auth', 'target'])),
    converse: (steps) =>
      oneByOne(
        steps,
        () => ask('list', 'target', '--json'),
        (tool, args) => ask('call', `target.${tool}`, ...pairs(args)),
      ),
    age: () => edit(home, '.mcporter/credentials.json', { access_token: 'over', expires_at: 1 }),
    end: home.remove,
  };
}

/** A library for programs with a model, in the smallest of them. */
function agents(_: Stage, model: Model): Program {
  const home = newHome({ OPENAI_BASE_URL: `${model.url}/v1`, OPENAI_API_KEY: 'none' });
  let given: Given | undefined;
  return {
    async add(server) {
      given = server;
    },
    converse: (steps) =>
      model.converse(steps, () => {
        const { url = '', transport = 'http', token = '' } = given ?? {};
        const script = resolve('test/clients/drivers/python/agents_main.py');
        return home.run(programOf('agents'), [script, url, transport], { environment: { TOKEN: token } });
      }),
    end: home.remove,
  };
}

/** The steps for a program that does one thing a run. */
async function oneByOne(
  steps: readonly Step[],
  list: () => Promise<string>,
  call: (tool: string, args: NonNullable<Step['args']>) => Promise<string>,
): Promise<Heard> {
  const listed = await list();
  const results = [];
  for (const { tool, args = {}, before } of steps) {
    await before?.();
    results.push(await call(tool, args));
  }
  const offered = [...listed.matchAll(/"name":\s*"([^"]+)"/g)].map(([, name = '']) => name);
  return { offered, results, told: listed };
}

function pairs(args: NonNullable<Step['args']>): string[] {
  return Object.entries(args).map(([name, value]) => `${name}=${value}`);
}

function write(home: Home, path: string, content: string): void {
  const file = join(home.folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** Gives members of a JSON file other values, wherever in it they are, JSON within strings included; a file without them is a failure. */
function edit(home: Home, path: string, values: Readonly<Record<string, unknown>>): void {
  const edited = new Set<string>();
  const change = (json: string): string =>
    JSON.stringify(
      JSON.parse(json, (member, value: unknown) => {
        if (typeof value === 'string' && value.startsWith('{')) return change(value);
        if (!(member in values)) return value;
        edited.add(member);
        return values[member];
      }),
    );
  for (const name of globSync(path, { cwd: home.folder })) {
    const file = join(home.folder, name);
    writeFileSync(file, change(readFileSync(file, 'utf8')));
  }
  if (edited.size === 0) throw new Error(`${path} has none of ${Object.keys(values).join(', ')}`);
}
