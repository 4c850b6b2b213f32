import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { distribution, NotHere } from './distribution.ts';
import { type Keycloak, startKeycloak } from './server.ts';

/** Runs the tests of this directory against a real Keycloak: fetches it, starts it, and ends it whatever happens. */
async function main(options: readonly string[]): Promise<number> {
  // Whoever is told to end takes Keycloak along, also while it starts.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  let keycloak: Keycloak;
  try {
    keycloak = await startKeycloak(distribution());
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    const isRequired = process.env.KEYCLOAK_REQUIRED === 'true';
    console.log(`${isRequired ? 'failed' : 'skipped'}: tests against a real Keycloak: ${error.message}`);
    return isRequired ? 1 : 0;
  }
  console.log(`Keycloak runs at ${keycloak.url}`);
  const args = ['run', '--config', 'test/keycloak/vitest.config.ts', ...options];
  const tests = spawn(process.execPath, [join('node_modules', 'vitest', 'vitest.mjs'), ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      KEYCLOAK_TEST_URL: keycloak.url,
      KEYCLOAK_TEST_ADMIN: `${keycloak.admin.clientId}:${keycloak.admin.clientSecret}`,
    },
  });
  process.once('exit', () => tests.kill());
  const [code] = (await once(tests, 'exit')) as [number | null];
  await keycloak.stop();
  return code ?? 1;
}

process.exitCode = await main(process.argv.slice(2));
