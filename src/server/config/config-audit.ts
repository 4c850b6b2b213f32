import type { Destination } from '../net/messages-out.ts';
import type { Reader } from './settings.ts';

/** Where audit events go besides the database. */
export interface SinkConfig {
  /** As syslog; null for nowhere. */
  readonly syslog: Destination | null;
  /** As objects of S3; null for nowhere. */
  readonly s3: {
    /** The bucket, with a prefix where one is wanted. */
    readonly url: string;
    readonly region: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  } | null;
  /** The collector that spans are exported to; null when nothing is. */
  readonly otlp: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly serviceName: string;
  } | null;
}

/** Reads where audit events go besides; what is half said is a fault. */
export function sinkConfigOf({ value }: Reader, faults: string[]): SinkConfig {
  const collector = value('OTEL_EXPORTER_OTLP_ENDPOINT');
  const url = value('AUDIT_S3_URL');
  const keys = ['AUDIT_S3_ACCESS_KEY_ID', 'AUDIT_S3_SECRET_ACCESS_KEY'] as const;
  for (const name of keys) if (url && !value(name)) faults.push(`${name}: is missing, AUDIT_S3_URL needs it`);
  const [accessKeyId, secretAccessKey] = [value(keys[0]), value(keys[1])];
  return {
    syslog: value('AUDIT_SYSLOG_URL'),
    s3: url ? { url, region: value('AUDIT_S3_REGION'), accessKeyId, secretAccessKey } : null,
    otlp: collector
      ? {
          url: `${collector}/v1/traces`,
          headers: value('OTEL_EXPORTER_OTLP_HEADERS'),
          serviceName: value('OTEL_SERVICE_NAME'),
        }
      : null,
  };
}
