// Bundles the server, the CLI, the emulator and the samples with esbuild, and the UI with Vite, into dist/.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeSbom } from './sbom.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
rmSync('dist', { recursive: true, force: true });

const { metafile } = await build({
  entryPoints: {
    cli: 'src/cli/main.ts',
    server: 'src/server/main.ts',
    'reading-thread': 'src/server/db/sqlite/reading-thread.ts',
    'check-thread': 'src/server/registry/servers/health/check-thread.ts',
    'audit-thread': 'src/server/audit/sinks/database-thread.ts',
    tools: 'src/server/start/tools.ts',
    'entra-emulator': 'src/entra-emulator/main.ts',
    currenttime: 'src/samples/currenttime-main.ts',
  },
  outdir: 'dist',
  bundle: true,
  metafile: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  sourcemap: true,
  legalComments: 'linked',
  logLevel: 'warning',
  // Its main file requires the others in a way that cannot be bundled.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  // Some dependencies are CommonJS and call require() on Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});

const { build: buildUi } = await import('vite');
const { output } = await buildUi({ configFile: 'src/ui/vite.config.ts', logLevel: 'warn' });

const modules = [...Object.keys(metafile.inputs), ...output.flatMap(({ moduleIds = [] }) => moduleIds)];
writeSbom(modules, 'dist/sbom.cdx.json');
