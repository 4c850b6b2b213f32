#!/usr/bin/env node
// The `mcp-gateway` command: finds a Node that is new enough, then hands over to the bundled CLI.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (!existsSync(pinned)) {
    console.error(
      `mcp-gateway needs Node 22.19 or newer; this is ${process.versions.node}. Install a newer Node and try again.`,
    );
    process.exit(2);
  }
  const result = spawnSync(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exit(result.status ?? 1);
}

const { main } = await import('../dist/cli.js');
process.exitCode = await main(process.argv.slice(2), {
  startServer: async (options) => (await import('../dist/server.js')).startServer(options),
  runEmulator: async (options) => (await import('../dist/entra-emulator.js')).runEmulator(options),
});
