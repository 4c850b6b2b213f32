import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The sample server as a child process. */
export interface RunningEverything {
  /** Its MCP endpoint. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Where it is told what happens; `pino` fits. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
}

const packageName = '@modelcontextprotocol/server-everything';

/**
 * Starts the reference server `server-everything` (protocol 2025-11-25, with sessions) on loopback, in a process that ends
 * with this one however this one ends. Undefined, with a line in the log, when the package is not installed: it is a
 * development dependency. Rejects when it does not listen within `limitMs`.
 */
export async function startEverything(options: {
  port?: number;
  log: Log;
  limitMs?: number;
  /** The file to run; found in node_modules unless given. */
  file?: string;
}): Promise<RunningEverything | undefined> {
  const { port = 0, log, limitMs = 20_000, file = findEverything() } = options;
  if (!file) {
    log.info(`the sample 'everything' is not started: the package ${packageName} is not installed`);
    return undefined;
  }
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(`(${prepare})();`)}`, file, 'streamableHttp'],
    // Nothing of this process's environment, which may hold secrets, is passed on.
    { env: { PORT: String(port) }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  for (const stream of [child.stdout, child.stderr]) if (stream) relay(stream, log);
  const bound = await portOf(child, limitMs);
  child.once('exit', (code, signal) => log.debug(`everything: ended (${signal ?? `exit code ${code}`})`));
  child.unref();
  child.channel?.unref();
  return { url: `http://127.0.0.1:${bound}/mcp`, port: bound, close: () => end(child) };
}

function findEverything(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
    return join(dirname(manifest), 'dist/index.js');
  } catch {
    return undefined;
  }
}

/**
 * Runs in the child before the server does, as text: so it may use nothing from around it. The server can only listen on
 * all interfaces and knows nothing of its parent; this makes it listen on loopback, tells the parent the port, and ends
 * it when the channel to the parent closes, which the operating system does even when the parent is killed.
 */
function prepare(): void {
  const { Server } = process.getBuiltinModule('node:net');
  const listen = Server.prototype.listen;
  Server.prototype.listen = function (this: InstanceType<typeof Server>, ...given: unknown[]) {
    const port = Number(given[0]);
    this.once('listening', () => {
      const address = this.address();
      if (address && typeof address === 'object') process.send?.(address.port);
    });
    const listening = given.find((value) => typeof value === 'function') as (() => void) | undefined;
    return Reflect.apply(listen, this, [{ port, host: '127.0.0.1' }, listening]);
  };
  process.on('disconnect', () => process.exit(0));
}

function portOf(child: ChildProcess, limitMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`the sample 'everything' could not be started: ${why}`));
    };
    const timer = setTimeout(() => fail(`it did not listen within ${limitMs / 1000} s`), limitMs);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, signal) => fail(`it ended at once (${signal ?? `exit code ${code}`})`));
    child.once('message', (port) => {
      clearTimeout(timer);
      child.removeAllListeners('exit');
      resolve(Number(port));
    });
  });
}

function relay(stream: Readable, log: Log): void {
  createInterface({ input: stream }).on('line', (line) => log.debug(`everything: ${line}`));
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    // It no longer keeps this process running by itself, but its end is worth waiting for.
    child.ref();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
