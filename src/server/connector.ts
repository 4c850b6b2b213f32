import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { type OutboundPolicy, refusalOf } from './addresses.ts';
import { Failure } from './errors.ts';

/** Finds the addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly { address: string; family: number }[]>;

/** Opens connections, as undici wants it. */
export type Connector = buildConnector.connector;

/** How connections are opened. */
export interface ConnectorOptions {
  readonly policy: OutboundPolicy;
  /** Milliseconds until the connection stands, its name's lookup included; 0: no limit of its own. */
  readonly timeoutMs: number;
  /** How names become addresses; the system's way unless given. */
  readonly resolve?: Resolve | undefined;
}

/**
 * A connector that connects only to addresses that the policy allows. It judges the addresses that it then connects to,
 * so a name that resolves differently the second time (DNS rebinding) gains nothing.
 */
export function guardedConnector({ policy, timeoutMs, resolve }: ConnectorOptions): Connector {
  const lookup = guardedLookup(policy, resolve ?? ((hostname) => systemLookup(hostname, { all: true })));
  const connect = buildConnector({ lookup, allowH2: false, timeout: timeoutMs });
  return (target, callback) => {
    // The system connects to a literal address without any lookup.
    const host = target.hostname.replace(/^\[|\]$/g, '');
    const refusal = isIP(host) ? refusalOf(host, policy) : undefined;
    if (refusal) callback(new Failure('upstream_unreachable', refusal), null);
    else connect(target, callback);
  };
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
