import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { launchBrowser, signIn } from '../browser.ts';
import { startGateway, type TestGateway } from '../harness.ts';
import { agentToken } from '../sign-in.ts';
import { median } from './report.ts';
import { filterDelays } from './ui-filter.ts';
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
  ['complete', 'every server is in the list'],
  ['longestTask', 'longest task of the main thread'],
] as const;

async function report(chromium: Browser, { url, emulatorUrl }: TestGateway): Promise<void> {
  const servers = Number(options.servers);
  await registerServers(url, await agentToken(emulatorUrl, shippedTenant.agents.admin), servers);
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
    loads.push(await firstLoad(chromium, { state, url, servers }));
  for (const [name, what] of times) {
    const values = loads.map((one) => one[name]);
    const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(0));
    tell(`first load: ${what}`, `${median(values).toFixed(0)} ms (${least} to ${most})`);
  }
  tell('script of the first load, gzip', `${((loads[0]?.gzip ?? 0) / 1000).toFixed(1)} KB`);
  for (const view of ['table', 'cards']) {
    const delays = await filterDelays(chromium, state, `${url}/servers?view=${view}`);
    const told = `${Math.max(0, ...delays)} ms; ${delays.filter((ms) => ms > 200).length} of ${delays.length} over 200 ms`;
    tell(`filtering as ${view}: slowest interaction`, told);
  }
  const hour = await hourIn(chromium, { state, url, rounds: Number(options.rounds), servers });
  for (const [at, { heap, nodes, listeners }] of hour.entries())
    if (at === 0 || at === hour.length - 1 || at === Math.floor(hour.length / 2))
      tell(
        `an hour, round ${at + 1} of ${hour.length}`,
        `${heap.toFixed(1)} MB, ${nodes} nodes, ${listeners} listeners`,
      );
}

/** Registers servers that are switched off, so that nothing is looked at meanwhile. */
async function registerServers(url: string, token: string, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const answer = await fetch(`${url}/api/servers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        server_name: `Server ${at}`,
        path: `/team-${at % 7}/server-${at}`,
        proxy_pass_url: `http://127.0.0.1:9/${at}/mcp`,
        description: `What server ${at} of team ${at % 7} is for, in a sentence of a usual length for a catalogue.`,
        tags: [`team-${at % 7}`, at % 3 === 0 ? 'search' : 'files'],
      }),
    });
    if (answer.status !== 201) throw new Error(await answer.text());
    await answer.body?.cancel();
  }
}

const [browser, gateway] = await Promise.all([
  launchBrowser(),
  startGateway({ environment: { LOG_LEVEL: 'warn' } }),
]);
try {
  await report(browser, gateway);
} finally {
  await browser.close();
  await gateway.close();
}
