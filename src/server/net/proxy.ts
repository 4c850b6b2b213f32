import { request } from 'node:http';
import { BlockList, isIP, isIPv4, type Socket } from 'node:net';

/** Which forward proxy the gateway's own connections take, as the usual environment variables say it. */
export interface ProxyRules {
  /** For `https:` targets. */
  readonly https: URL | null;
  /** For `http:` targets. */
  readonly http: URL | null;
  /** Targets without one: names (with all below them), addresses, CIDR ranges, each with or without a port, or `*`. */
  readonly except: readonly string[];
}

/** Where a connection is to lead. */
interface Target {
  readonly protocol: string;
  readonly hostname: string;
  /** Empty: the usual one of the protocol. */
  readonly port: string;
}

/** The proxy on the way to a target; undefined where the way is direct, as it always is to this machine itself. */
export function proxyFor(target: Target, rules: ProxyRules): URL | undefined {
  const proxy = target.protocol === 'https:' ? rules.https : rules.http;
  if (!proxy) return undefined;
  const host = bare(target.hostname);
  // A proxy would take its own machine for it.
  if (/(^|\.)localhost$/.test(host) || isLoopback(host)) return undefined;
  return rules.except.some((rule) => excepts(rule, host, portOf(target))) ? undefined : proxy;
}

function bare(hostname: string): string {
  return hostname.toLowerCase().replace(/^\[|\]$|\.$/g, '');
}

function isLoopback(host: string): boolean {
  return isIP(host) > 0 && (inRange(host, '127.0.0.0', 8) || inRange(host, '::1', 128));
}

function portOf({ protocol, port }: Target): string {
  return port || (protocol === 'https:' ? '443' : '80');
}

function excepts(rule: string, host: string, port: string): boolean {
  if (rule === '*') return true;
  const [, range = '', bits] = /^([0-9a-f:.]+)\/(\d{1,3})$/i.exec(rule) ?? [];
  if (bits !== undefined) return isIP(host) > 0 && inRange(host, range, Number(bits));
  const [, name = '', only] = /^(.*?)(?::(\d+))?$/.exec(isIP(rule) ? `[${rule}]` : rule) ?? [];
  if (only !== undefined && only !== port) return false;
  const suffix = bare(name.replace(/^\*?\./, ''));
  return host === suffix || (suffix !== '' && isIP(host) === 0 && host.endsWith(`.${suffix}`));
}

function inRange(host: string, range: string, bits: number): boolean {
  const ranges = new BlockList();
  try {
    ranges.addSubnet(range, bits, isIPv4(range) ? 'ipv4' : 'ipv6');
  } catch {
    return false;
  }
  return ranges.check(host, isIPv4(host) ? 'ipv4' : 'ipv6');
}

/** A proxy did not open the way: `code` says how (`ERR_PROXY_UNREACHABLE`, `_REFUSED`, `_CREDENTIALS`, or a time-out). */
export class ProxyFault extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Called once, with a fault or with a connection that leads to the target. */
export type Opened = (...result: [fault: ProxyFault, socket: null] | [fault: null, socket: Socket]) => void;

/**
 * Has a proxy open a connection to a target (CONNECT, RFC 9110 section 9.3.6), for http: targets as well: so what passes is
 * between the two ends, and requests are written as on a direct way.
 */
export function openTunnel(proxy: URL, target: Target, timeoutMs: number, opened: Opened): void {
  const host = isIP(bare(target.hostname)) === 6 ? `[${bare(target.hostname)}]` : target.hostname;
  const authority = `${host}:${portOf(target)}`;
  const asking = request({
    ...{
      host: bare(proxy.hostname),
      port: proxy.port || 80,
      method: 'CONNECT',
      path: authority,
      agent: false,
    },
    headers: { host: authority, ...credentialsIn(proxy) },
  });
  let over = false;
  const end = (...result: Parameters<Opened>): void => {
    clearTimeout(timer);
    if (over) return;
    over = true;
    opened(...result);
  };
  const timer = setTimeout(() => {
    end(new ProxyFault('UND_ERR_CONNECT_TIMEOUT', 'the proxy did not open the way in time'), null);
    asking.destroy();
  }, timeoutMs);
  asking.once('connect', ({ statusCode = 0 }, socket: Socket, head: Buffer) => {
    // Between two owners an error would have no listener, and end the process.
    socket.on('error', () => undefined);
    if (over || statusCode < 200 || statusCode > 299) {
      socket.destroy();
      const code = statusCode === 407 ? 'ERR_PROXY_CREDENTIALS' : 'ERR_PROXY_REFUSED';
      end(new ProxyFault(code, `the proxy answered CONNECT with ${statusCode}`), null);
      return;
    }
    if (head.length > 0) socket.unshift(head);
    socket.setNoDelay(true).setKeepAlive(true, 60_000);
    end(null, socket);
  });
  asking.on('error', (cause) =>
    end(new ProxyFault('ERR_PROXY_UNREACHABLE', 'the proxy cannot be reached', cause), null),
  );
  asking.end();
}

function credentialsIn({ username, password }: URL): Record<string, string> {
  if (!username && !password) return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}
