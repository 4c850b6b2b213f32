#!/usr/bin/env node
// The `mcp-gateway` command: finds a Node that is new enough, then hands over to the bundled CLI.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 19)) await run();
else rerun();

async function run() {
  if (process.argv[2] === 'start') withRoomForYoungObjects();
  // `mcp-gateway list | head` closes the pipe early: that is no error.
  process.stdout.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  const { main } = await import('../dist/cli.js');
  process.exitCode = await main(process.argv.slice(2), {
    startServer: async (options) => (await import('../dist/server.js')).startServer(options),
    runDoctor: async (provider) => (await import('../dist/tools.js')).runDoctor(provider),
    recordEntra: async () => (await import('../dist/tools.js')).recordEntraTenant(),
    compareEmulator: async (record) => (await import('../dist/tools.js')).compareEmulator(record),
    rotateSecrets: async (options) => (await import('../dist/server.js')).rotateSecrets(options),
    migrateDatabase: async () => (await import('../dist/server.js')).migrateDatabase(),
    moveDatabase: async (options) => (await import('../dist/server.js')).moveDatabase(options),
    backupDatabase: async (options) => (await import('../dist/server.js')).backupDatabase(options),
    restoreDatabase: async (options) => (await import('../dist/server.js')).restoreDatabase(options),
    runSetup: async (provider, options, talk) =>
      (await import('../dist/tools.js')).runSetup(provider, options, talk),
    runEmulator: async (options) => (await import('../dist/entra-emulator.js')).runEmulator(options),
  });
}

/**
 * V8 takes the room of young objects back whenever little is made, to 1 MB, and then collects it 250 times a second when
 * calls come in; only a flag at the start of the process keeps some. The process is replaced and stays the same for others.
 */
function withRoomForYoungObjects() {
  const flag = '--min-semi-space-size';
  const isTold = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((each) => each.includes(flag));
  // A channel to a parent would not outlive it; Windows cannot.
  if (isTold || process.channel || process.platform === 'win32' || !process.execve) return;
  const args = [`${flag}=8`, ...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  process.execve(process.execPath, [process.execPath, ...args]);
}

/** Runs the same command on the Node that the project pins, which gets this process's signals and so can drain. */
function rerun() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const pinned = fileURLToPath(new URL(`../node_modules/node/bin/${name}`, import.meta.url));
  if (!existsSync(pinned)) {
    console.error(
      `mcp-gateway needs Node 22.19 or newer; this is ${process.versions.node}. Install a newer Node and try again.`,
    );
    process.exit(2);
  }
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // The terminal sends Ctrl-C to both processes: passing it on there would count it twice.
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY && !process.stderr.isTTY) child.kill('SIGINT');
  });
  child.on('error', (error) => {
    console.error(`could not run ${pinned}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    // Ends as the child did, so that whoever waits sees the same.
    for (const each of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  });
}
