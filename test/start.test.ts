import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from './harness.ts';

/**
 * docs/start.md is what a newcomer types from a clone to the first call, and what they see. It is typed here, in a folder that
 * looks like the clone; `UPDATE_DOCS=1 npx vitest run test/start.test.ts` writes the page anew.
 */
const file = 'docs/start.md';
let clone: string;
let port: number;
const ending: (() => void)[] = [];

beforeAll(async () => {
  clone = mkdtempSync(join(tmpdir(), 'start-'));
  for (const name of ['package.json', 'bin', 'src', 'node_modules', 'examples'])
    symlinkSync(resolve(name), join(clone, name));
  port = await freePort();
});
afterAll(() => {
  for (const end of ending) end();
  rmSync(clone, { recursive: true, force: true });
});

/** Types a command, with another port than the one that it shows; returns what is seen, until it ends or says something. */
async function type(command: string, until?: string): Promise<string> {
  const emulatorPort = until ? await freePort() : 0;
  const env = {
    ...{ PATH: process.env.PATH, HOME: clone, DATA_DIR: join(clone, 'data'), PORT: String(port) },
    ...{ REGISTRY_URL: `http://localhost:${port}`, LOG_LEVEL: 'warn', NO_COLOR: '1' },
    ...(until ? { ENTRA_EMULATOR_PORT: String(emulatorPort) } : {}),
  };
  const script = command.replaceAll('localhost:8080', `localhost:${port}`);
  const child = spawn('bash', ['-c', script], { cwd: clone, env, detached: true });
  let seen = '';
  return new Promise((done, fail) => {
    if (until) ending.push(() => child.pid && process.kill(-child.pid, 'SIGTERM'));
    const read = (chunk: Buffer): void => {
      seen += chunk.toString();
      if (until && seen.includes(until)) done(shown(seen));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', fail);
    child.once('close', (code) =>
      code === 0 ? done(shown(seen)) : fail(new Error(`${command} ended with ${code}:\n${seen}`)),
    );
  });
}

/** What is seen, without what differs each time. */
function shown(text: string): string {
  return text
    .replaceAll(`localhost:${port} --registry-url`, 'localhost:8080 --registry-url')
    .replaceAll(` --registry-url http://localhost:${port}`, '')
    .replaceAll(String(port), '8080')
    .replaceAll(join(clone, 'data'), 'data')
    .replace(/^[\s\S]*?(?= {2}MCP Gateway & Registry: EVALUATION)/, '')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, '2026-12-01T18:00:00.000Z')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z]+(\+\d\d:\d\d)?/g, '2026-12-01 11:00:00 GMT+01:00')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();
}

const call = `curl http://localhost:8080/currenttime/mcp \\
  -H "Authorization: Bearer $(npm run -s cli -- token create --raw)" \\
  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\
  -d '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "current_time_by_timezone", "arguments": {"tz_name": "Europe/Berlin"}}}'`;

test('a newcomer gets from a clone to the first call as docs/start.md says', async () => {
  const step = async (command: string, until?: string): Promise<string> =>
    `\`\`\`sh\n${command}\n\`\`\`\n\n\`\`\`text\n${await type(command, until)}\n\`\`\``;
  const page = `# Try it in two minutes

You need Node.js 20 or newer and npm; no Docker, no database, no account anywhere. This page is the transcript of a test, so what you see is what it shows, except for times and
tokens.

## 1. Start

In a clone of the repository:

${await step('npm start', 'Stop with Ctrl-C.')}

The first start installs and builds, which takes a minute. The gateway runs in evaluation mode: it brings an emulated Microsoft Entra ID with demo accounts and two
sample MCP servers. Open the address and sign in as one of the accounts.

## 2. See what is there

In a second terminal. A token for the command line, as the administrator Alice; with a browser, \`auth login\` signs you in instead:

${await step('npm run -s cli -- token create --output .token')}

${await step('npm run -s cli -- server list --token-file .token')}

${await step('npm run -s cli -- server tools /currenttime --token-file .token')}

## 3. Call a tool

With nothing but \`curl\`, to see that there is no magic:

${await step(call.replace('curl ', 'curl -s '))}

And without a token, the gateway says where to sign in:

${await step(`curl -s -o /dev/null -w '%{http_code}\\n' http://localhost:8080/currenttime/mcp`)}

## 4. See the record

${await step(`npm run -s cli -- audit list --kind mcp --tool current_time_by_timezone --token-file .token -o json | grep -E '"(action|tool|decision)"'`)}

## 5. Connect your assistant

It opens the sign-in by itself: [connect a client](connect/index.md), for example

${await step('npm run -s cli -- server connect /currenttime --client vscode --token-file .token')}

## Next

- [Install it](install.md) with your own identity provider.
- What the pages show: [the web interface](ui.md). How it works: [on one page](concepts/how-it-works.md).
- Something is not as described here? [Troubleshoot](troubleshoot.md).
`;
  if (process.env.UPDATE_DOCS) writeFileSync(file, page);
  expect(readFileSync(file, 'utf8')).toBe(page);
}, 300_000);
