import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../harness.ts';
import { has, type Started, startProgram } from './processes.ts';

/** Something that requests can be sent to instead of the gateway. */
export interface Baseline {
  readonly name: string;
  readonly port: number;
  readonly processes: readonly Started[];
  readonly sendsToken: boolean;
}

const nginxPath = has('nginx') ? 'nginx' : '/usr/sbin/nginx';

/** Starts nginx in front of the upstream; with `authPort` every request is first asked about there. */
export async function startNginx(
  directory: string,
  upstreamPort: number,
  authPort?: number,
): Promise<Baseline | undefined> {
  if (!has(nginxPath)) return undefined;
  const port = await freePort();
  const prefix = join(directory, `nginx-${port}`);
  mkdirSync(join(prefix, 'temp'), { recursive: true });
  writeFileSync(join(prefix, 'nginx.conf'), configuration(port, upstreamPort, authPort));
  const nginx = startProgram('measured', nginxPath, ['-p', prefix, '-c', 'nginx.conf', '-e', 'stderr']);
  await answers(port);
  return {
    name: authPort ? 'nginx + auth_request' : 'nginx',
    port,
    processes: [nginx],
    sendsToken: authPort !== undefined,
  };
}

function configuration(port: number, upstreamPort: number, authPort: number | undefined): string {
  const auth = `
      location = /auth { internal; proxy_pass http://auth/auth; proxy_pass_request_body off; proxy_set_header Content-Length ""; }`;
  const upstream = (name: string, to: number): string =>
    `upstream ${name} { server 127.0.0.1:${to}; keepalive 256; keepalive_requests 10000000; }`;
  return `
    daemon off; master_process on; worker_processes 1; pid nginx.pid; worker_rlimit_nofile 20000;
    events { worker_connections 18000; }
    http {
      access_log off; tcp_nodelay on; keepalive_requests 10000000; client_max_body_size 8m; client_body_buffer_size 2m;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path temp/${name};`).join(' ')}
      ${upstream('server', upstreamPort)} ${authPort ? upstream('auth', authPort) : ''}
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 600s;
      server {
        listen 127.0.0.1:${port} backlog=8192;${authPort ? auth : ''}
        location / { ${authPort ? 'auth_request /auth;' : ''} proxy_pass http://server; }
      }
    }`;
}

const fastApi = `
import os, time, jwt
from fastapi import FastAPI, Request, Response
app = FastAPI()
key = open(os.environ["KEY"]).read()
@app.get("/auth")
async def auth(request: Request):
    header = request.headers.get("authorization", "")
    try:
        claims = jwt.decode(header[7:], key, algorithms=["RS256"], options={"verify_aud": False})
    except Exception:
        return Response(status_code=401)
    return Response(status_code=200, headers={"X-User": claims["sub"]})
`;

/** Starts nginx with auth_request to a small FastAPI that verifies RS256 tokens; undefined when Python lacks what it needs. */
export async function startFastApi(
  directory: string,
  upstreamPort: number,
  publicKey: string,
): Promise<Baseline | undefined> {
  const python = process.env.BENCH_PYTHON ?? 'python3';
  try {
    execFileSync(python, ['-c', 'import fastapi, uvicorn, jwt, cryptography, uvloop, httptools'], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  writeFileSync(join(directory, 'auth.py'), fastApi);
  writeFileSync(join(directory, 'key.pem'), publicKey);
  const port = await freePort();
  const args = ['-m', 'uvicorn', 'auth:app', '--port', `${port}`, '--no-access-log', '--log-level', 'error'];
  const env = { KEY: join(directory, 'key.pem') };
  const service = startProgram('measured', python, args, { cwd: directory, env });
  await answers(port);
  const nginx = await startNginx(directory, upstreamPort, port);
  if (!nginx) return undefined;
  return { ...nginx, name: 'nginx + FastAPI', processes: [...nginx.processes, service] };
}

/**
 * Starts a bare proxy of the libraries that the gateway is made of: what is left is what the gateway itself costs. With
 * `known` it refuses requests with any other `Authorization`; with `workers` so many share the port, on any core.
 */
export async function startBareProxy(
  upstreamPort: number,
  { known, workers }: { readonly known?: string; readonly workers?: number } = {},
): Promise<Baseline> {
  const port = await freePort();
  const script = fileURLToPath(new URL('bare-proxy.ts', import.meta.url));
  const args = ['--min-semi-space-size=8', script, `${port}`, `${upstreamPort}`, ...(known ? [known] : [])];
  const env = { WORKERS: String(workers ?? 0) };
  const proxy = startProgram(workers ? 'any' : 'measured', process.execPath, args, { env });
  await answers(port);
  return { name: 'bare Node', port, processes: [proxy], sendsToken: false };
}

/** Waits until something answers at a port. */
export async function answers(port: number, path = '/'): Promise<void> {
  for (let tries = 0; tries < 6000; tries += 1) {
    try {
      await fetch(`http://127.0.0.1:${port}${path}`);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  throw new Error(`nothing answers on port ${port}`);
}
