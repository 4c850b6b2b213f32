import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { bareEnvironment, type Key, pinned, programOf } from './pinned.ts';

/** How a session begins: with a token, or by signing in. */
export interface Connect {
  readonly url: string;
  readonly era: Era;
  readonly transport: 'http' | 'sse';
  readonly token?: string;
  readonly signIn?: boolean;
}

/** A protocol revision: one of those with `initialize`, or the one without. */
export type Era = '2025-11-25' | '2026-07-28';

/** Names of all that a session may see; resources by URI. */
export interface Listed {
  readonly tools: readonly string[];
  readonly prompts: readonly string[];
  readonly resources: readonly string[];
}

/** A client library at work. What it refuses or loses is a rejection with the library's own words. */
export interface Driver {
  connect(how: Connect): Promise<void>;
  list(): Promise<Listed>;
  /** Returns the text of the result. */
  call(name: string, args?: object): Promise<string>;
  /** Lets the library take its access token for one that is over; a moment cannot be waited for. */
  age(): Promise<void>;
  close(): Promise<void>;
  /** Ends the library's process. */
  end(): Promise<void>;
}

/** Opens a URL as a person's browser would; resolves with where the sign-in sends it. */
export type OpenBrowser = (url: string) => Promise<URL>;

/**
 * Starts the process that drives a library: one JSON object a line each way. In: `{op: connect|list|call|age|close, ...}`.
 * Out: `{ok, value | error}`, and `{open: URL}` while it signs in, to which `{returned: URL}` goes back.
 */
export function startDriver(key: Key, browser: OpenBrowser, environment: Record<string, string>): Driver {
  const home = mkdtempSync(join(tmpdir(), 'client-home-'));
  const args = pinned[key].from === 'pypi' ? [resolve('test/clients/drivers/python/main.py'), key] : [];
  const child = spawn(programOf(key), args, {
    ...{ cwd: home, stdio: 'pipe' },
    env: { ...bareEnvironment(home), ...environment },
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = `${stderr}${chunk}`.slice(-4000);
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.on('error', () => undefined);
  const send = (line: object): void => void child.stdin.write(`${JSON.stringify(line)}\n`);
  const ask = async (line: object): Promise<unknown> => {
    send(line);
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`the process ended: ${stderr.trim().split('\n').at(-1)}`);
      if (!value.startsWith('{')) continue;
      const said = JSON.parse(value) as { ok?: boolean; value?: unknown; error?: string; open?: string };
      if (said.open === undefined && !said.ok) throw new Error(said.error);
      if (said.open === undefined) return said.value;
      send({ returned: (await browser(said.open)).href });
    }
  };
  return {
    connect: async (how) => void (await ask({ op: 'connect', ...how })),
    list: async () => (await ask({ op: 'list' })) as Listed,
    call: async (name, args = {}) => String(await ask({ op: 'call', name, arguments: args })),
    age: async () => void (await ask({ op: 'age' })),
    close: async () => void (await ask({ op: 'close' })),
    async end() {
      child.kill('SIGKILL');
      await exited;
      rmSync(home, { recursive: true, force: true });
    },
  };
}
