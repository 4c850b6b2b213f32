import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installAll, type Key, pinned } from './pinned.ts';
import { writeTable } from './table.ts';

/** Installs the third-party clients, runs the tests of this directory with them, and writes what was seen to docs/clients.md. */
async function main(options: readonly string[]): Promise<number> {
  const absent = await installAll();
  for (const [key, why] of Object.entries(absent)) {
    const { name, version } = pinned[key as Key];
    console.log(`absent: ${name} ${version}: ${why}`);
  }
  const isRequired = process.env.CI === 'true';
  if (isRequired && Object.keys(absent).length > 0) return 1;
  const results = mkdtempSync(join(tmpdir(), 'clients-results-'));
  const args = ['run', '--config', 'test/clients/vitest.config.ts', ...options];
  const tests = spawn(process.execPath, [join('node_modules', 'vitest', 'vitest.mjs'), ...args], {
    stdio: 'inherit',
    env: { ...process.env, CLIENTS_RESULTS: results, CLIENTS_ABSENT: JSON.stringify(absent) },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  process.once('exit', () => tests.kill());
  const [code] = (await once(tests, 'exit')) as [number | null];
  // Part of a run, or a run without some client, says nothing about the rest of the table.
  const isWhole = options.length === 0 && Object.keys(absent).length === 0;
  if (isWhole && code === 0) await writeTable(results);
  rmSync(results, { recursive: true, force: true });
  return code ?? 1;
}

process.exitCode = await main(process.argv.slice(2));
