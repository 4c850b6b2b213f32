import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What nginx is started in front of. */
export interface Site {
  /** For its certificate and what it writes. */
  readonly folder: string;
  /** The port that it listens on, on loopback. */
  readonly port: number;
  /** The ports of the gateways, on loopback. */
  readonly replicas: readonly number[];
  /** `mcp.example.com` with a certificate of its own, as in the shipped file; else plain HTTP for any host and port. */
  readonly tls: boolean;
}

/** Starts nginx with the shipped site, changed only where a test has other names, ports and certificates. */
export function startNginx(site: Site): ChildProcess {
  const temp = join(site.folder, 'nginx');
  mkdirSync(temp, { recursive: true });
  writeSite(site);
  return spawn('nginx', ['-p', temp, '-c', join(site.folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Gives its requests to those replicas from soon on: it is told as a controller of a cluster does it, by a signal. */
export function reloadNginx(nginx: ChildProcess, site: Site): void {
  writeSite(site);
  nginx.kill('SIGHUP');
}

function writeSite({ folder, port, replicas, tls }: Site): void {
  const temp = join(folder, 'nginx');
  const site = readFileSync('deploy/nginx/mcp-gateway.conf', 'utf8')
    .replace(/^ +server 127\.0\.0\.1:8080( .*;)\n(?: +#.*\n)?/m, (_, how: string) =>
      replicas.map((replica) => `    server 127.0.0.1:${replica}${how}\n`).join(''),
    )
    .replace(/^server \{\s+listen 80;[\s\S]*?\n\}\n/m, '')
    .replace(/ +listen \[::\]:443.*\n/, '');
  const whole = tls ? withCertificate(site, folder, port) : withoutTls(site, port);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${temp}/${name};`,
  );
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${temp}/pid; error_log stderr crit; events {} http { access_log off; ${paths.join(' ')} ${whole} }`,
  );
}

function withCertificate(site: string, folder: string, port: number): string {
  const [certificate, key] = [join(folder, 'site.crt'), join(folder, 'site.key')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-keyout', key, '-out', certificate, '-subj', '/CN=mcp.example.com'],
    ],
    { stdio: 'ignore' },
  );
  return site
    .replace('listen 443 ssl http2;', `listen 127.0.0.1:${port} ssl http2;`)
    .replace(/ssl_certificate .*;/, `ssl_certificate ${certificate};`)
    .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${key};`);
}

/** The replica that served, or failed to, is in a header of its own. */
function withoutTls(site: string, port: number): string {
  return site
    .replace(
      'listen 443 ssl http2;',
      `listen 127.0.0.1:${port}; add_header x-served-by $upstream_addr always;`,
    )
    .replace(/ +(?:server_name|ssl_\w+) .*;\n/g, '')
    .replace('proxy_set_header Host $host;', 'proxy_set_header Host $http_host;');
}
