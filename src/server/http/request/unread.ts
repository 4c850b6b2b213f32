import type { IncomingMessage, ServerResponse } from 'node:http';

/** A body of this length is read and dropped by Node, which costs less than a new connection. */
const little = 64 * 1024;
/** What is read and dropped of a longer one, so that a client busy sending gets to read the answer; then it is cut off. */
const [drainBytes, drainMs] = [1024 * 1024, 1_000];

/** Whether more of a request's body is on its way than is worth waiting for, so that its connection has to end. */
export function leavesMuchUnread({ complete, headers, method }: IncomingMessage): boolean {
  if (complete || method === 'GET' || method === 'HEAD') return false;
  if (headers['transfer-encoding'] !== undefined || headers.expect !== undefined) return true;
  return Number(headers['content-length'] ?? 0) > little;
}

/**
 * Sends the whole body of an answer to a request that is refused unread (`Connection: close` is in its head), then reads and
 * drops what still comes, for a bounded time and up to a bounded size, and ends the connection.
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
  };
  const timer = setTimeout(end, drainMs);
  res.once('close', () => clearTimeout(timer));
  req.on('data', onData);
  req.once('end', end);
}
