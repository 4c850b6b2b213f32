import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** A server that runs as a child. */
export interface Child {
  /** Ends it at once, as a crash does, and waits until it has ended. */
  kill(): Promise<void>;
}

/** Starts it and waits until its address replies, whatever that is; rejects with what it printed when it ends before. */
export async function startChild(
  file: string,
  args: readonly string[],
  { address, env = {} }: { address: string; env?: Record<string, string> },
): Promise<Child> {
  const child = spawn(file, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  const ended = once(child, 'exit');
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`${file} ended with ${child.exitCode}:\n${printed.slice(-2000)}`);
    const answer = await fetch(address).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer) break;
    await delay(50);
  }
  return {
    async kill() {
      process.off('exit', end);
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}
