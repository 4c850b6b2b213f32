import { randomUUID } from 'node:crypto';

/**
 * Makes ids that sort by the time of their making: UUIDs of version 7 (RFC 9562, section 5.7), each greater than the one
 * before, so that a row goes to the end of its index and not somewhere into it. They are unique, and no secret.
 */
export function createIds(now: () => number = Date.now): () => string {
  let [at, count, time] = [0, 0xfff, ''];
  return () => {
    const current = now();
    count += 1;
    if (current > at || count > 0xfff) {
      // Never back, though the clock may go there.
      at = Math.max(current, at + 1);
      count = 0;
      const digits = at.toString(16).padStart(12, '0');
      time = `${digits.slice(0, 8)}-${digits.slice(8)}-7`;
    }
    // The second half of a version 4 UUID is the variant and random digits, as it has to be here.
    return `${time}${count.toString(16).padStart(3, '0')}${randomUUID().slice(18)}`;
  };
}
