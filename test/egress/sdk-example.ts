import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { freePort } from '../harness.ts';

/** The example server of the MCP SDK with OAuth, as a program of its own: it takes only tokens that were asked for it. */
export interface SdkExample {
  readonly url: string;
  /** Its authorization server, which lets everybody in. */
  readonly issuer: string;
  close(): Promise<void>;
}

/** Starts it on free ports. */
export async function startSdkExample(): Promise<SdkExample> {
  const [port, authPort] = [await freePort(), await freePort()];
  const main = createRequire(import.meta.url).resolve('@modelcontextprotocol/sdk/server/mcp.js');
  const example = main.replace(/dist\/.*$/, 'dist/esm/examples/server/simpleStreamableHttp.js');
  const child = spawn(process.execPath, [example, '--oauth', '--oauth-strict'], {
    env: { PATH: process.env.PATH, MCP_PORT: String(port), MCP_AUTH_PORT: String(authPort) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  await new Promise<void>((ready, fail) => {
    const listen = (chunk: Buffer): void => {
      said += chunk.toString();
      if (said.includes(`MCP Streamable HTTP Server listening on port ${port}`)) ready();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('exit', (code) => fail(new Error(`the example ended with ${code}: ${said}`)));
  });
  return {
    url: `http://localhost:${port}/mcp`,
    issuer: `http://localhost:${authPort}`,
    async close() {
      if (child.exitCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
