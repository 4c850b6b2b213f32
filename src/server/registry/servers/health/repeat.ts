import { createHash } from 'node:crypto';
import type { Plain, PlainResponse } from '../../../net/plain.ts';

type Send = (...asked: Parameters<Plain>) => Promise<PlainResponse>;

/** One request of a check, and what was said to it. */
interface Exchange {
  /** Its headers as JSON, without those that say who asks. */
  readonly headers: string;
  readonly body: string;
  readonly status: number;
  /** A digest of the answer: of its text, or of the data of its events. */
  readonly said: string;
}

/** A check that found a server well: what it sent, in order. */
interface Recorded {
  readonly exchanges: readonly Exchange[];
  /** Names everything that the server said. */
  readonly mark: string;
}

/** Takes down what a check sends and is told. */
export interface Recorder {
  /** Notes an exchange; what it returns takes the place of the response, whose body is read. */
  note(init: RequestInit | undefined, response: Response): Promise<Response>;
  /** Notes that a request had no answer. */
  fail(): void;
  /** What was noted; undefined where something of it cannot be compared, such as an answer that did not end. */
  taken(): Recorded | undefined;
}

const sessionHeader = 'mcp-session-id';

/** Makes the recorder of one check. */
export function createRecorder(): Recorder {
  const noted: (() => Exchange | undefined)[] = [];
  return {
    async note(init, response) {
      const { status } = response;
      const [headers, body] = [shared(JSON.stringify([...new Headers(init?.headers)])), init?.body];
      if (typeof body !== 'string') {
        noted.push(() => undefined);
        return response;
      }
      const asked = { headers, body: shared(body), status };
      if (!response.ok || !response.body) {
        noted.push(() => ({ ...asked, said: '' }));
        return response;
      }
      const again = { status, statusText: response.statusText, headers: uncoded(response.headers) };
      if (!isEvents(response.headers.get('content-type'))) {
        const text = await response.text();
        noted.push(() => ({ ...asked, said: digest(text) }));
        return new Response(text, again);
      }
      const decoder = new TextDecoder();
      const read = untilAnswer(body);
      const passing = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          read(decoder.decode(chunk, { stream: true }));
          controller.enqueue(chunk);
        },
      });
      noted.push(() => {
        const data = read('');
        return data === undefined ? undefined : { ...asked, said: digest(data) };
      });
      return new Response(response.body.pipeThrough(passing), again);
    },
    fail() {
      noted.push(() => undefined);
    },
    taken() {
      const exchanges = noted.map((read) => read());
      if (exchanges.length === 0 || !exchanges.every((one) => one !== undefined)) return undefined;
      return { exchanges, mark: markOf(exchanges) };
    },
  };
}

/**
 * Asks a server the same again; true when it says the same. Anything else is false, an error too: a check finds out what it
 * is. `proof` are the headers (name, value, name, value) that say who asks. A session that was made is ended.
 */
async function saysTheSame(
  send: Send,
  url: URL,
  { exchanges }: Recorded,
  { proof, ms }: { proof: readonly string[]; ms: number },
): Promise<boolean> {
  const signal = AbortSignal.timeout(ms);
  let session: string | undefined;
  let last: Record<string, string> = {};
  const headersOf = (stored: Record<string, string>): Record<string, string> => {
    const { [sessionHeader]: had, ...rest } = stored;
    const all: Record<string, string> = { ...rest, ...(had && session ? { [sessionHeader]: session } : {}) };
    for (let at = 0; at + 1 < proof.length; at += 2)
      all[(proof[at] ?? '').toLowerCase()] = proof[at + 1] ?? '';
    return all;
  };
  try {
    for (const { headers, body, status, said } of exchanges) {
      last = Object.fromEntries(JSON.parse(headers) as [string, string][]);
      const answer = await send(url, { method: 'POST', headers: headersOf(last), body, signal });
      session = answer.headers[sessionHeader] ?? session;
      if (answer.status !== status) return false;
      if (said !== (await saidIn(answer, body))) return false;
    }
    return true;
  } catch {
    return false;
  } finally {
    if (session !== undefined)
      await leave(send, url, headersOf({ ...last, [sessionHeader]: session }), signal);
  }
}

async function leave(
  send: Send,
  url: URL,
  { 'content-type': _, ...headers }: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  await send(url, { method: 'DELETE', headers, signal })
    .then(({ end }) => end())
    .catch(() => {});
}

async function saidIn(answer: PlainResponse, asked: string): Promise<string> {
  if (answer.status < 200 || answer.status > 299) {
    answer.end();
    return '';
  }
  if (!isEvents(answer.headers['content-type'] ?? null)) {
    let text = '';
    for await (const part of answer.parts()) text += part;
    return digest(text);
  }
  const read = untilAnswer(asked);
  for await (const part of answer.parts()) {
    const data = read(part);
    if (data === undefined) continue;
    answer.end();
    return digest(data);
  }
  return 'no answer';
}

/**
 * Reads events (WHATWG HTML, section 9.2.6) that come in parts, up to the one that is the answer to a request: gives the data
 * of all of them from then on, and undefined before and where one is no JSON. Each byte is looked at once, however small the
 * parts are.
 */
function untilAnswer(asked: string): (part: string) => string | undefined {
  const { id } = JSON.parse(asked) as { id?: unknown };
  const data: string[] = [];
  let [line, event]: [string[], string[]] = [[], []];
  let answer: string | undefined;
  let isOver = false;
  const endEvent = (): void => {
    const message = event.join('\n');
    event = [];
    if (message === '') return;
    data.push(message);
    try {
      const said = JSON.parse(message) as { id?: unknown; method?: unknown };
      if (said.id !== id || said.method !== undefined) return;
      answer = data.join('\n');
    } catch {
      // It cannot be compared.
    }
    isOver = true;
  };
  const endLine = (text: string): void => {
    if (text === '') endEvent();
    else if (text.startsWith('data:')) event.push(text.slice(5).trimStart());
  };
  return (part) => {
    if (isOver) return answer;
    const [first = '', ...more] = part.split('\n');
    line.push(first);
    for (const next of more) {
      const ended = line.join('');
      endLine(ended.endsWith('\r') ? ended.slice(0, -1) : ended);
      if (isOver) break;
      line = [next];
    }
    return answer;
  };
}

function isEvents(type: string | null): boolean {
  return type?.toLowerCase().startsWith('text/event-stream') ?? false;
}

/** The headers of a response whose body is no longer as it went over the wire. */
function uncoded(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) kept.delete(name);
  return kept;
}

function digest(text: string): string {
  if (text === '') return '';
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

function markOf(exchanges: readonly Exchange[]): string {
  return digest(exchanges.map(({ body, status, said }) => `${body} ${status} ${said}`).join('\n'));
}

/** Thousands of servers are asked the same words: each is kept once. */
const known = new Map<string, string>();
function shared(text: string): string {
  const found = known.get(text);
  if (found !== undefined) return found;
  if (known.size >= 500) known.clear();
  known.set(text, text);
  return text;
}

/** A check that found a server well, with what it found. */
interface Kept<Found> extends Recorded {
  readonly found: Found;
}

/** The checks that found servers well, to ask the same again. */
export interface Repeats<Found> {
  /** What was found when a server said what `mark` names, if it still says so; undefined where it does not, or nobody knows. */
  same(url: URL, proof: readonly string[], mark: string): Promise<Found | undefined>;
  /** Keeps a check in full, or forgets the server where it cannot be asked so. */
  keep(url: URL, proof: readonly string[], kept: Kept<Found> | undefined): void;
}

/** How many servers are remembered, and how many checks in full at most lie between two tries. */
const [mostKept, longestWait] = [20_000, 64];

/** Makes the memory of checks; `ms` is how long asking again may take. */
export function createRepeats<Found>(send: Send, ms: number): Repeats<Found> {
  /** With how often in a row it said something else, and how many checks in full come before it is asked again. */
  const kept = new Map<string, Kept<Found> & { readonly misses: number; wait: number }>();
  const keyOf = (url: URL, proof: readonly string[]): string => digest(JSON.stringify([url.href, proof]));
  return {
    async same(url, proof, mark) {
      const before = kept.get(keyOf(url, proof));
      if (before?.mark !== mark) return undefined;
      if (before.wait > 0) {
        before.wait -= 1;
        return undefined;
      }
      const isSame = await saysTheSame(send, url, before, { proof, ms });
      const misses = isSame ? 0 : before.misses + 1;
      kept.set(keyOf(url, proof), {
        ...before,
        misses,
        wait: misses < 2 ? 0 : Math.min(2 ** misses, longestWait),
      });
      return isSame ? before.found : undefined;
    },
    keep(url, proof, found) {
      const key = keyOf(url, proof);
      const { misses = 0, wait = 0 } = kept.get(key) ?? {};
      kept.delete(key);
      if (found) kept.set(key, { ...found, misses, wait });
      for (const oldest of kept.keys()) {
        if (kept.size <= mostKept) break;
        kept.delete(oldest);
      }
    },
  };
}
