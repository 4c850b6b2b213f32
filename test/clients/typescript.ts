import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  auth as authV2,
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Connect, Driver, OpenBrowser } from './driver.ts';
import { bareEnvironment, programOf } from './pinned.ts';

const info = { name: 'typescript', version: '1' };

/** What both generations of the SDK's client can do alike. */
type AnyClient = Pick<ClientV1, 'listTools' | 'listPrompts' | 'listResources' | 'callTool' | 'close'>;

/** A TypeScript SDK of this repository's own dependencies. */
export function typescriptDriver(generation: 1 | 2, browser: OpenBrowser): Driver {
  const program = newProgram(browser);
  let finish = async (_code: string, _iss: string): Promise<unknown> => undefined;
  const open = async ({ url, era, transport, token, signIn }: Connect): Promise<AnyClient> => {
    const requestInit = { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } };
    const asked = { requestInit, ...(signIn ? { authProvider: program.provider } : {}) };
    if (generation === 1) {
      const client = new ClientV1(info);
      const Transport = transport === 'sse' ? SSEClientTransport : TransportV1;
      const way = new Transport(new URL(url), asked);
      finish = (code) => way.finishAuth(code);
      await client.connect(way as never);
      return client;
    }
    const mode = era === '2026-07-28' ? { pin: era } : ('legacy' as const);
    const client = new ClientV2(info, { versionNegotiation: { mode } });
    finish = (authorizationCode, iss) =>
      authV2(program.provider, { serverUrl: new URL(url), authorizationCode, iss });
    await client.connect(new TransportV2(new URL(url), asked));
    return client as unknown as AnyClient;
  };
  /** What a program does when it is told that somebody has to sign in: it lets them, and tries once more. */
  const signingIn = async <T>(attempt: () => Promise<T>): Promise<T> => {
    try {
      return await attempt();
    } catch (error) {
      const returned = await program.returned();
      if (!returned) throw error;
      await finish(returned.get('code') ?? '', returned.get('iss') ?? '');
      program.done();
      return await attempt();
    }
  };
  const driver = driverOf(open);
  return {
    ...driver,
    connect: (how) => signingIn(() => driver.connect(how)),
    list: () => signingIn(() => driver.list()),
    call: (name, args) => signingIn(() => driver.call(name, args)),
    age: async () => program.age(),
  };
}

/** What a program keeps of its sign-in, and its way to a browser. */
function newProgram(browser: OpenBrowser) {
  const kept: { client?: unknown; tokens?: { access_token: string }; verifier: string } = { verifier: '' };
  /** The sign-in that is under way: SDK 1 begins one for each request that is refused, its stream's among them. */
  let underWay: { verifier: string; returned: Promise<URL> } | undefined;
  const redirectUrl = 'http://127.0.0.1:51234/callback';
  const provider = {
    redirectUrl,
    clientMetadata: {
      client_name: 'TypeScript SDK',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => kept.client as never,
    saveClientInformation(client: unknown) {
      kept.client = client;
    },
    tokens: () => kept.tokens as never,
    saveTokens(tokens: { access_token: string }) {
      kept.tokens = tokens;
    },
    saveCodeVerifier(verifier: string) {
      kept.verifier = verifier;
    },
    codeVerifier: () => underWay?.verifier ?? '',
    async redirectToAuthorization(url: URL) {
      underWay ??= { verifier: kept.verifier, returned: browser(url.href) };
      await underWay.returned;
    },
    invalidateCredentials(scope: string) {
      if (scope === 'all' || scope === 'client') delete kept.client;
      if (scope !== 'client') delete kept.tokens;
    },
  };
  return {
    provider,
    returned: async (): Promise<URLSearchParams | undefined> => (await underWay?.returned)?.searchParams,
    done(): void {
      underWay = undefined;
    },
    /** The access token is one that is over. */
    age(): void {
      if (kept.tokens) kept.tokens = { ...kept.tokens, access_token: 'over' };
    },
  };
}

/** mcp-remote: a program that speaks MCP on its standard streams and passes it on. */
export function mcpRemoteDriver(environment: Record<string, string>): Driver {
  const home = mkdtempSync(join(tmpdir(), 'client-home-'));
  const driver = driverOf(async ({ url, era, transport, token }) => {
    const client = new ClientV1(info);
    const protocol = era === '2026-07-28' ? ['--protocol', era] : [];
    const way = ['--transport', transport === 'sse' ? 'sse-only' : 'http-only', '--allow-http', ...protocol];
    const header = token === undefined ? [] : ['--header', `Authorization:Bearer ${token}`];
    const stdio = new StdioClientTransport({
      ...{ command: programOf('mcp-remote'), args: [url, ...way, ...header], stderr: 'pipe' },
      env: { ...bareEnvironment(home), ...environment },
    });
    let said = '';
    stdio.stderr?.on('data', (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-3000);
    });
    await client.connect(stdio).catch((error: Error) => {
      throw new Error(`${error.message}: ${said}`);
    });
    return client;
  });
  return {
    ...driver,
    /** It reads its file at each request. */
    async age() {
      for (const file of globSync('.mcp-auth/**/*_tokens.json', { cwd: home })) {
        const path = join(home, file);
        const tokens = JSON.parse(readFileSync(path, 'utf8')) as object;
        writeFileSync(path, JSON.stringify({ ...tokens, access_token: 'over' }));
      }
    },
    async end() {
      await driver.end();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function driverOf(open: (how: Connect) => Promise<AnyClient>): Driver {
  let client: AnyClient | undefined;
  const connected = (): AnyClient => {
    if (!client) throw new Error('not connected');
    return client;
  };
  const close = async () => client?.close();
  return {
    async connect(how) {
      client = await open(how);
    },
    async list() {
      const [{ tools }, { prompts }, { resources }] = [
        await connected().listTools(),
        await connected().listPrompts(),
        await connected().listResources(),
      ];
      return {
        tools: tools.map(({ name }) => name),
        prompts: prompts.map(({ name }) => name),
        resources: resources.map(({ uri }) => uri),
      };
    },
    async call(name, args = {}) {
      const { content } = await connected().callTool({ name, arguments: { ...args } });
      return (content as { text?: string }[]).map(({ text = '' }) => text).join(' ');
    },
    age: async () => undefined,
    close,
    end: close,
  };
}
