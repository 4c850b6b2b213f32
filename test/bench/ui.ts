import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { launchBrowser, signIn } from '../browser.ts';
import { startGateway, type TestGateway } from '../harness.ts';
import { agentToken } from '../sign-in.ts';
import { median } from './report.ts';
import { filterDelays, filterTools } from './ui-filter.ts';
import { hourIn } from './ui-hour.ts';
import { firstLoad, type Loaded } from './ui-load.ts';

/*
 * `npm run bench:ui`: the built pages in Chromium with many servers registered: first load, delays while filtering, script
 * transferred, and the heap over an hour of use. It asserts nothing: it is a report.
 */

const { values: options } = parseArgs({
  options: {
    servers: { type: 'string', default: '1000' },
    loads: { type: 'string', default: '7' },
    rounds: { type: 'string', default: '30' },
  },
});

/** What is told of the first loads: the middle one, the quickest and the slowest. */
const times = [
  ['paint', 'first paint, nothing cached'],
  ['interactive', 'the first servers are there and the page takes events'],
  ['shown', 'they are on the screen'],
  ['longestTask', 'longest task of the main thread'],
] as const;

async function report(chromium: Browser, { url, emulatorUrl }: TestGateway): Promise<void> {
  const servers = Number(options.servers);
  const token = await agentToken(emulatorUrl, shippedTenant.agents.admin);
  await registerServers(url, token, servers);
  const context = await chromium.newContext();
  await signIn(await context.newPage(), url, 'alice');
  const state = await context.storageState();
  await context.close();
  const load = loadavg()[0]?.toFixed(1);
  console.log(`Chromium ${chromium.version()}, ${servers} servers, load of the machine ${load}\n`);
  console.log(['| what | |', '|---|--:|'].join('\n'));
  const tell = (what: string, value: string): void => console.log(`| ${what} | ${value} |`);

  const loads: Loaded[] = [];
  for (let at = 0; at < Number(options.loads); at++)
    loads.push(await firstLoad(chromium, { state, url: `${url}/servers` }));
  for (const [name, what] of times) {
    const values = loads.map((one) => one[name]);
    const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(0));
    tell(`first load: ${what}`, `${median(values).toFixed(0)} ms (${least} to ${most})`);
  }
  tell('script of the first load, gzip', `${((loads[0]?.gzip ?? 0) / 1000).toFixed(1)} KB`);
  const list = await fetch(`${url}/api/servers?limit=200`, { headers: { authorization: `Bearer ${token}` } });
  tell('the list of 200 servers, gzip', `${(gzipSync(await list.text()).length / 1000).toFixed(1)} KB`);
  const slowest = (delays: number[]): string =>
    `${Math.max(0, ...delays)} ms; ${delays.filter((ms) => ms > 50).length} of ${delays.length} over 50 ms`;
  for (const view of ['table', 'cards']) {
    const delays = await filterDelays(chromium, state, `${url}/servers?view=${view}`);
    tell(`filtering as ${view}: slowest interaction`, slowest(delays));
  }
  const tools = await filterDelays(chromium, state, `${url}/servers/many?tab=tools`, filterTools);
  tell('filtering 10,000 tools of a server: slowest interaction', slowest(tools));
  const hour = await hourIn(chromium, {
    state,
    url: `${url}/servers`,
    rounds: Number(options.rounds),
    servers,
  });
  for (const [at, { heap, nodes, listeners }] of hour.entries())
    if (at === 0 || at === hour.length - 1 || at === Math.floor(hour.length / 2))
      tell(
        `an hour, round ${at + 1} of ${hour.length}`,
        `${heap.toFixed(1)} MB, ${nodes} nodes, ${listeners} listeners`,
      );
}

/** An MCP server whose address says how many tools it has: `/10/mcp`. */
function startUpstream(): Promise<Server> {
  const upstream = createServer(async (req, res) => {
    let text = '';
    for await (const chunk of req) text += chunk;
    const { id, method } = JSON.parse(text || '{}') as { id?: number; method?: string };
    if (id === undefined) return res.writeHead(req.method === 'POST' ? 202 : 405).end();
    const tools = Array.from({ length: Number(req.url?.split('/')[1]) }, (_, at) => ({
      ...{ name: `tool-${at}`, description: `Does what tool number ${at} is there for, in a sentence.` },
      inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
    }));
    const results: Record<string, unknown> = {
      initialize: {
        ...{ protocolVersion: '2025-06-18', capabilities: { tools: {} } },
        serverInfo: { name: 'bench', version: '1' },
      },
      'tools/list': { tools },
    };
    res.writeHead(200, { 'content-type': 'application/json' });
    return res.end(JSON.stringify({ jsonrpc: '2.0', id, result: results[method ?? ''] ?? {} }));
  });
  return new Promise((resolve) => upstream.listen(0, '127.0.0.1', () => resolve(upstream)));
}

/** Registers servers that are switched on and have ten tools each, and one with ten thousand. */
async function registerServers(url: string, token: string, count: number): Promise<void> {
  const { port } = upstream.address() as AddressInfo;
  const register = async (body: object) => {
    const answer = await fetch(`${url}/api/servers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, is_enabled: true }),
    });
    if (answer.status !== 201) throw new Error(await answer.text());
    await answer.body?.cancel();
  };
  for (let at = 0; at < count; at++)
    await register({
      server_name: `Server ${at}`,
      path: `/team-${at % 7}/server-${at}`,
      proxy_pass_url: `http://127.0.0.1:${port}/10/mcp`,
      description: `What server ${at} of team ${at % 7} is for, in a sentence of a usual length for a catalogue.`,
      tags: [`team-${at % 7}`, at % 3 === 0 ? 'search' : 'files'],
    });
  await register({
    server_name: 'Many',
    path: '/many',
    proxy_pass_url: `http://127.0.0.1:${port}/10000/mcp`,
  });
}

const [upstream, browser, gateway] = await Promise.all([
  startUpstream(),
  launchBrowser(),
  startGateway({ environment: { LOG_LEVEL: 'warn' } }),
]);
try {
  await report(browser, gateway);
} finally {
  await browser.close();
  await gateway.close();
  upstream.close();
}
