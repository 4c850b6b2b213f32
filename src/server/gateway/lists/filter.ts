import { isUtf8 } from 'node:buffer';
import { asFailure, Failure } from '../../failure/errors.ts';
import type { MessageId } from '../read/read-call.ts';
import { EventFilter, type RewriteEvent } from './sse.ts';

/** The body of an answer on its way to the client, being filtered. */
export interface FilteredBody {
  /** Whether it is held until it is complete; its headers are, too. */
  readonly whole: boolean;
  write(chunk: Buffer): Buffer;
  /** The rest, in the pieces in which it is there. */
  end(): readonly Buffer[];
  /** Puts an event between two of a stream's, see EventFilter; only where the body is one. */
  insert?(data: string): Buffer | undefined;
}

/** The head of an answer, as far as a filter has to know it. */
export interface AnswerForm {
  readonly status: number;
  /** The media type; empty when there is none, or more than one. */
  readonly type: string;
  /** Whether the text is UTF-8 as far as the media type says. */
  readonly isUtf8: boolean;
}

/** Filters an answer by its form; undefined to let the body pass. */
export type Filter = (form: AnswerForm) => FilteredBody | undefined;

/** How an answer may hold lists. */
export interface FilterOptions {
  /** Takes out of a message what is not shown; undefined when nothing changes. */
  readonly cut: (text: string) => string | undefined;
  /** The same for a body that is one message. */
  readonly cutBytes: (body: Buffer) => Buffer | undefined;
  /** A body in pieces that was cut before, as the pieces that are left; undefined where it has to be read. */
  readonly recall: (pieces: readonly Buffer[], size: number) => readonly Buffer[] | undefined;
  readonly limit: number;
  /** The requests that are answered; what cannot be passed on costs these, and nothing else on the stream. */
  readonly ids: readonly MessageId[];
  /** A stream that goes on: the caller's rights may change meanwhile, so that is asked at each event. */
  readonly showsAll: () => boolean;
  /** Puts other words into a message that is shown; as `cut`, and empty for one that must not pass. */
  readonly reword?: ((text: string) => string | undefined) | undefined;
  /** Rewrites an event of another type than a message's. */
  readonly rewriteOther?: RewriteEvent | undefined;
}

const [eventStream, json] = ['text/event-stream', 'application/json'];

/** A filter for the answer to a list request: server-sent events one by one, anything else whole. */
export function listFilter(options: FilterOptions): Filter {
  return (form) => (form.type === eventStream ? eventBody(options) : wholeBody(options, form));
}

/** A filter for a stream on which a list may come by, replayed or for a request posted elsewhere. */
export function streamFilter(options: FilterOptions): Filter {
  return (form) => {
    if (form.type === eventStream) return eventBody(options);
    return form.status < 300 ? wholeBody(options, form) : undefined;
  };
}

function eventBody(options: FilterOptions): FilteredBody {
  const { limit, cut, showsAll, reword, rewriteOther } = options;
  const events = new EventFilter(
    limit,
    (type, data) => {
      const other = rewriteOther?.(type, data);
      if (other !== undefined) return other;
      const all = showsAll();
      if (all && !reword) return undefined;
      if (!/^\s*[{[]/.test(data)) return isText(data) ? undefined : insteadOf(options, notJson, data);
      try {
        const shown = unambiguousOf(all ? undefined : cut(data), data);
        return reword?.(shown ?? data) ?? shown;
      } catch (error) {
        return insteadOf(options, asFailure(error).message, data);
      }
    },
    (beginning) =>
      insteadOf(
        options,
        `One event is larger than ${limit} bytes; the setting MCP_PROXY_MAX_LIST_BYTES sets how large it may be.`,
        beginning,
      ),
    () => reword !== undefined || !showsAll(),
  );
  return {
    whole: false,
    write: (chunk) => events.write(chunk),
    end: () => [events.end()],
    insert: (data) => events.insert(data),
  };
}

const notJson = 'The server sent a list in a form that is not known: the data of an event is not JSON.';

/** Whether data that is no message has nothing in it that some reader could take for one. */
function isText(data: string): boolean {
  return !data.includes('{') && !data.includes('\ufffd');
}

// Where some readers end a line (Python's splitlines), and what stands for bytes that were no UTF-8.
const readOtherwise = /[\u0085\u2028\u2029\ufffd]/;

/** JSON in which every reader finds the same lines and characters; undefined where that is what came. */
function unambiguousOf(cut: string | undefined, came: string): string | undefined {
  const json = cut ?? came;
  if (!readOtherwise.test(json)) return cut;
  // They stand in strings and nowhere else, or it would not be JSON.
  return json.replace(
    /[\u0085\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What the client gets for an event that cannot be passed on: the failure of the request that it may have answered. */
function insteadOf({ ids }: FilterOptions, message: string, text: string): string {
  const error = { code: 502, message, data: { code: 'upstream_invalid' } };
  const known = ids.length > 0 ? ids : idIn(text);
  const failed = known.map((id) => ({ jsonrpc: '2.0', id, error }));
  if (failed.length > 0) return JSON.stringify(failed.length === 1 ? failed[0] : failed);
  return JSON.stringify({
    ...{ jsonrpc: '2.0', method: 'notifications/message' },
    params: { level: 'error', logger: 'mcp-gateway', data: message },
  });
}

/** The id near the beginning of a message on a stream that answers requests posted elsewhere. */
function idIn(text: string): MessageId[] {
  const [, id] = /"id"\s{0,8}:\s{0,8}("[^"\\]{0,200}"|-?\d{1,20})/.exec(text.slice(0, 4_096)) ?? [];
  return id === undefined ? [] : [JSON.parse(id) as MessageId];
}

function wholeBody(
  { limit, cutBytes, recall, showsAll, reword }: FilterOptions,
  form: AnswerForm,
): FilteredBody {
  const tooLarge = (): Failure =>
    new Failure(
      'upstream_invalid',
      `The list is larger than ${limit} bytes and cannot be read; MCP_PROXY_MAX_LIST_BYTES sets how large it may be.`,
    );
  return heldBody(limit, tooLarge, (chunks, size) => {
    const all = showsAll();
    if (size === 0 || (all && !reword)) return chunks;
    const isJson = form.type === json && form.isUtf8;
    const known = isJson && !reword ? recall(chunks, size) : undefined;
    if (known) return known;
    const [first = nothing] = chunks;
    const body = chunks.length > 1 ? Buffer.concat(chunks, size) : first;
    const reworded = (plain: Buffer): readonly Buffer[] => {
      const text = reword?.(plain.toString('utf8'));
      return [text === undefined ? plain : Buffer.from(text, 'utf8')];
    };
    if (all) return isJson && isUtf8(body) ? reworded(withoutMark(body)) : chunks;
    if (isPage(body, form)) return [body];
    if (!isJson)
      throw unknown('it is not application/json in UTF-8 by the one Content-Type that it may have');
    if (!isUtf8(body) || body.includes(0)) throw unknown('its bytes are not UTF-8');
    const plain = withoutMark(body);
    return reworded(cutBytes(plain) ?? plain);
  });
}

/** A body that is held until it is complete; what goes out is made of its pieces and how long they are together. */
export function heldBody(
  limit: number,
  tooLarge: () => Failure,
  made: (chunks: readonly Buffer[], size: number) => readonly Buffer[],
): FilteredBody {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    whole: true,
    write(chunk) {
      size += chunk.length;
      if (size > limit) throw tooLarge();
      chunks.push(chunk);
      return nothing;
    },
    end: () => made(chunks, size),
  };
}

const nothing = Buffer.alloc(0);

function unknown(why: string): Failure {
  return new Failure('upstream_invalid', `The server sent a list in a form that is not known: ${why}.`);
}

/**
 * Text in the place of a list that no client takes for a message: a reverse proxy's error page, or the `Accepted` with
 * which servers of the oldest transport take a message whose answer comes on the stream.
 */
function isPage(body: Buffer, { status, type }: AnswerForm): boolean {
  if (!(status === 202 || (status !== 200 && type.startsWith('text/')))) return false;
  if (body.includes(0) || !isUtf8(body)) return false;
  return !/^\s*[{["]/.test(withoutMark(body).toString('utf8', 0, 1_024));
}

/** Without the byte order mark that some servers put before JSON, where no parser has to take it (RFC 8259 section 8.1). */
function withoutMark(body: Buffer): Buffer {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;
}
