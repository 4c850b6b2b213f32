import { type ChildProcess, execFileSync, type ForkOptions, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Job, Outcome } from './load.ts';

/** A process that was started, with all that it has started. */
export interface Started {
  readonly pid: number;
  stop(): Promise<void>;
}

/** The core of what is measured, and the one of the upstream and the generator; or whichever is free. */
export type Core = 'measured' | 'other' | 'any';

/** With `--alone` other programs on the machine take no time from those that are started here (as root, on Linux). */
const isAlone = process.argv.includes('--alone');

const started = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** Starts a program on a core; its output goes to standard error when `loud`. */
export function startProgram(
  core: Core,
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; loud?: boolean } = {},
): Started & { readonly child: ChildProcess } {
  const [file = command, ...rest] = [...pinned(core), command, ...args];
  const child = spawn(file, rest, {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['ignore', 'pipe', options.loud ? 'inherit' : 'ignore'],
  });
  child.stdout?.resume();
  setApart(child);
  return { child, ...tracked(child) };
}

/** Starts one of the modules here on the other core, with a channel to it. */
export function startModule(
  name: string,
  { isApart = true, ...options }: ForkOptions & { readonly isApart?: boolean } = {},
): Started & { child: ChildProcess } {
  const child = fork(new URL(name, import.meta.url), {
    ...options,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  if (child.pid && pinned('other').length > 0)
    execFileSync('taskset', ['-a', '-p', '-c', '1', String(child.pid)], { stdio: 'ignore' });
  if (isApart) setApart(child);
  return { child, ...tracked(child) };
}

function setApart({ pid }: ChildProcess): void {
  if (isAlone && pid) execFileSync('chrt', ['-a', '-r', '-p', '5', String(pid)], { stdio: 'ignore' });
}

function tracked(child: ChildProcess): Started {
  started.add(child);
  child.once('exit', () => started.delete(child));
  return {
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function pinned(core: Core): string[] {
  if (core === 'any' || cpus().length < 2 || !has('taskset')) return [];
  return ['taskset', '-c', core === 'measured' ? '0' : '1'];
}

/** Whether a program is on the path. */
export function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The generator, ready for jobs. */
export function startGenerator(): {
  run(job: Job): Promise<Outcome>;
  hold(port: number, request: string, count: number): Promise<number>;
  release(): Promise<number>;
  stop(): Promise<void>;
} {
  const { child, stop } = startModule('load.ts');
  let last = 0;
  const ask = <T>(asked: object): Promise<T> => {
    const id = ++last;
    return new Promise((resolve, reject) => {
      const ended = (code: number | null, signal: string | null): void =>
        reject(new Error(`the load generator ended (${signal ?? code})`));
      const read = (answer: { id: number; outcome: T }): void => {
        if (answer.id !== id) return;
        child.off('message', read).off('exit', ended);
        resolve(answer.outcome);
      };
      child.on('message', read).once('exit', ended);
      child.send({ id, ...asked });
    });
  };
  return {
    run: (job) => ask<Outcome>({ job }),
    hold: (port, request, count) => ask<number>({ hold: [port, request, count] }),
    release: () => ask<number>({}),
    stop,
  };
}

/** What a process and its descendants have used: processor time in seconds, resident memory in MiB. */
export interface Usage {
  readonly cpu: number;
  readonly memory: number;
}

const ticks = 100;

/** Reads the accounts of the operating system (Linux `/proc`) for a process tree. */
export function usageOf(root: number): Usage {
  let [cpu, memory] = [0, 0];
  for (const pid of treeOf(root)) {
    const stat = fieldsOf(pid);
    // Of proc(5): utime, stime, and those of children that have ended.
    for (const at of [11, 12, 13, 14]) cpu += Number(stat[at] ?? 0) / ticks;
    memory += memoryOf(pid);
  }
  return { cpu, memory };
}

function memoryOf(pid: number): number {
  try {
    // Shared pages are divided among those that share them.
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss: +(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function fieldsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return [];
  }
}

function treeOf(root: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), Number(fieldsOf(Number(name))[1])] as const);
  const tree = [root];
  for (let at = 0; at < tree.length; at += 1)
    for (const [pid, parent] of parents) if (parent === tree[at]) tree.push(pid);
  return tree;
}
