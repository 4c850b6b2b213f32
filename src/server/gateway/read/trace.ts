import { randomUUID } from 'node:crypto';

// W3C Trace Context, section 3.2: ids of zeros are invalid, and a version after 00 may say more behind what 00 says.
const valid =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-[\x21-\x7e]*)?$/;
/** Section 3.3: up to 512 characters must be passed on; others would be another header's. */
const visible = /^[\x20-\x7e]{1,512}$/;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A trace, and the span in it that a request comes from. */
export interface Trace {
  /** The `traceparent` that says so. */
  readonly parent: string;
  /** The `tracestate` beside one that a message's `_meta` says; one that is a header is passed on as it is. */
  readonly state?: string | undefined;
  readonly traceId: string;
  readonly parentSpanId: string;
}

/** What a `traceparent` says; undefined when there is none that is valid. */
export function traceIn(parent: string | readonly string[] | undefined, state?: string): Trace | undefined {
  if (typeof parent !== 'string') return undefined;
  const [, version, traceId, parentSpanId, more] = valid.exec(parent) ?? [];
  if (!traceId || !parentSpanId || (version === '00' && more !== undefined)) return undefined;
  return { parent, traceId, parentSpanId, state: state && visible.test(state) ? state : undefined };
}

/**
 * A `traceparent` for a request that came without one. The trace id is the correlation id without its dashes, so that the
 * audit record names the trace. It says "sampled", because nobody has decided yet and "not" would end the matter.
 */
export function newTraceparent(correlationId: string): string {
  const id = (uuid.test(correlationId) ? correlationId : randomUUID()).replaceAll('-', '');
  // The second half of a UUID begins with its variant and so is never all zeros.
  return `00-${id}-${id.slice(16)}-01`;
}
