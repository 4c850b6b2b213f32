import type { IncomingHttpHeaders } from 'node:http';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { Failure } from '../failure/errors.ts';
import type { Exchange } from './exchange.ts';
import type { Filter, FilteredBody } from './lists/filter.ts';
import { ToolsChangedSpotter } from './lists/sse.ts';
import { type AnswerHeaders, answerHeaders, headersOfChanged } from './pass-headers.ts';
import { noteFailure, refuse } from './refuse.ts';
import type { Care } from './sessions/tend.ts';
import type { PoolPlace, SettledHandler, Upstreams } from './upstream/upstream.ts';
import { upstreamFailure } from './upstream/upstream-failure.ts';

const decoders: ReadonlyMap<string, () => Transform> = new Map([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => createZstdDecompress()],
]);

/**
 * A decompressor for an answer that has to be read although the server was asked not to compress it; undefined when
 * it is not compressed. Fails with `upstream_invalid` for a coding, or a stack of codings, that is not known.
 */
function decoderFor(encoding: string): Transform | undefined {
  if (encoding === '' || encoding === 'identity') return undefined;
  const make = decoders.get(encoding);
  if (!make)
    throw new Failure('upstream_invalid', 'The server compressed a list in a way that cannot be read here.');
  return make();
}

/** Where an exchange goes, and how its answer comes back. */
export interface Errand extends PoolPlace {
  readonly path: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: readonly string[];
  readonly body: Buffer | null;
  /** Absent: the answer passes as it is. */
  readonly filter: Filter | undefined;
  /** How long the headers of the answer are waited for, in milliseconds, and what sets that. */
  readonly wait: { readonly ms: number; readonly setting: string };
  /** Whose credential goes along, where it is not the operator's. */
  readonly connection?: object | undefined;
  /** Whether the server may ask the client to sign in: its setting passes on the client's own credential. */
  readonly passesChallenge: boolean;
  /** Told when the headers of the answer are here, with the server's session id; returns the one for the client. */
  onAnswer(session: string | undefined): string | undefined;
  /** Whether an answer of this status is left, because the request is made anew in another way; asked before its head passes. */
  takesOver?: ((status: number) => boolean) | undefined;
  /** Told when an event stream says on its way that the server's tools changed. */
  onToolsChanged(): void;
}

/** Sends an exchange's request to its server and the answer back, both as they come. */
export function forward(upstreams: Upstreams, exchange: Exchange, errand: Errand): void {
  const passage = new Passage(exchange, errand);
  const { path, method, body } = errand;
  exchange.passage = passage;
  try {
    const request = { path, method, body, headers: errand.headers as string[] };
    upstreams.send(errand, exchange.longLived, request, passage);
  } catch (error) {
    passage.onResponseError(null, error as Error);
  }
}

class HungUp extends Error {}

const redirects: ReadonlySet<number> = new Set([300, 301, 302, 303, 305, 306, 307, 308]);
const challenges: ReadonlySet<string> = new Set(['www-authenticate']);
const lineFeed = 0x0a;
/** A comment line (WHATWG HTML, section 9.2.6); an empty line behind it would end an event that has begun. */
const keepAlive = ': keep-alive\n';
/** Bytes up to which copying a body is cheaper than writing it beside its headers. */
const shortBody = 8_192;
const plainText = /^[\t\x20-\x7e]*$/;

/** One answer on its way from the server to the client. */
class Passage implements SettledHandler {
  settled: (() => void) | undefined;
  readonly #exchange: Exchange;
  readonly #errand: Errand;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #over = false;
  #body: FilteredBody | undefined;
  /** Bytes of a filtered body that are on their way. */
  #filtered = 0;
  #decoder: Transform | undefined;
  #head: { status: number; text: string; headers: string[] } | undefined;
  #missing = -1;
  /** The headers are set, and go out with the first piece of the body. */
  #headWaits = false;
  #waitsForDrain = false;
  /** The answer is an event stream whose text passes here, so that a comment may be put between two of its lines. */
  #takesComments = false;
  #spotter: ToolsChangedSpotter | undefined;
  #lastByte = lineFeed;
  /** Rounds since the server last sent something, and since the client last took something. */
  #silent = 0;
  #stalled = 0;
  #unread = 0;

  constructor(exchange: Exchange, errand: Errand) {
    this.#exchange = exchange;
    this.#errand = errand;
    this.#timer = setTimeout(tooLate, errand.wait.ms, this);
  }

  /** Nobody waits for the answer any more. */
  hangUp(): void {
    this.#stop(new HungUp());
  }

  /** One round of looking after it: silence is filled or ended, and a client that reads nothing given up. */
  tend({ comments, idleRounds, stallRounds }: Care): void {
    const { res, longLived } = this.#exchange;
    if (!res.headersSent || res.destroyed) return;
    const unread = res.socket?.writableLength ?? 0;
    this.#stalled = unread > 0 && unread === this.#unread ? this.#stalled + 1 : 0;
    this.#unread = unread;
    if (this.#stalled >= stallRounds) this.#giveUp('client_stalled', () => res.destroy());
    else if (this.#takesComments && !this.#over) {
      this.#silent += 1;
      if (longLived && this.#silent > idleRounds) this.#giveUp('stream_idle', () => res.end());
      // In the middle of a line a comment would become part of it; after CR alone the line end may go on with LF.
      else if (comments && this.#silent > 1 && this.#lastByte === lineFeed && !res.writableNeedDrain)
        res.write(keepAlive);
    }
  }

  /** Puts a message of the gateway's own between two events of the stream; false where nobody takes it in. */
  say(message: string): boolean {
    const { res } = this.#exchange;
    if (this.#over || !res.headersSent || res.destroyed || res.writableNeedDrain) return false;
    const out = this.#body?.insert?.(message);
    if (out === undefined) return false;
    if (out.length > 0) {
      this.#lastByte = lineFeed;
      res.write(out);
    }
    return true;
  }

  #giveUp(reason: string, end: () => void): void {
    this.#exchange.reason = reason;
    if (!this.#over) this.#stop(new HungUp());
    end();
  }

  /** The headers did not come in time. */
  late(): void {
    const { ms, setting } = this.#errand.wait;
    this.#fail(
      new Failure(
        'upstream_timeout',
        `The server did not start to respond within ${ms / 1000} s; ${setting} sets how long it may take.`,
      ),
    );
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new HungUp());
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _parsed: IncomingHttpHeaders,
    text = '',
  ): void {
    if (status < 200 || this.#over) return;
    if (this.#errand.takesOver?.(status)) {
      this.#stop(new HungUp());
      return;
    }
    const { passesChallenge } = this.#errand;
    if (!passesChallenge || redirects.has(status)) refuseToSpeakForUs(status, this.#errand);
    const raw = controller.rawHeaders;
    const more = passesChallenge ? challenges : undefined;
    const answer = answerHeaders(Array.isArray(raw) ? raw : [], status, this.#exchange.id, more);
    const session = this.#errand.onAnswer(answer.session);
    if (session !== undefined) answer.headers.push('mcp-session-id', session);
    const body = this.#errand.filter?.({ status, type: answer.type, isUtf8: answer.isUtf8 });
    this.#head = { status, text, headers: body ? headersOfChanged(answer.headers) : answer.headers };
    if (body) this.#filterBody(body, answer, controller);
    else this.#missing = answer.length ?? -1;
    const isStream = answer.type === 'text/event-stream';
    const isText = isStream && (body !== undefined || answer.encoding === '');
    this.#takesComments = isText && this.#missing < 0;
    if (isText) this.#spotter = new ToolsChangedSpotter();
    if (!body?.whole) this.#writeHead(isStream);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    if (this.#decoder) {
      if (!this.#decoder.write(chunk)) controller.pause();
    } else this.#deliver(chunk);
  }

  onResponseEnd(): void {
    this.#settle();
    if (this.#over) return;
    if (this.#decoder) this.#decoder.end();
    else this.#finish();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#settle();
    this.#fail(upstreamFailure(error));
  }

  #settle(): void {
    this.settled?.();
    this.settled = undefined;
  }

  #filterBody(body: FilteredBody, answer: AnswerHeaders, controller: Dispatcher.DispatchController): void {
    this.#body = body;
    const decoder = decoderFor(answer.encoding);
    if (!decoder) return;
    this.#decoder = decoder;
    decoder.on('data', (chunk: Buffer) => this.#guard(() => this.#deliver(chunk)));
    decoder.on('drain', () => controller.resume());
    decoder.on('end', () => this.#guard(() => this.#finish()));
    decoder.on('error', (cause) =>
      this.#fail(
        new Failure('upstream_invalid', 'The server sent a damaged compressed response.', { cause }),
      ),
    );
  }

  #guard(step: () => void): void {
    try {
      if (!this.#over) step();
    } catch (error) {
      this.#fail(upstreamFailure(error as Error));
    }
  }

  #writeHead(atOnce: boolean): void {
    const head = this.#head;
    if (!head) return;
    clearTimeout(this.#timer);
    const { res } = this.#exchange;
    if (head.text && plainText.test(head.text)) res.writeHead(head.status, head.text, head.headers);
    else res.writeHead(head.status, head.headers);
    if (atOnce) res.flushHeaders();
    this.#headWaits = !atOnce;
  }

  #deliver(chunk: Buffer): void {
    const out = this.#body ? this.#body.write(chunk) : chunk;
    if (out.length === 0) return;
    if (this.#body) this.#filtered += out.length;
    if (this.#spotter?.spots(out)) this.#errand.onToolsChanged();
    this.#silent = 0;
    this.#lastByte = out[out.length - 1] ?? lineFeed;
    const { res } = this.#exchange;
    // All that the headers announced is here: one write for the rest and the end.
    if (!this.#body && out.length === this.#missing) {
      this.#end(out);
      return;
    }
    this.#missing -= out.length;
    this.#headWaits = false;
    if (res.write(out) || this.#waitsForDrain) return;
    this.#waitsForDrain = true;
    this.#pause();
    res.once('drain', () => {
      this.#waitsForDrain = false;
      this.#resume();
    });
  }

  #pause(): void {
    if (this.#decoder) this.#decoder.pause();
    else this.#controller?.pause();
  }

  #resume(): void {
    if (this.#decoder) this.#decoder.resume();
    else this.#controller?.resume();
  }

  #finish(): void {
    this.#guard(() => {
      const rest = this.#body?.end() ?? [];
      const length = rest.reduce((sum, piece) => sum + piece.length, 0);
      if (this.#body) noteList(this.#exchange, this.#filtered + length);
      if (this.#body?.whole) {
        this.#head?.headers.push('content-length', String(length));
        this.#writeHead(false);
      }
      const { res } = this.#exchange;
      if (rest.length > 1) {
        // The pieces go out together: putting a long list together again would cost more than the list.
        res.cork();
        this.#headWaits = false;
        for (const piece of rest.slice(0, -1)) res.write(piece);
      }
      this.#end(rest.at(-1));
    });
  }

  #end(rest: Buffer | undefined): void {
    this.#over = true;
    clearTimeout(this.#timer);
    const { res } = this.#exchange;
    if (!rest || rest.length === 0) res.end();
    // As text a short body leaves in one piece with the headers, which costs less than two in one system call.
    else if (rest.length <= shortBody && this.#headWaits) res.end(rest.toString('latin1'), 'latin1');
    else res.end(rest);
  }

  /** Ends the exchange with a failure: an answer when none has begun, else a broken connection, never a clean end. */
  #fail(failure: Failure): void {
    if (this.#over) return;
    const { res } = this.#exchange;
    this.#stop(failure);
    noteFailure(this.#exchange, failure);
    if (!res.headersSent) refuse(this.#exchange, failure);
    else if (res.chunkedEncoding || this.#missing > 0) res.destroy();
    // Closing is how a body without a length ends; only a reset tells that it did not.
    else res.socket?.resetAndDestroy();
  }

  #stop(reason: Error): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#decoder?.destroy();
    this.#controller?.abort(reason);
  }
}

/** Notes about how many tokens of a model's context a list of tools takes: English and JSON come to four characters each. */
function noteList(exchange: Exchange, bytes: number): void {
  const { asked } = exchange;
  if (!asked?.batch && asked?.messages[0]?.method === 'tools/list')
    exchange.noted = { ...exchange.noted, list_tokens: Math.ceil(bytes / 4) };
}

/** A server does not say where to sign in, or where else to go: that would be taken for the gateway's word. */
function refuseToSpeakForUs(status: number, { connection }: Errand): void {
  if (status === 401 && connection)
    throw new Failure(
      'connection_refused',
      'The server rejects a new credential; an administrator must check its scopes and audience (mcp-gateway connection get).',
    );
  if (status === 401 || status === 407)
    throw new Failure(
      'upstream_auth',
      `The server refuses the gateway's credential (${status}); an administrator has to set the right one.`,
    );
  if (redirects.has(status))
    throw new Failure(
      'upstream_invalid',
      `The server redirects (${status}), which is not followed; register the address that it redirects to.`,
    );
}

function tooLate(passage: Passage): void {
  passage.late();
}
