import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bareEnvironment } from './pinned.ts';

/** How long a program may take for one command on the busiest machine, in milliseconds. */
const limitMs = 150_000;

/** How to run a command. */
interface Run {
  readonly environment?: Readonly<Record<string, string>>;
  /** In a terminal, as a person would; programs refuse to open a browser without one. */
  readonly inTerminal?: boolean;
  /** A failure is a result like another. */
  readonly mayFail?: boolean;
}

/** A home directory and the programs that run in it: nothing of this machine's, nothing beyond it. */
export interface Home {
  readonly folder: string;
  /** Resolves with all that was printed, on both streams. */
  run(program: string, args: readonly string[], how?: Run): Promise<string>;
  remove(): void;
}

/** No updates, no statistics; a program that asks somebody else all the same is refused at a closed port. */
const quiet = {
  DISABLE_TELEMETRY: '1',
  DISABLE_ERROR_REPORTING: '1',
  DISABLE_AUTOUPDATER: '1',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DO_NOT_TRACK: '1',
  OPENAI_AGENTS_DISABLE_TRACING: '1',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  NO_PROXY: 'localhost,127.0.0.1',
  TERM: 'xterm-256color',
};

/** Makes an empty home with the environment that every program in it gets. */
export function newHome(environment: Readonly<Record<string, string>>): Home {
  const folder = mkdtempSync(join(tmpdir(), 'client-home-'));
  const run = (program: string, args: readonly string[], how: Run): Promise<string> => {
    const command = how.inTerminal ? inTerminal(program, args) : { program, args };
    const child = spawn(command.program, command.args, {
      ...{ cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
      env: { ...bareEnvironment(folder), ...quiet, ...environment, ...how.environment },
    });
    let printed = '';
    const read = (chunk: Buffer): void => {
      printed += chunk;
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    return new Promise((done, fail) => {
      const said = () => `${[program.split('/').at(-1), ...args].join(' ')}\n${printed.slice(-3000)}`;
      const timer = setTimeout(() => {
        if (child.pid) process.kill(-child.pid, 'SIGKILL');
        fail(new Error(`it did not end: ${said()}`));
      }, limitMs);
      child.once('error', fail);
      child.once('close', (code) => {
        clearTimeout(timer);
        if (code === 0 || how.mayFail) done(printed);
        else fail(new Error(`it ended with ${code}: ${said()}`));
      });
    });
  };
  return {
    folder,
    run: (program, args, how = {}) => run(program, args, how),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function inTerminal(program: string, args: readonly string[]) {
  const line = [program, ...args].map((word) => `'${word}'`).join(' ');
  return { program: 'script', args: ['-qec', line, '/dev/null'] };
}
