import type { IncomingMessage, ServerResponse } from 'node:http';
import { Failure } from '../../failure/errors.ts';

/** How much of request bodies is held at a time, in bytes, and how long one may take to come, in milliseconds. */
export interface BodyLimits {
  /** One body. */
  readonly one: number;
  /** All that one holder's requests hold together. */
  readonly perHolder: number;
  /** All that all requests hold together. */
  readonly total: number;
  readonly ms: number;
}

/** Thrown when the client left before its request was complete: nobody is there to be answered. */
export class ClientLeft extends Error {}

/** What of a body is held; `free` gives it back, once. */
export interface HeldBody {
  readonly bytes: Buffer;
  free(): void;
}

/** The room for request bodies of one plane. */
export interface BodyRoom {
  /**
   * Reads a body once and whole. Fails with `body_too_large`, with `too_many_requests` when the holder holds as much as one may,
   * with `overloaded` when all do, and with `body_too_slow`; an announced length counts from the start.
   */
  read(
    req: IncomingMessage,
    holder: { bytes: number },
    continues?: Pick<ServerResponse, 'writeContinue'>,
  ): Promise<HeldBody>;
  readonly held: number;
}

const empty: Buffer = Buffer.alloc(0);

/** Makes a room in which nothing is held yet. */
export function createBodyRoom({ one, perHolder, total, ms }: BodyLimits): BodyRoom {
  let all = 0;

  const take = (holder: { bytes: number }, bytes: number): void => {
    if (holder.bytes + bytes > perHolder)
      throw new Failure(
        'too_many_requests',
        `Your open requests use ${perHolder} bytes, the maximum for one identity; send fewer or smaller ones at a time.`,
        { retryAfter: 1 },
      );
    if (all + bytes > total)
      throw new Failure('overloaded', 'The gateway holds as many request bodies as it can; try again soon.');
    holder.bytes += bytes;
    all += bytes;
  };

  return {
    get held() {
      return all;
    },
    read: (req, holder, continues) =>
      new Promise((resolve, reject) => {
        const announced = Number(req.headers['content-length'] ?? 0);
        let [taken, size] = [0, 0];
        let chunks: Buffer[] | undefined;
        let first: Buffer = empty;
        let timer: NodeJS.Timeout | undefined;
        const free = (): void => {
          holder.bytes -= taken;
          all -= taken;
          taken = 0;
        };
        const stop = (): void => {
          clearTimeout(timer);
          req.off('data', onData).off('end', onEnd).off('error', onError).off('close', onError);
        };
        const fail = (error: Error): void => {
          stop();
          free();
          req.pause();
          reject(error);
        };
        const reserve = (bytes: number): void => {
          if (bytes <= taken) return;
          if (bytes > one)
            throw new Failure(
              'body_too_large',
              `The body is larger than ${one} bytes, the most that is accepted.`,
            );
          take(holder, bytes - taken);
          taken = bytes;
        };
        const onData = (chunk: Buffer): void => {
          size += chunk.length;
          try {
            reserve(size);
          } catch (error) {
            fail(error as Error);
            return;
          }
          if (size === chunk.length) first = chunk;
          else if (chunks) chunks.push(chunk);
          else chunks = [first, chunk];
        };
        const onEnd = (): void => {
          stop();
          resolve({ bytes: chunks ? Buffer.concat(chunks, size) : first, free });
        };
        // A request that is cut short closes with an error, and without an 'end'.
        const onError = (): void => fail(new ClientLeft('the client left while sending'));
        try {
          reserve(announced);
        } catch (error) {
          fail(error as Error);
          return;
        }
        timer = setTimeout(() => {
          fail(
            new Failure(
              'body_too_slow',
              `The body did not arrive within ${Math.ceil(ms / 1000)} s; send it again.`,
            ),
          );
        }, ms);
        continues?.writeContinue();
        req.on('data', onData).once('end', onEnd).once('error', onError).once('close', onError);
      }),
  };
}
