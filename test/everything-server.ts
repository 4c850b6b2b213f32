import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { freePort } from './harness.ts';

/** Starts the reference server `server-everything` by one of its transports; resolves once it listens. */
export async function startEverythingBy(
  transport: 'streamableHttp' | 'sse',
): Promise<{ port: number; child: ChildProcess }> {
  const port = await freePort();
  const script = resolve('node_modules/@modelcontextprotocol/server-everything/dist/index.js');
  const env = { PATH: process.env.PATH, PORT: String(port) };
  const child = spawn(process.execPath, [script, transport], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  await new Promise<void>((ready, fail) => {
    const read = (chunk: Buffer): void => {
      said += chunk.toString();
      if (/listening|running on port|Server is running/i.test(said)) ready();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => fail(new Error(said)));
  });
  return { port, child };
}
