import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { freePort } from '../harness.ts';
import { startModel } from './model.ts';
import { programOf } from './pinned.ts';
import { newHome } from './program.ts';
import { claudeEnvironment } from './programs.ts';
import { startBrowser, whyAbsent } from './stage.ts';

test.skipIf(whyAbsent('claude'))(
  'somebody who has never seen the gateway: npm start, claude mcp add with an address, and a sign-in',
  async () => {
    const began = performance.now();
    const url = await npmStart();
    const serves = performance.now();
    const browser = await startBrowser(shippedTenant.accounts.admin.userPrincipalName);
    const model = await startModel();
    const home = newHome({ ...browser.environment, ...claudeEnvironment(model) });
    onTestFinished(async () => {
      home.remove();
      model.close();
      await browser.close();
    });
    const claude = programOf('claude');
    const begun = performance.now();
    await home.run(claude, [...['mcp', 'add', '--transport', 'http', 'everything', `${url}/everything/mcp`]]);
    await home.run(claude, ['mcp', 'login', 'everything'], { inTerminal: true });
    const { results } = await model.converse([{ tool: 'echo', args: { message: 'hello' } }], () =>
      home.run(claude, ['-p', 'Call it.', '--output-format', 'json', '--allowedTools', 'mcp__everything']),
    );
    const ended = performance.now();
    expect(results).toEqual([expect.stringMatching(/hello/)]);
    expect(browser.opened).toHaveLength(1);
    const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1);
    console.log(
      `the newcomer: ${seconds(began, serves)} s until the gateway serves, ${seconds(begun, ended)} s from claude mcp add to the result of a tool`,
    );
  },
);

/** What the first page of the documentation says, in a data directory of its own; resolves with the address it prints. */
async function npmStart(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'newcomer-'));
  const [port, emulatorPort] = [await freePort(), await freePort()];
  const child = spawn('npm', ['start'], {
    env: {
      ...{ PATH: process.env.PATH, HOME: dataDir, DATA_DIR: dataDir },
      ...{ PORT: String(port), ENTRA_EMULATOR_PORT: String(emulatorPort) },
    },
    ...{ stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
    await exited;
    rmSync(dataDir, { recursive: true, force: true });
  });
  let printed = '';
  return new Promise((done, fail) => {
    const read = (chunk: Buffer): void => {
      printed += chunk;
      const url = /Open\s+(http:\S+)/.exec(printed)?.[1];
      if (url && printed.includes('Stop with Ctrl-C')) done(url);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', () => fail(new Error(`npm start ended: ${printed}`)));
  });
}
