import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../harness.ts';

/** A Keycloak that runs on loopback with its database in memory. */
export interface Keycloak {
  readonly url: string;
  /** A client of the realm `master` that may do everything. */
  readonly admin: { readonly clientId: string; readonly clientSecret: string };
  /** Ends it and waits until it has ended. */
  stop(): Promise<void>;
}

/** Seconds that a slow machine may take to start it; most of that is Keycloak building itself for its database. */
const patience = 240;

/** Starts it and waits until it listens; rejects with what it printed when it does not. */
export async function startKeycloak(home: string): Promise<Keycloak> {
  const [port, managementPort] = [await freePort(), await freePort()];
  const admin = { clientId: 'test-admin', clientSecret: randomBytes(24).toString('hex') };
  const child = spawn(
    'bash',
    [
      ...[join(home, 'bin/kc.sh'), 'start-dev', '--db=dev-mem', '--http-host=127.0.0.1'],
      ...[`--http-port=${port}`, `--http-management-port=${managementPort}`],
    ],
    {
      env: {
        ...process.env,
        ...{
          KC_BOOTSTRAP_ADMIN_CLIENT_ID: admin.clientId,
          KC_BOOTSTRAP_ADMIN_CLIENT_SECRET: admin.clientSecret,
        },
        JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx640m',
      },
      // A group of its own: kc.sh starts Java more than once, and all of it ends with the group.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const ended = once(child, 'exit');
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, name);
  };
  process.once('exit', () => signal('SIGKILL'));
  const stop = async (): Promise<void> => {
    signal('SIGTERM');
    const kill = setTimeout(() => signal('SIGKILL'), 15_000);
    await ended;
    clearTimeout(kill);
  };
  let printed = '';
  try {
    await new Promise<void>((ready, fail) => {
      const timer = setTimeout(() => fail(new Error(`not ready within ${patience} s`)), patience * 1000);
      const read = (chunk: Buffer): void => {
        printed += chunk.toString();
        if (!printed.includes(`Listening on: http://127.0.0.1:${port}`)) return;
        clearTimeout(timer);
        ready();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('error', fail);
      child.once('exit', (code) => fail(new Error(`it ended with ${code}`)));
    });
  } catch (error) {
    await stop();
    throw new Error(`Keycloak does not start (${(error as Error).message}):\n${printed.slice(-4000)}`);
  }
  return { url: `http://127.0.0.1:${port}`, admin, stop };
}
