import { withoutEndSlashes } from '../../contract/values/names.ts';
import type { Destination } from '../net/messages-out.ts';
import { integer, setting, text, url, wrong } from './setting.ts';

/** The settings of what watches over servers and gateway: a part of `settings`. */
export const operationSettings = {
  HEALTH_CHECK_INTERVAL_SECONDS: setting({
    group: 'Operation',
    about:
      'How often each enabled server is checked, in seconds; failing ones sooner at first. 0: only when asked to.',
    default: '300',
    parse: integer(0, 86400),
  }),
  HEALTH_SLOW_MS: setting({
    group: 'Operation',
    about: 'From how many milliseconds on a check that went well calls the server slow.',
    default: '5000',
    parse: integer(1, 60000),
  }),
  SHUTDOWN_DELAY_SECONDS: setting<number | null>({
    group: 'Operation',
    about:
      'How long the process serves on after SIGTERM, in seconds, while `/readyz` says that it is ending: as long as load ' +
      'balancers take to send new calls elsewhere. Then it takes no more connections and finishes what is in flight.',
    default: '',
    defaultNote: '5; 0 in evaluation mode',
    parse: (value) => (value === '' ? null : integer(0, 300)(value)),
  }),
  METRICS_PORT: setting({
    group: 'Operation',
    about:
      'A port of its own for `GET /metrics` (Prometheus), without sign-in. 0: none; `/api/metrics` is there in any case, ' +
      'for administrators.',
    default: '0',
    parse: integer(0, 65535),
  }),
  METRICS_HOST: setting({
    group: 'Operation',
    about: 'The address that METRICS_PORT listens on; let only the monitoring reach it.',
    default: '127.0.0.1',
    parse: text,
  }),
  AUDIT_SYSLOG_URL: setting({
    group: 'Operation',
    about:
      'Where every audit event is also sent, as syslog (RFC 5424): `tls://host:6514`, `tcp://host:601` or `udp://host:514`. While it ' +
      'cannot be reached events wait in memory, 100,000 at most.',
    default: '',
    parse: syslogUrl,
  }),
  AUDIT_S3_URL: setting({
    group: 'Operation',
    about:
      'S3 or a storage that is compatible with it, as `https://s3.eu-central-1.amazonaws.com/bucket/prefix`: every audit event is ' +
      'stored there besides, in one compressed object of JSON lines a minute and process. While it does not take them events wait ' +
      'in memory, 100,000 at most.',
    default: '',
    parse: s3Url,
  }),
  AUDIT_S3_REGION: setting({
    group: 'Operation',
    about: 'The region that requests to AUDIT_S3_URL are signed for.',
    default: 'us-east-1',
    parse: text,
  }),
  AUDIT_S3_ACCESS_KEY_ID: setting({
    group: 'Operation',
    about: 'The access key that may put objects there.',
    default: '',
    parse: text,
  }),
  AUDIT_S3_SECRET_ACCESS_KEY: setting({
    group: 'Operation',
    about: 'Its secret.',
    default: '',
    secret: true,
    parse: text,
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting({
    group: 'Operation',
    about:
      'An OpenTelemetry collector, such as http://localhost:4318: each MCP call is exported to it as a span (OTLP over HTTP, ' +
      'JSON). Nothing is exported, and nothing spent on it, without.',
    default: '',
    parse: url,
  }),
  OTEL_EXPORTER_OTLP_HEADERS: setting({
    group: 'Operation',
    about: 'Headers for the collector, as `name=value` with commas between; values percent-encoded.',
    default: '',
    secret: true,
    parse: headers,
  }),
  OTEL_SERVICE_NAME: setting({
    group: 'Operation',
    about: 'What the spans call this gateway.',
    default: 'mcp-gateway',
    parse: text,
  }),
} as const;

/** The address of a bucket, its name in the path. */
function s3Url(value: string): string {
  if (value === '') return '';
  const asked = URL.canParse(value) ? new URL(value) : undefined;
  const path = withoutEndSlashes(asked?.pathname ?? '');
  if (!asked || !/^https?:$/.test(asked.protocol) || asked.username || /[?#]/.test(value) || path === '')
    return wrong('is not an address such as https://s3.eu-central-1.amazonaws.com/bucket/prefix');
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return wrong(`has a '%' in its path that encodes nothing; write '%25' for the character itself`);
  }
  // Storages do not agree on an empty part.
  if (decoded.includes('//') || decoded.endsWith('/')) return wrong(`has '//' in its path; write one '/'`);
  return `${asked.origin}${path}`;
}

/** The ports that RFC 5425, RFC 3195 and RFC 5426 have registered. */
const syslogPorts = { tls: 6514, tcp: 601, udp: 514 } as const;

function syslogUrl(value: string): Destination | null {
  if (value === '') return null;
  const [, protocol, host = '', port] =
    /^(tls|tcp|udp):\/\/([\w.-]+|\[[\da-fA-F:.]+\])(?::(\d{1,5}))?\/?$/.exec(value) ?? [];
  if (protocol !== 'tls' && protocol !== 'tcp' && protocol !== 'udp')
    return wrong(`'${value}' is not tls://host:port, tcp://host:port or udp://host:port`);
  const bare = host.replace(/^\[|\]$/g, '');
  return { protocol, host: bare, port: port ? integer(1, 65535)(port) : syslogPorts[protocol] };
}

/** Headers in the form of W3C Baggage without properties (OpenTelemetry, "OTLP exporter configuration"). */
function headers(value: string): Record<string, string> {
  const pairs = value.split(',').filter((part) => part.trim() !== '');
  return Object.fromEntries(pairs.map(headerOf));
}

function headerOf(pair: string): [string, string] {
  const [name, given] = [pair.slice(0, pair.indexOf('=')).trim(), pair.slice(pair.indexOf('=') + 1).trim()];
  try {
    if (/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) return [name.toLowerCase(), decodeURIComponent(given)];
  } catch {
    // Refused below, as any other fault.
  }
  return wrong('is not a list of name=value with commas between, values percent-encoded');
}
