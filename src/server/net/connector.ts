import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import {
  createSecureContext,
  getCACertificates,
  type SecureContext,
  setDefaultCACertificates,
} from 'node:tls';
import { buildConnector } from 'undici';
import { Failure } from '../failure/errors.ts';
import { type OutboundPolicy, refusalOf } from './addresses.ts';
import { openTunnel, type ProxyRules, proxyFor } from './proxy.ts';

/** Finds the addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly { address: string; family: number }[]>;

/** Opens connections, as undici wants it. */
export type Connector = buildConnector.connector;

/** What lies between the gateway and those it connects to. */
export interface WayOut {
  /** Whom to trust, and how to prove oneself, in TLS; the system's authorities and no certificate unless given. */
  readonly tls?: SecureContext | undefined;
  /** The forward proxies to take; none unless given. */
  readonly proxy?: ProxyRules | undefined;
}

/** How connections are opened. */
export interface ConnectorOptions extends WayOut {
  readonly policy: OutboundPolicy;
  /** Milliseconds until the connection stands, its name's lookup included; 0: no limit of its own, 10 s through a proxy. */
  readonly timeoutMs: number;
  /** How names become addresses; the system's way unless given. */
  readonly resolve?: Resolve | undefined;
}

/** PEM texts: authorities to trust besides the usual ones, and a certificate with its key. */
export interface TlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Trusts these authorities (PEM) besides the usual ones, for every connection of this process from now on. */
export function trustAlso(pem: string | null): void {
  if (pem === null) return;
  const [known, more] = [getCACertificates('default'), pem.match(certificate) ?? []];
  setDefaultCACertificates([...known, ...more.filter((one) => !known.includes(one))]);
}

const certificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Makes of PEM texts what connections are opened with; it holds every authority, so make it once. */
export function secureContextOf({ ca, cert, key }: TlsFiles): SecureContext {
  // A list of one's own takes the place of the usual one.
  const trusted = ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] };
  return createSecureContext({ ...trusted, ...(cert && key ? { cert, key } : {}) });
}

/**
 * A connector that connects only to addresses that the policy allows. It judges the addresses that it then connects to,
 * so a name that resolves differently the second time (DNS rebinding) gains nothing. Behind a proxy it is the proxy that
 * looks names up: then literal addresses are judged, and names as far as they can be looked up here.
 */
export function guardedConnector({ policy, timeoutMs, resolve, tls, proxy }: ConnectorOptions): Connector {
  const find = resolve ?? ((hostname) => systemLookup(hostname, { all: true }));
  const connect = buildConnector({
    ...{ lookup: guardedLookup(policy, find), allowH2: false, timeout: timeoutMs },
    ...(tls ? { secureContext: tls } : {}),
  });
  return (target, callback) => {
    // The system connects to a literal address without any lookup.
    const host = target.hostname.replace(/^\[|\]$/g, '');
    const refusal = isIP(host) ? refusalOf(host, policy) : undefined;
    const by = proxy && proxyFor(target, proxy);
    if (refusal) callback(new Failure('upstream_unreachable', refusal), null);
    else if (!by) connect(target, callback);
    else
      void refusalBehindProxy(host, policy, find).then((refused) => {
        if (refused) return callback(refused, null);
        return openTunnel(by, target, timeoutMs || 10_000, (fault, socket) => {
          if (fault) callback(fault, null);
          else if (target.protocol === 'https:') connect({ ...target, httpSocket: socket }, callback);
          else callback(null, socket);
        });
      });
  };
}

/** How long a lookup may take that only judges; networks behind a proxy often have nobody who would answer it. */
const judgingMs = 1_000;

/** One forbidden address is enough: which of them the proxy takes is not known here. */
async function refusalBehindProxy(
  host: string,
  policy: OutboundPolicy,
  find: Resolve,
): Promise<Failure | undefined> {
  if (isIP(host)) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<[]>((resolve) => {
    timer = setTimeout(resolve, judgingMs, []);
  });
  const found = await Promise.race([find(host).catch(() => []), late]);
  clearTimeout(timer);
  const refused = found.filter(({ address }) => refusalOf(address, policy));
  return refused.length > 0 ? refusedName(refused, policy) : undefined;
}

function guardedLookup(policy: OutboundPolicy, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (found) => {
        const allowed = found.filter(({ address }) => !refusalOf(address, policy));
        const [first] = allowed;
        if (!first) callback(refusedName(found, policy), [], 0);
        else if (options.all) callback(null, [...allowed]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, [], 0),
    );
  };
}

function refusedName(found: readonly { address: string }[], policy: OutboundPolicy): Failure {
  const refusal = found[0] && refusalOf(found[0].address, policy);
  return new Failure('upstream_unreachable', refusal ?? 'Its name has no address.');
}
