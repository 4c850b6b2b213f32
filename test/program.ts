import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';

/** The command line as a process of its own, without a terminal. */
export interface Program {
  readonly process: ChildProcess;
  /** Resolves with the first match in what it has said so far on either stream; rejects when it ends without. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ code: number | null; out: string; err: string }>;
}

/** Starts `mcp-gateway` as a user would; only these variables are set besides PATH. It ends with the test. */
export function startProgram(
  argv: readonly string[],
  { cwd, env = {}, stdin = '' }: { cwd: string; env?: Record<string, string>; stdin?: string },
): Program {
  const child = spawn(process.execPath, [resolve('bin/mcp-gateway.mjs'), ...argv], {
    cwd,
    // The authorities are those that the test trusts.
    env: {
      ...{ PATH: process.env.PATH, HOME: cwd, NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS },
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdin.end(stdin);
  const said = { out: '', err: '' };
  let heard: () => void = () => undefined;
  const listen = (stream: 'out' | 'err') => (chunk: Buffer) => {
    said[stream] += chunk.toString();
    heard();
  };
  child.stdout.on('data', listen('out'));
  child.stderr.on('data', listen('err'));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }));
  return {
    process: child,
    ended,
    says: (pattern) =>
      new Promise((found, fail) => {
        heard = () => {
          const match = pattern.exec(said.err) ?? pattern.exec(said.out);
          if (match) found(match);
        };
        heard();
        void ended.then(() => fail(new Error(`it ended without ${pattern}:\n${said.out}${said.err}`)));
      }),
  };
}

/** Runs it to its end. */
export function runProgram(argv: readonly string[], how: Parameters<typeof startProgram>[1]) {
  return startProgram(argv, how).ended;
}
