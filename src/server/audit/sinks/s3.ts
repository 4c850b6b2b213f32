import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Failure } from '../../failure/errors.ts';
import type { Fetch } from '../../net/outbound.ts';
import type { AuditEvent, Sink } from '../event.ts';
import { membersOf } from './rows.ts';
import { canonicalPath, type S3Signer, signedPut } from './signed-put.ts';

/** Where objects go. */
export interface S3Settings extends S3Signer {
  /** `https://host/bucket` or `https://host/bucket/prefix`: the path style, which every S3-compatible storage has. */
  readonly url: string;
}

/** What the sink works with. */
export interface S3World extends S3Settings {
  readonly fetch: Fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A new id each time, which tells objects of the same moment apart. */
  readonly newId: () => string;
}

/** How long events are gathered for one object, in milliseconds, and how many go into one at most. */
const [gatherMs, eventsAtMost] = [60_000, 20_000];

/**
 * Stores every event besides as compressed JSON Lines, an object a minute, named by day and time in UTC. A batch that the
 * storage does not take is offered again, under the same name where it is the same batch, so that none is there twice.
 */
export function s3Sink(world: S3World): Sink {
  const compress = promisify(gzip);
  let last:
    | { readonly first: AuditEvent | undefined; readonly count: number; readonly name: string }
    | undefined;
  const nameOf = (events: readonly AuditEvent[]): string => {
    if (last?.first === events[0] && last?.count === events.length) return last.name;
    const [day = '', time = ''] = new Date(world.now()).toISOString().split('T');
    const name = `${day.replaceAll('-', '/')}/${time.slice(0, 8).replaceAll(':', '')}-${world.newId()}.jsonl.gz`;
    last = { first: events[0], count: events.length, name };
    return name;
  };
  return {
    name: 's3',
    gather: { ms: gatherMs, atMost: eventsAtMost },
    async write(events) {
      const url = new URL(`${world.url}/${nameOf(events)}`);
      url.pathname = canonicalPath(url.pathname);
      const lines = events.map((event) => JSON.stringify(membersOf(event)));
      const body = await compress(`${lines.join('\n')}\n`);
      const type = { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' };
      const headers = signedPut(world, url, body, type, new Date(world.now()));
      const answer = await world.fetch(url, { method: 'PUT', headers, body: new Uint8Array(body) });
      const said = await answer.text().catch(() => '');
      if (!answer.ok) throw new Failure('upstream_invalid', refusalOf(answer.status, said));
    },
  };
}

/** What a refusal says, with the error code of S3 where there is one ("Error Responses" of its API reference), and what to do. */
function refusalOf(status: number, said: string): string {
  const [, code = ''] = /<Code>(\w{1,60})<\/Code>/.exec(said) ?? [];
  const because = code === '' ? '' : ` (${code})`;
  return `The storage did not take it: status ${status}${because}.${remedies.get(code) ?? ''}`;
}

const otherRegion = ' The bucket is in another region; correct AUDIT_S3_REGION and the host of AUDIT_S3_URL.';
const remedies: ReadonlyMap<string, string> = new Map([
  ['SignatureDoesNotMatch', ' AUDIT_S3_SECRET_ACCESS_KEY is not the secret of AUDIT_S3_ACCESS_KEY_ID.'],
  ['InvalidAccessKeyId', ' It does not know AUDIT_S3_ACCESS_KEY_ID.'],
  ['AccessDenied', ' The key needs s3:PutObject on the bucket and the prefix of AUDIT_S3_URL.'],
  ['NoSuchBucket', ' Create the bucket, or correct its name in AUDIT_S3_URL.'],
  [
    'RequestTimeTooSkewed',
    ' Its clock and that of the gateway (of the database, where that is PostgreSQL) are more than 15 minutes apart; set them by NTP.',
  ],
  ...[
    'AuthorizationHeaderMalformed',
    'PermanentRedirect',
    'TemporaryRedirect',
    'InvalidRegion',
    'XMinioInvalidRegion',
  ].map((code) => [code, otherRegion] as const),
]);
