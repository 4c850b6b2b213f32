import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A gateway that runs as a process of its own, in evaluation mode unless its environment says otherwise, on free ports and in a fresh data directory. */
export interface TestGateway {
  /** The public URL, without a trailing slash. */
  readonly url: string;
  readonly emulatorUrl: string;
  readonly dataDir: string;
  readonly process: ChildProcess;
  /** Everything that the process has printed so far. */
  output(): string;
  /** Sends a signal and answers the exit code (null when the signal ended it). */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Stops it and removes the data directory. */
  close(): Promise<void>;
}

/** How long a start may take on the busiest machine, in milliseconds: one that hangs is to be told with what it printed. */
const startLimitMs = 150_000;

/** How to start it. */
export interface TestGatewayOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly dataDir?: string;
  readonly port?: number;
  readonly emulatorPort?: number;
}

/**
 * Starts the built command as a user would, and waits until it says that it serves. A free port may be taken by somebody
 * else before the gateway has it: then others are tried, unless they were asked for.
 */
export async function startGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const isChosen = options.port !== undefined || options.emulatorPort !== undefined;
  for (let attempt = 1; ; attempt += 1)
    try {
      return await startOnce(options);
    } catch (error) {
      if (isChosen || attempt === 3 || !String(error).includes('is in use; choose another')) throw error;
    }
}

async function startOnce(options: TestGatewayOptions): Promise<TestGateway> {
  const [port, emulatorPort] = [
    options.port ?? (await freePort()),
    options.emulatorPort ?? (await freePort()),
  ];
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'gateway-test-'));
  const child = spawn(process.execPath, [resolve('bin/mcp-gateway.mjs'), 'start'], {
    cwd: dataDir,
    env: {
      PATH: process.env.PATH,
      HOME: dataDir,
      PORT: String(port),
      ENTRA_EMULATOR_PORT: String(emulatorPort),
      DATA_DIR: dataDir,
      LOG_LEVEL: 'debug',
      ...options.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const gateway: TestGateway = {
    url: `http://localhost:${port}`,
    emulatorUrl: `http://127.0.0.1:${emulatorPort}`,
    dataDir,
    process: child,
    output: () => printed,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exited = once(child, 'exit');
      child.kill(signal);
      const [code] = (await exited) as [number | null];
      return code;
    },
    async close() {
      await gateway.stop('SIGKILL');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  await new Promise<void>((ready, fail) => {
    const timer = setTimeout(
      () => fail(new Error(`the gateway neither serves nor ends:\n${printed}`)),
      startLimitMs,
    );
    child.once('exit', () => clearTimeout(timer));
    const read = (chunk: Buffer): void => {
      printed += chunk.toString();
      const inEvaluation = printed.includes('EVALUATION MODE') && printed.includes('Stop with Ctrl-C');
      if (!inEvaluation && !printed.includes('the gateway serves')) return;
      clearTimeout(timer);
      ready();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => fail(new Error(`the gateway ended with ${code}:\n${printed}`)));
    child.once('error', fail);
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  return gateway;
}

/**
 * A port on loopback that nobody listens on, and that nobody takes before it is used: it lies below those that the system
 * gives to connections and to servers that ask for any, and each process of the tests picks in a row of its own.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < rowLength; tries += 1) {
    const port = 11_000 + (process.pid % 1000) * rowLength + (picked++ % rowLength);
    if (await isFree(port)) return port;
  }
  throw new Error('none of the ports of this process is free');
}

const rowLength = 20;
let picked = 0;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/** Resolves when what was changed is so in every process that serves: in one at once, in several within a second (test/replicas). */
export async function seenEverywhere(): Promise<void> {}

/** Reads the database of a gateway that was stopped. */
export async function rowsOf({ dataDir }: Pick<TestGateway, 'dataDir'>, query: string): Promise<object[]> {
  const database = new DatabaseSync(join(dataDir, 'gateway.db'), { readOnly: true });
  const rows = database.prepare(query).all();
  database.close();
  return rows;
}

/** Lets what a running gateway has read of everybody's groups be eleven minutes old: beyond the refresh time, with no waiting. */
export async function ageGroups({ dataDir }: Pick<TestGateway, 'dataDir'>): Promise<void> {
  const db = new DatabaseSync(join(dataDir, 'gateway.db'));
  const past = new Date(Date.now() - 11 * 60_000).toISOString();
  db.prepare('update people set groups_read_at = ? where groups_read_at > ?').run(past, past);
  db.close();
}
