import { Failure } from '../failure/errors.ts';
import { EventFilter, type RewriteEvent } from './sse.ts';

/** The body of an answer on its way to the client, being filtered. */
export interface FilteredBody {
  /** Whether it is held until it is complete; its headers are, too. */
  readonly whole: boolean;
  write(chunk: Buffer): Buffer;
  end(): Buffer;
}

/** Filters an answer by its media type; undefined to let the body pass. */
export type Filter = (status: number, type: string) => FilteredBody | undefined;

/** How an answer may hold lists. */
export interface FilterOptions {
  /** Takes out of a message what is not shown; undefined when nothing changes. */
  readonly cut: (text: string) => string | undefined;
  /** The same for a body that is one message. */
  readonly cutBytes: (body: Buffer) => Buffer | undefined;
  readonly limit: number;
  /** A stream that goes on: the caller's rights may change meanwhile, so that is asked at each event. */
  readonly showsAll: () => boolean;
  /** Rewrites an event of another type than a message's. */
  readonly rewriteOther?: RewriteEvent | undefined;
}

const eventStream = 'text/event-stream';

/** A filter for the answer to a list request: server-sent events one by one, anything else whole. */
export function listFilter(options: FilterOptions): Filter {
  return (_, type) => (type === eventStream ? eventBody(options) : wholeBody(options, type));
}

/** A filter for a stream on which a list may come by, replayed or for a request posted elsewhere. */
export function streamFilter(options: FilterOptions): Filter {
  return (status, type) => {
    if (type === eventStream) return eventBody(options);
    return status < 300 ? wholeBody(options, type) : undefined;
  };
}

function eventBody({ limit, cut, showsAll, rewriteOther }: FilterOptions): FilteredBody {
  const events = new EventFilter(limit, (type, data) => {
    const other = rewriteOther?.(type, data);
    if (other !== undefined) return other;
    return showsAll() ? undefined : cut(data);
  });
  return { whole: false, write: (chunk) => events.write(chunk), end: () => events.end() };
}

function wholeBody({ limit, cutBytes, showsAll }: FilterOptions, type: string): FilteredBody {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    whole: true,
    write(chunk) {
      size += chunk.length;
      if (size > limit)
        throw new Failure(
          'upstream_invalid',
          `The list is larger than ${limit} bytes and cannot be filtered.`,
        );
      chunks.push(chunk);
      return nothing;
    },
    end() {
      const [first = nothing] = chunks;
      const body = chunks.length > 1 ? Buffer.concat(chunks, size) : first;
      if (showsAll()) return body;
      return cutWhole(body, type, cutBytes) ?? body;
    },
  };
}

const nothing = Buffer.alloc(0);

function cutWhole(body: Buffer, type: string, cut: FilterOptions['cutBytes']): Buffer | undefined {
  try {
    return cut(body);
  } catch (error) {
    // A page of text that no client takes for a message, such as a reverse proxy's error page.
    if (type.startsWith('text/') && /^\s*[^[{\s]/.test(body.toString('utf8'))) return undefined;
    throw error;
  }
}
