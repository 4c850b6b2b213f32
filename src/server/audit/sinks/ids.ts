import { randomBytes } from 'node:crypto';

/**
 * Makes ids for rows: UUIDs of version 7 (RFC 9562, section 5.7), each greater than the one before, so that a row goes
 * to the end of the index and not somewhere into it. Up to 4,096 ids of one millisecond share their random part.
 */
export function createIds(now: () => number = Date.now): () => string {
  let [at, count, tail] = [0, 0xfff, ''];
  return () => {
    const current = now();
    count += 1;
    if (current > at || count > 0xfff) {
      // Never back, though the clock may go there.
      at = Math.max(current, at + 1);
      [count, tail] = [0, randomTail()];
    }
    const time = at.toString(16).padStart(12, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${count.toString(16).padStart(3, '0')}-${tail}`;
  };
}

function randomTail(): string {
  const bytes = randomBytes(8);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 4)}-${hex.slice(4)}`;
}
