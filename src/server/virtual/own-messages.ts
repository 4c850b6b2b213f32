import { Failure } from '../failure/errors.ts';
import { type Filter, heldBody } from '../gateway/lists/filter.ts';
import { forOneAlone } from '../gateway/lists/private-scope.ts';
import { applied, type Edit } from '../gateway/lists/prune.ts';
import { EventFilter } from '../gateway/lists/sse.ts';
import { MembersSeen, members } from '../gateway/read/members.ts';
import type { MessageId } from '../gateway/read/read-call.ts';
import { JsonRefusal, JsonScan } from '../http/request/json-scan.ts';
import { seal, unseal } from '../identity/keys.ts';
import { type JsonObject, objectIn } from './wire.ts';

/*
 * The members of a virtual server share each client, and a client takes a response, progress or an end of a question by its id
 * alone, whichever stream it comes on. So each member says only what concerns its own calls.
 */

/** The calls that a member may say something of. */
export interface OwnCalls {
  readonly server: string;
  /** The call that it may respond to; undefined for none. */
  readonly id: MessageId | undefined;
  /** The token of the call's progress; undefined where the client wants to hear of none, null for any. */
  readonly progressToken: unknown;
  /** Whether it may ask the client something: since 2026-07-28 questions are results. */
  readonly asks: boolean;
  /** What its events are called, so that a stream that broke off is taken up where it was; undefined where none can be. */
  readonly eventIds?: EventIds | undefined;
}

/** Names events of members' streams for one session of a client. */
export interface EventIds {
  /** The id that the client gets for an event on the answer to a call. */
  seal(event: EventOf): string;
  /** What it stands for; undefined for one that this session was not given. */
  open(id: string): EventOf | undefined;
}

/** An event of a member: on the answer to which call it came, and its id there. */
interface EventOf {
  readonly server: string;
  readonly call: MessageId;
  readonly id: string;
}

/** Events that a client was given in a session: a member neither learns of those of others, nor answers in their place. */
export function eventIdsOf(key: Buffer, session: string): EventIds {
  const whose = `event ${session}`;
  return {
    seal: ({ server, call, id }) => seal(key, JSON.stringify([server, call, id]), whose),
    open(id) {
      try {
        const [server, call, own] = JSON.parse(unseal(key, id, whose)) as [string, MessageId, string];
        return { server, call, id: own };
      } catch {
        return undefined;
      }
    },
  };
}

const limits = { depth: 200, members: 2_000_000 };
const decisive = members('jsonrpc', 'id', 'method', 'params', 'result', 'error');
type Span = readonly [start: number, end: number];

/**
 * A message of a member as its client may have it: with ids of questions that tell members apart. Undefined when nothing
 * changes, empty for one that is no business of that member's, and for what some client could read in another way.
 */
export function ownMessage(text: string, calls: OwnCalls): string | undefined {
  const spans = spansIn(text);
  if (!spans) return '';
  const valueIn = (name: string): unknown => {
    const span = spans.get(name);
    return span && (JSON.parse(text.slice(...span)) as unknown);
  };
  const edit = (span: Span | undefined, id: unknown): string | undefined => {
    if (!span || (typeof id !== 'string' && typeof id !== 'number')) return '';
    const one: Edit = { start: span[0], end: span[1], text: JSON.stringify(questionId(calls.server, id)) };
    return applied(text, [one]);
  };
  if (!spans.has('method')) {
    const id = valueIn('id');
    if (id === undefined || id === null) return spans.has('error') ? undefined : '';
    return id === calls.id ? undefined : '';
  }
  if (spans.has('result') || spans.has('error')) return '';
  if (spans.has('id')) return calls.asks ? edit(spans.get('id'), valueIn('id')) : '';
  const method = valueIn('method');
  if (method === 'notifications/progress')
    return isOwnProgress(objectIn({ params: valueIn('params') }, 'params'), calls) ? undefined : '';
  if (method !== 'notifications/cancelled') return undefined;
  if (!calls.asks) return '';
  const [start] = spans.get('params') ?? [0];
  const inside = spansIn(text, start);
  const span = inside?.get('requestId');
  return edit(span, span && JSON.parse(text.slice(...span)));
}

/** The same, and since 2026-07-28 with nothing that caches may keep for others. */
function privateMessage(text: string, calls: OwnCalls): string | undefined {
  const own = ownMessage(text, calls);
  if (own === '' || calls.asks || !text.includes('"public"')) return own;
  return forOneAlone(own ?? text);
}

function isOwnProgress({ progressToken: said }: JsonObject, { progressToken }: OwnCalls): boolean {
  // What names no call concerns none.
  return progressToken === null || said === undefined || said === progressToken;
}

/** Where the members of an object are; undefined for what is no object, or can be read in two ways. */
function spansIn(text: string, at?: number): ReadonlyMap<string, Span> | undefined {
  try {
    const scan = new JsonScan(text, limits);
    const start = at ?? scan.space(0);
    if (text.charAt(start) !== '{') return undefined;
    const seen = new MembersSeen(decisive);
    const spans = new Map<string, Span>();
    const end = scan.object(start, 0, (name, value) => {
      seen.add(name);
      const behind = scan.value(value, 1);
      spans.set(name, [value, behind]);
      return behind;
    });
    if (at === undefined) scan.end(end);
    return (seen.twice ?? seen.folded) === undefined ? spans : undefined;
  } catch (error) {
    if (error instanceof JsonRefusal) return undefined;
    throw error;
  }
}

/** A filter for the answer of a member to a call: what it may say passes, message by message; a body that is one message, whole. */
export function ownMessages(calls: OwnCalls, limit: number): Filter {
  return ({ type }) => {
    if (type === 'text/event-stream') {
      const events = new EventFilter(limit, (event, data) =>
        data !== '' && (event === '' || event === 'message') ? privateMessage(data, calls) : undefined,
      );
      // What comes out are whole lines.
      const named = (lines: Buffer): Buffer => withIds(lines, calls);
      return {
        whole: false,
        write: (chunk) => named(events.write(chunk)),
        end: () => [named(events.end())],
      };
    }
    // No client reads another type as a message.
    if (type !== '' && !/[/+]json$/.test(type)) return undefined;
    const tooLarge = (): Failure =>
      new Failure('upstream_invalid', `The server's response is larger than ${limit} bytes.`);
    return heldBody(limit, tooLarge, (chunks, size) => {
      if (size === 0) return chunks;
      const text = Buffer.concat(chunks, size).toString('utf8');
      const own = privateMessage(text.startsWith('\ufeff') ? text.slice(1) : text, calls);
      if (own !== '') return own === undefined ? chunks : [Buffer.from(own, 'utf8')];
      throw new Failure('upstream_invalid', 'The server did not respond to this call.');
    });
  };
}

/** A member's id of an event that is longer is not passed on: it would not fit into a header. */
const longestId = 1_000;

/** Lines of a stream with the client's ids of its events. */
function withIds(lines: Buffer, { server, id: call, eventIds }: OwnCalls): Buffer {
  const hasIds = ['\nid:', '\rid:'].some((mark) => lines.includes(mark));
  if (!hasIds && lines.toString('latin1', 0, 3) !== 'id:') return lines;
  const renamed = lines.toString('utf8').replaceAll(/(?<=^|[\r\n])id: ?([^\r\n]*)/g, (line, id: string) => {
    if (id === '') return line;
    const canResume = eventIds !== undefined && call !== undefined && id.length <= longestId;
    return canResume ? `id: ${eventIds.seal({ server, call, id })}` : ':';
  });
  return Buffer.from(renamed, 'utf8');
}

/** The id that a client sees of a member's question, by which its reply finds the member. */
function questionId(server: string, id: unknown): string {
  return `m.${Buffer.from(server).toString('base64url')}.${JSON.stringify(id)}`;
}

/** The member and its id of the question behind a reply; undefined for an id that no member's question had. */
export function memberOfQuestion(id: string): { server: string; id: unknown } | undefined {
  const [, server, text] = /^m\.([A-Za-z0-9_-]+)\.(.+)$/s.exec(id) ?? [];
  if (server === undefined || text === undefined) return undefined;
  try {
    const own: unknown = JSON.parse(text);
    if (typeof own !== 'string' && typeof own !== 'number') return undefined;
    return { server: Buffer.from(server, 'base64url').toString('utf8'), id: own };
  } catch {
    return undefined;
  }
}
