import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { BrowserContext, Request } from 'playwright-core';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { launchBrowser } from '../browser.ts';
import { startTarget, type Target } from '../conformance/target.ts';
import { freePort, startGateway } from '../harness.ts';
import { agentToken, askAsAdmin, mintToken, signIn } from '../sign-in.ts';
import type { Key } from './pinned.ts';

/** Who signs in: a person who may call one tool of the target and nothing else. */
export const person = shippedTenant.accounts.user.userPrincipalName;

/** What a narrow scope allows and refuses on each server. */
export const narrow = {
  target: { may: 'test_simple_text', mayNot: 'test_error_handling' },
  oldest: { may: 'echo', mayNot: 'get-sum' },
} as const;

/** A gateway with two servers behind it, and somebody at the browser. */
export type Stage = Awaited<ReturnType<typeof startStage>>;

/**
 * Starts an evaluation gateway with the conformance target (both protocol eras) at `/target` and server-everything over
 * HTTP+SSE at `/oldest`.
 */
export async function startStage() {
  const [port, targetPort] = [await freePort(), await freePort()];
  const oldest = await startOldest(port);
  const heard = new Set<string>();
  const startOne = () => startTarget({ port: targetPort, heard: (revision) => heard.add(revision) });
  const [gateway, firstTarget] = await Promise.all([startGateway(), startOne()]);
  let target: Target = firstTarget;
  const ask = await askAsAdmin(gateway);
  const post = async (path: string, body: object): Promise<void> => {
    const answer = await ask(path, body);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };
  const register = (name: string, proxy_pass_url: string, more: object = {}) =>
    post('/api/servers', {
      ...{ server_name: name, path: `/${name}`, proxy_pass_url, is_enabled: true, ...more },
    });
  await register('target', target.url);
  await register('oldest', `http://127.0.0.1:${port}/sse`, { supported_transports: ['sse'] });
  /** Lets the person use one tool of each server, or also the one that a narrow scope refuses. */
  const allowTools = async (which: 'narrow' | 'both'): Promise<void> =>
    await post('/api/servers/groups/import', {
      scope_name: 'narrow',
      server_access: Object.entries(narrow).map(([server, { may, mayNot }]) => ({
        ...{ server, methods: ['initialize', 'tools/list', 'tools/call'] },
        tools: which === 'both' ? [may, mayNot] : [may],
      })),
      group_mappings: [shippedTenant.groups.users],
    });
  await allowTools('narrow');
  const bob = await signIn(gateway.url, person);
  const browser = await startBrowser();
  return {
    gateway,
    browser,
    allowTools,
    post,
    register,
    /** The protocol revisions of the calls that the target has had since this was asked. */
    heard(): string[] {
      const all = [...heard];
      heard.clear();
      return all;
    },
    urlOf: (server: 'target' | 'oldest' | 'virtual/six') =>
      `${gateway.url}/${server}/${server === 'oldest' ? 'sse' : 'mcp'}`,
    direct: { target: firstTarget.url, oldest: `http://127.0.0.1:${port}/sse` },
    tokens: {
      full: await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin),
      narrow: (await mintToken(gateway.url, bob, { requested_scopes: ['narrow'] })).token,
    },
    /** Ends the target and starts it anew at its address: its sessions are gone. */
    async restartTarget(): Promise<void> {
      await target.close();
      target = await startOne();
    },
    /** Ends every grant that the person has given to programs. */
    async endGrants(): Promise<number> {
      const headers = { cookie: bob.cookie, 'x-csrf-token': bob.csrf };
      const list = await fetch(`${gateway.url}/api/connected-clients`, { headers });
      const { connected_clients } = (await list.json()) as { connected_clients: { id: string }[] };
      for (const { id } of connected_clients)
        await fetch(`${gateway.url}/api/connected-clients/${id}`, { method: 'DELETE', headers });
      return connected_clients.length;
    },
    async close(): Promise<void> {
      oldest.kill('SIGKILL');
      await Promise.all([browser.close(), gateway.close(), target.close()]);
    },
  };
}

/** Opens where a sign-in leads. FastMCP opens its browser first and listens then, and no person is as quick as this one. */
async function reach(redirect: URL): Promise<unknown> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await fetch(redirect);
    } catch (error) {
      if (attempt === 300) throw error;
      await setTimeout(100);
    }
}

/** Why a client cannot be tried here; undefined when it can. */
export function whyAbsent(key: Key): string | undefined {
  return (JSON.parse(process.env.CLIENTS_ABSENT ?? '{}') as Record<string, string>)[key];
}

async function startOldest(port: number): Promise<ChildProcess> {
  const script = resolve('node_modules/@modelcontextprotocol/server-everything/dist/index.js');
  const child = spawn(process.execPath, [script, 'sse'], {
    env: { PATH: process.env.PATH, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise<void>((ready, fail) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      if (/running on port/i.test(chunk.toString())) ready();
    });
    child.once('exit', (code) => fail(new Error(`server-everything ended with ${code}`)));
  });
  return child;
}

/**
 * The person's browser. Programs that open one find a command of its names that brings the URL here; the sign-in is done
 * in Chromium, which also goes where it leads: to where such a program listens.
 */
export async function startBrowser(as = person) {
  const opened: string[] = [];
  const failures: string[] = [];
  const underWay = new Set<Promise<unknown>>();
  const chromium = await launchBrowser();
  /** Signs in and allows what is asked for; resolves with the client's redirect and what it carries. */
  const open = async (url: string): Promise<URL> => {
    opened.push(url);
    const { request, context } = await allow(await chromium.newContext(), url, as);
    await context.close();
    return new URL(request.url());
  };
  /** The same for a program that listens: resolves once it has what the sign-in leads to. */
  const complete = async (url: string): Promise<void> => {
    opened.push(url);
    const { request, context } = await allow(await chromium.newContext(), url, as);
    const response = await request.response();
    if (!response) await reach(new URL(request.url()));
    await context.close();
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost').searchParams.get('url') ?? '';
    response.end();
    const signIn = complete(url).catch((error: unknown) => failures.push(`${url}: ${error}`));
    underWay.add(signIn);
    signIn.finally(() => underWay.delete(signIn));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const folder = mkdtempSync(join(tmpdir(), 'client-browser-'));
  const script = `#!${process.execPath}\nfetch('http://127.0.0.1:${port}/?url=' + encodeURIComponent(process.argv.slice(2).find((one) => one.startsWith('http'))));\n`;
  for (const name of ['xdg-open', 'open', 'www-browser', 'sensible-browser', 'x-www-browser']) {
    writeFileSync(join(folder, name), script);
    chmodSync(join(folder, name), 0o755);
  }
  return {
    opened,
    failures,
    open,
    complete,
    /** Resolves once no sign-in of a program is under way. */
    async idle(): Promise<void> {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    // With no DISPLAY, or xdg-open would look for a browser that a desktop has.
    environment: {
      BROWSER: join(folder, 'x-www-browser'),
      PATH: [folder, dirname(process.execPath), process.env.PATH ?? ''].join(delimiter),
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await chromium.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What the person does with the pages: allows the program, and signs in. */
async function allow(
  context: BrowserContext,
  url: string,
  as: string,
): Promise<{ request: Request; context: BrowserContext }> {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const redirect = new URL(url).searchParams.get('redirect_uri') ?? 'no redirect';
  const returned = page.waitForRequest((request) => request.url().startsWith(redirect));
  await page.goto(url);
  await page.locator('button[value^="allow"]').click();
  await page.getByRole('button', { name: as }).click();
  return { request: await returned, context };
}
