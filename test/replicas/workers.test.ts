import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../harness.ts';
import { startPostgres } from '../postgres.ts';

test('two workers share a port; one that is killed is replaced, and all end in order', {
  timeout: 300_000,
}, async () => {
  const postgres = await startPostgres();
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'gateway-workers-'));
  copyFileSync('examples/scopes.yml', join(directory, 'scopes.yml'));
  const child = spawn(process.execPath, [resolve('bin/mcp-gateway.mjs'), 'start'], {
    cwd: directory,
    env: {
      ...{ PATH: process.env.PATH, HOME: directory, PORT: String(port), WORKERS: '2' },
      SHUTDOWN_DELAY_SECONDS: '1',
      ...{
        NODE_ENV: 'production',
        AUTH_PROVIDER: 'entra',
        SCOPES_CONFIG_PATH: join(directory, 'scopes.yml'),
      },
      ENTRA_TENANT_ID: '16c7e67e-e8ae-498c-ba2e-0593c0159e43',
      ENTRA_CLIENT_ID: '26c7e67e-e8ae-498c-ba2e-0593c0159e43',
      ENTRA_CLIENT_SECRET: 'abcDEF~1234567890.abcdefghijklmnop',
      // Nothing of this test leaves the machine.
      HTTPS_PROXY: 'http://127.0.0.1:9',
      SECRET_KEY: '7d0f5c0e9b2a4c61b8e3d5f7a9c1e3b5d7f9a1c3e5b7d9f1',
      DATABASE_URL: await postgres.create('workers'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, which is signalled as a whole.
    detached: true,
  });
  let printed = '';
  let heard = (): void => {};
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      heard();
    });
  const served = async (times: number): Promise<void> => {
    while (printed.split('the gateway serves').length <= times) {
      if (child.exitCode !== null) throw new Error(printed);
      await new Promise<void>((done) => {
        heard = done;
      });
    }
  };
  const isReady = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  try {
    await served(2);
    expect(await isReady()).toBe(true);
    const [worker] = execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)])
      .toString()
      .trim()
      .split('\n');
    process.kill(Number(worker), 'SIGKILL');
    await served(3);
    expect(await isReady()).toBe(true);
    const exited = once(child, 'exit');
    // As a terminal and systemd do: the workers hear it too, and a second time from the first process.
    process.kill(-(child.pid ?? 0), 'SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(printed.split('finishing what is in flight').length - 1).toBe(2);
  } finally {
    child.kill('SIGKILL');
    await postgres.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
