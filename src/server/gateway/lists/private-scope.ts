import type { AskedCall } from '../read/read-call.ts';
import type { Filter, FilteredBody } from './filter.ts';

/** Methods of 2026-07-28 whose results say how long, and for whom, they may be kept. */
const kept = /^(?:server\/discover|resources\/read|[a-z/]+\/list)$/;

/** A filter for the answer to a request of 2026-07-28 that may be kept; undefined for any other request. */
export function privateAnswer({ messages }: AskedCall): Filter | undefined {
  const may = messages.some(({ method, version }) => version !== undefined && kept.test(method));
  return may ? () => forNobodyElse() : undefined;
}

const [member, everybody, nobodyElse] = ['"cacheScope"', '"public"', '"private"'];
/** As much as may stand between a member's name and its value, white space and the colon, and be understood here. */
const between = 64;
const longest = member.length + between + everybody.length;
const scope = /"cacheScope"\s{0,30}:\s{0,30}"public"/g;

/**
 * A body in which `cacheScope` of `public` becomes `private` (MCP 2026-07-28): what the gateway lets one identity have, no cache on
 * the way may keep for others, whatever the server thinks of it. Within a string quotes are escaped, so no text is changed. What
 * may be the beginning of the member waits for the next bytes.
 */
function forNobodyElse(): FilteredBody {
  let held: Buffer = empty;
  const take = (bytes: Buffer): Buffer => {
    if (!bytes.includes(member)) return bytes;
    return Buffer.from(forOneAlone(bytes.toString('latin1')), 'latin1');
  };
  return {
    whole: false,
    write(chunk) {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const from = waitsFrom(bytes);
      held = bytes.subarray(from);
      return take(bytes.subarray(0, from));
    },
    end: () => [take(held)],
  };
}

/** The same for a message that is whole. */
export function forOneAlone(text: string): string {
  return text.replaceAll(scope, (found) => found.replace(everybody, nobodyElse));
}

const empty = Buffer.alloc(0);

/** From where on bytes may be the beginning of the member. */
function waitsFrom(bytes: Buffer): number {
  const near = Math.max(0, bytes.length - longest);
  const named = bytes.indexOf(member, near);
  if (named !== -1) return named;
  // A part of the name at the end.
  for (let at = Math.max(0, bytes.length - member.length + 1); at < bytes.length; at += 1)
    if (member.startsWith(bytes.toString('latin1', at))) return at;
  return bytes.length;
}
