import type { IncomingMessage, ServerResponse } from 'node:http';

/** A body of this length is read and dropped by Node, which costs less than a new connection. */
const little = 64 * 1024;
/** What is read and dropped of a longer one, so that a client busy sending gets to read the answer; then it is cut off. */
const [drainBytes, drainMs] = [1024 * 1024, 1_000];
/** What all of them together are read of in a second: reading for who is refused must not keep others waiting. */
const drainRate = 16 * 1024 * 1024;

let [left, since] = [drainRate, 0];

/** Whether so many bytes more may be read in this second only to be dropped. */
function mayDrop(bytes: number): boolean {
  const now = performance.now();
  if (now - since >= 1_000) [left, since] = [drainRate, now];
  left -= bytes;
  return left > 0;
}

/** Whether more of a request's body is on its way than is worth waiting for, so that its connection has to end. */
export function leavesMuchUnread({ complete, headers, method }: IncomingMessage): boolean {
  if (complete || method === 'GET' || method === 'HEAD') return false;
  if (headers['transfer-encoding'] !== undefined || headers.expect !== undefined) return true;
  return Number(headers['content-length'] ?? 0) > little;
}

/**
 * Sends the whole body of an answer to a request that is refused unread (`Connection: close` is in its head), then reads and
 * drops what still comes, for a bounded time and up to a bounded size, and ends the connection. Where too much is being
 * dropped already, the connection stays open for that time without being read: what was sent of the answer can still
 * be taken from it, which an end with bytes unread would destroy (RFC 9112 section 9.6).
 */
export function endUnread(req: IncomingMessage, res: ServerResponse, text: string): void {
  res.write(text);
  let dropped = 0;
  const end = (): void => {
    clearTimeout(timer);
    req.off('data', onData);
    req.pause();
    res.end();
  };
  const onData = (chunk: Buffer): void => {
    dropped += chunk.length;
    if (dropped > drainBytes) end();
    else if (!mayDrop(chunk.length)) req.off('data', onData).pause();
  };
  const timer = setTimeout(end, drainMs);
  res.once('close', () => clearTimeout(timer));
  if (mayDrop(0)) req.on('data', onData);
  req.once('end', end);
}
