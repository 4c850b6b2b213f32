import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
  /** Opens a terminal in which somebody works with a program; it ends with the home. */
  terminal(program: string, args: readonly string[]): Terminal;
  remove(): Promise<void>;
}

/** A program's screen and its keyboard. */
export interface Terminal {
  /** Resolves once this has been on the screen; a key is pressed every second until then: programs take a quick Enter for part of a paste. */
  shows(text: RegExp, pressing?: string): Promise<void>;
  /** Types words, and no more. */
  type(words: string): void;
  /** Types a line and the Enter key. */
  enter(line: string): Promise<void>;
  end(): Promise<unknown>;
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
    const { command, words } = how.inTerminal ? inTerminal(program, args) : { command: program, words: args };
    const child = spawn(command, words, {
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
  const terminals: (() => Promise<unknown>)[] = [];
  const terminal = (program: string, args: readonly string[]): Terminal => {
    const { command, words } = inTerminal(program, args);
    const child = spawn(command, words, {
      ...{ cwd: folder, stdio: ['pipe', 'pipe', 'ignore'], detached: true },
      env: { ...bareEnvironment(folder), ...quiet, ...environment },
    });
    const exited = once(child, 'exit');
    const end = (): Promise<unknown> => {
      if (child.pid && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, 'SIGKILL');
      return exited;
    };
    terminals.push(end);
    let printed = '';
    const waiting = new Set<() => void>();
    child.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk;
      for (const look of waiting) look();
    });
    const shows = (wanted: RegExp, pressing?: string): Promise<void> =>
      new Promise((done, fail) => {
        const look = (): void => {
          if (!wanted.test(wordsOf(printed))) return;
          clearTimeout(timer);
          clearInterval(pressed);
          waiting.delete(look);
          done();
        };
        const timer = setTimeout(() => {
          clearInterval(pressed);
          fail(new Error(`${wanted} was never on the screen:\n${wordsOf(printed).slice(-3000)}`));
        }, limitMs);
        const pressed = setInterval(() => pressing && child.stdin?.write(pressing), 1000);
        waiting.add(look);
        look();
      });
    const type = (words: string): void => {
      printed = '';
      child.stdin?.write(words);
    };
    return {
      shows,
      end,
      type,
      async enter(line) {
        type(line);
        await shows(new RegExp(line.replaceAll(/\W+/g, '.*')));
        child.stdin?.write('\r');
      },
    };
  };
  return {
    folder,
    run: (program, args, how = {}) => run(program, args, how),
    terminal,
    remove: async () => {
      await Promise.all(terminals.map((end) => end()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What is on a screen, without the sequences that place and color it (ECMA-48). */
function wordsOf(printed: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's own
  return printed.replaceAll(/\x1b\[[0-9;?>]*[ -/]*[@-~]/g, ' ').replaceAll(/[\s─]+/g, ' ');
}

function inTerminal(program: string, args: readonly string[]) {
  const line = [program, ...args].map((word) => `'${word}'`).join(' ');
  return { command: 'script', words: ['-qec', `stty rows 50 cols 150; ${line}`, '/dev/null'] };
}
