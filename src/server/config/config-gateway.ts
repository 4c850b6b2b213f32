import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TlsFiles } from '../net/connector.ts';
import type { ProxyRules } from '../net/proxy.ts';
import type { Reader, SettingName } from './settings.ts';

/** What the data plane takes and holds at most, as far as settings say; times in milliseconds, sizes in bytes. */
export interface GatewayConfig {
  readonly limits: {
    readonly bodyBytes: number;
    readonly bodyBytesPerIdentity: number;
    readonly bodyBytesTotal: number;
    readonly bodyMs: number;
    readonly headersMs: number;
    readonly callMs: number;
    readonly connectMs: number;
    readonly filterBytes: number;
    readonly answerHeaderBytes: number;
    readonly requests: number;
    readonly connectionsPerServer: number;
    readonly queuePerServer: number;
    readonly streamsPerServer: number;
    readonly streamsPerIdentity: number;
    readonly callsPerIdentity: number;
    readonly refusalsPerMinute: number;
    readonly keepAliveMs: number;
    readonly streamIdleMs: number;
    readonly stallMs: number;
    readonly breakerFailures: number;
    readonly breakerMaxMs: number;
  };
  /** For TLS to servers; undefined: as the system has it. */
  readonly tls: TlsFiles | undefined;
  /** How long clients may take to send, and how much may stand before a body. */
  readonly clients: { readonly headersMs: number; readonly requestMs: number; readonly headerBytes: number };
}

/** Reads the settings of the data plane. */
export function gatewayOf(read: Reader, directory: string, faults: string[]): GatewayConfig {
  const { value } = read;
  return {
    tls: tlsOf(read, directory, faults),
    limits: {
      bodyBytes: value('MCP_PROXY_MAX_BODY_BYTES'),
      bodyBytesPerIdentity: value('MCP_PROXY_BODY_BYTES_PER_IDENTITY'),
      bodyBytesTotal: value('MCP_PROXY_BODY_BYTES_TOTAL'),
      bodyMs: value('MCP_PROXY_BODY_TIMEOUT') * 1000,
      headersMs: value('MCP_PROXY_TIMEOUT') * 1000,
      callMs: value('MCP_CALL_TIMEOUT_SECONDS') * 1000,
      connectMs: value('MCP_PROXY_CONNECT_TIMEOUT_MS'),
      filterBytes: value('MCP_PROXY_MAX_LIST_BYTES'),
      answerHeaderBytes: value('MCP_PROXY_MAX_RESPONSE_HEADER_BYTES'),
      requests: value('MCP_PROXY_MAX_REQUESTS'),
      connectionsPerServer: value('MCP_PROXY_CONNECTIONS_PER_SERVER'),
      queuePerServer: value('MCP_PROXY_QUEUE_PER_SERVER'),
      streamsPerServer: value('MCP_PROXY_STREAMS_PER_SERVER'),
      streamsPerIdentity: value('MCP_PROXY_STREAMS_PER_IDENTITY'),
      callsPerIdentity: value('MCP_PROXY_CALLS_PER_IDENTITY'),
      refusalsPerMinute: value('MCP_PROXY_REFUSALS_PER_MINUTE'),
      keepAliveMs: value('MCP_STREAM_KEEPALIVE_SECONDS') * 1000,
      streamIdleMs: value('MCP_STREAM_IDLE_SECONDS') * 1000,
      stallMs: value('MCP_PROXY_STALL_SECONDS') * 1000,
      breakerFailures: value('MCP_PROXY_BREAKER_FAILURES'),
      breakerMaxMs: value('MCP_PROXY_BREAKER_MAX_SECONDS') * 1000,
    },
    clients: {
      headersMs: value('CLIENT_HEADERS_TIMEOUT_SECONDS') * 1000,
      requestMs: value('CLIENT_REQUEST_TIMEOUT_SECONDS') * 1000,
      headerBytes: value('CLIENT_MAX_HEADER_BYTES'),
    },
  };
}

/** The forward proxies that the settings name. */
export function proxyOf({ value }: Reader): ProxyRules {
  return { https: value('HTTPS_PROXY'), http: value('HTTP_PROXY'), except: value('NO_PROXY') };
}

/** The further authorities (PEM) that everything out of here trusts; null for none. */
export function extraAuthorities(
  { value, given }: Reader,
  directory: string,
  faults: string[],
): string | null {
  if (!given('EXTRA_CA_FILE')) return null;
  const file = resolve(directory, value('EXTRA_CA_FILE'));
  try {
    const pem = readFileSync(file, 'utf8');
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'does not exist' : 'is not a PEM file with certificates';
    faults.push(`EXTRA_CA_FILE: ${file} ${why}; export the authority from the proxy as PEM (base64)`);
    return null;
  }
}

function tlsOf(read: Reader, directory: string, faults: string[]): TlsFiles | undefined {
  const { value, given } = read;
  const [caName, certName, keyName] = [
    'UPSTREAM_CA_FILE',
    'UPSTREAM_CLIENT_CERT_FILE',
    'UPSTREAM_CLIENT_KEY_FILE',
  ] as const;
  if (given(keyName) && !given(certName)) faults.push(`${keyName}: is set although ${certName} is not`);
  if (!given(caName) && !given(certName)) return undefined;
  const usable = (name: SettingName, file: string, check: (pem: string) => boolean, wanted: string) => {
    try {
      const pem = readFileSync(resolve(directory, file), 'utf8');
      if (check(pem)) return pem;
      faults.push(`${name}: ${file} is not ${wanted}`);
    } catch (error) {
      faults.push(`${name}: cannot be used (${(error as Error).message}); it must be ${wanted}`);
    }
    return undefined;
  };
  const ca = given(caName)
    ? usable(caName, value(caName), areCertificates, 'a PEM file with certificates of authorities')
    : undefined;
  if (!given(certName)) return { ca };
  const cert = usable(certName, value(certName), areCertificates, 'a PEM file with a certificate');
  const fits = (pem: string): boolean =>
    cert === undefined || new X509Certificate(cert).checkPrivateKey(createPrivateKey(pem));
  const keyFile = value(keyName) || value(certName);
  return { ca, cert, key: usable(keyName, keyFile, fits, `a PEM file with the key of ${certName}`) };
}

function areCertificates(pem: string): boolean {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return found.map((one) => new X509Certificate(one)).length > 0;
}
