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
      await answer.body?.cancel();
      if (!answer.ok)
        throw new Failure('upstream_invalid', `The storage did not take it: status ${answer.status}.`);
    },
  };
}
