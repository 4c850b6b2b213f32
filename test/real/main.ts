import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileOf, NotHere, programs } from './programs.ts';

/** Runs the tests of this directory against real servers, which it installs where they are not there; says what is skipped, and why. */
async function main(options: readonly string[]): Promise<number> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const found: Record<string, string> = {};
  for (const [key, program] of Object.entries(programs))
    try {
      found[`REAL_${key.toUpperCase()}`] = fileOf(program);
    } catch (error) {
      if (!(error instanceof NotHere)) throw error;
      console.log(`skipped: tests against a real ${program.name}: ${error.message}`);
      if (process.env.REAL_REQUIRED === 'true') return 1;
    }
  const args = ['run', '--config', 'test/real/vitest.config.ts', ...options];
  const tests = spawn(process.execPath, [join('node_modules', 'vitest', 'vitest.mjs'), ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...found },
  });
  process.once('exit', () => tests.kill());
  const [code] = (await once(tests, 'exit')) as [number | null];
  return code ?? 1;
}

process.exitCode = await main(process.argv.slice(2));
