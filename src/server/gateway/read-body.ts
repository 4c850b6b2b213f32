import type { IncomingMessage } from 'node:http';
import { Failure } from '../failure/errors.ts';

/** Thrown when the client left before its request was complete: nobody is there to be answered. */
export class ClientLeft extends Error {}

const empty: Buffer = Buffer.alloc(0);

/** Reads a request body once and whole; fails with `body_too_large` as soon as it is known to exceed `limit` bytes. */
export function readBody(req: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tooLarge = (): Failure =>
      new Failure('body_too_large', `The body is larger than ${limit} bytes, the most that is taken.`);
    if (Number(req.headers['content-length'] ?? 0) > limit) return reject(tooLarge());
    let first: Buffer = empty;
    let rest: Buffer[] | undefined;
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) {
        req.off('data', onData);
        // What is still on its way is read and dropped, so that the client, busy sending, gets to read the answer.
        req.resume();
        reject(tooLarge());
      } else if (size === chunk.length) first = chunk;
      else if (rest) rest.push(chunk);
      else rest = [first, chunk];
    };
    req.on('data', onData);
    req.once('end', () => resolve(rest ? Buffer.concat(rest, size) : first));
    // A request that is cut short closes with an error, and without an 'end'.
    req.once('error', () => reject(new ClientLeft('the client left while sending')));
  });
}
