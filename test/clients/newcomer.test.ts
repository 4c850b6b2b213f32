import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { freePort } from '../harness.ts';
import { startModel } from './model.ts';
import { programOf } from './pinned.ts';
import { type Home, newHome } from './program.ts';
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
      await home.remove();
      model.close();
      await browser.close();
    });
    knowsTheirProgram(home);
    const claude = programOf('claude');

    const begun = performance.now();
    await home.run(claude, [...['mcp', 'add', '--transport', 'http', 'everything', `${url}/everything/mcp`]]);
    // The same session throughout, as a person has it: no command but that one.
    const session = home.terminal(claude, ['--allowedTools', 'mcp__everything']);
    await session.shows(/needs authentication/);
    const say = async (line: string): Promise<void> => {
      const said = model.said();
      await session.enter(line);
      await said;
    };
    const asked = await model.converse([{ tool: 'authenticate' }], () => say('Use the everything server'));
    const link =
      /http:\/\/localhost:\d+\/oauth\/authorize\?[^\s"\\]+/.exec(asked.results[0] ?? '')?.[0] ?? '';
    await browser.complete(link);
    const signedIn = performance.now();
    for (let attempt = 0; attempt < 20 && !model.isOffered('echo'); attempt += 1) await say('I am signed in');
    const { results } = await model.converse([{ tool: 'echo', args: { message: 'hello' } }], () =>
      say('Say hello'),
    );
    const ended = performance.now();
    expect(results).toEqual([expect.stringMatching(/hello/)]);
    expect(browser.opened).toEqual([link]);
    const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1);
    console.log(
      `the newcomer: ${seconds(began, serves)} s until the gateway serves, ${seconds(begun, signedIn)} s from claude mcp add to signed in, ${seconds(signedIn, ended)} s more to the result of a tool`,
    );
  },
);

/** Somebody who has worked with Claude Code before: its first questions (colors, the key, the folder) are behind them. */
function knowsTheirProgram(home: Home): void {
  const config = {
    ...{ hasCompletedOnboarding: true, theme: 'dark' },
    customApiKeyResponses: { approved: ['none'], rejected: [] },
    projects: { [home.folder]: { hasTrustDialogAccepted: true } },
  };
  writeFileSync(join(home.folder, '.claude.json'), JSON.stringify(config));
}

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
