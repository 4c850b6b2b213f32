import { afterValue, eachMember, valueAt } from './json-text.ts';

/** What lies around the message's id, which differs from call to call. */
export type Around<T> = readonly [before: T, behind: T];

/** How a list is held: as text or as bytes. */
export interface Form<T> {
  text(list: T): string;
  from(text: string): T;
  /** The id of a list that begins and ends as a known one. */
  idBetween(list: T, came: Around<T>): string | undefined;
  joined(went: Around<T>, id: string): T;
}

/** Ids that stand for themselves in JSON, whatever is around them, and the length of the longest. */
const plainId = /^(?:-?(?:0|[1-9]\d{0,19})|"[\w.:/-]{0,200}")$/;
const mostId = 202;

/** Lists as text. */
export const texts: Form<string> = {
  text: (list) => list,
  from: (text) => text,
  idBetween(text, [before, behind]) {
    const end = text.length - behind.length;
    if (!leavesId(before.length, end) || !text.endsWith(behind) || !text.startsWith(before)) return undefined;
    return plain(text.slice(before.length, end));
  },
  joined: ([before, behind], id) => before + id + behind,
};

/** Lists as bytes in UTF-8. */
export const bytes: Form<Buffer> = {
  text: (list) => list.toString('utf8'),
  from: (text) => Buffer.from(text, 'utf8'),
  idBetween(list, [before, behind]) {
    const end = list.length - behind.length;
    if (!leavesId(before.length, end)) return undefined;
    if (behind.compare(list, end) !== 0 || before.compare(list, 0, before.length) !== 0) return undefined;
    return plain(list.toString('latin1', before.length, end));
  },
  joined: ([before, behind], id) => Buffer.concat([before, Buffer.from(id, 'latin1'), behind]),
};

/** The id of a list in pieces that begins and ends as a known one; nothing is put together for it. */
export function idInPieces(
  pieces: readonly Buffer[],
  size: number,
  [before, behind]: Around<Buffer>,
): string | undefined {
  const end = size - behind.length;
  if (!leavesId(before.length, end)) return undefined;
  let [at, id] = [0, ''];
  for (const piece of pieces) {
    const until = at + piece.length;
    const head = Math.min(until, before.length);
    if (at < head && piece.compare(before, at, head, 0, head - at) !== 0) return undefined;
    const tail = Math.max(at, end);
    if (tail < until && piece.compare(behind, tail - end, until - end, tail - at) !== 0) return undefined;
    id += piece.toString('latin1', Math.max(0, before.length - at), Math.max(0, Math.min(until, end) - at));
    at = until;
  }
  return plain(id);
}

function leavesId(start: number, end: number): boolean {
  return end > start && end - start <= mostId;
}

function plain(id: string): string | undefined {
  return plainId.test(id) ? id : undefined;
}

/** What is before and behind the one `id` of a message; undefined where there is none, or one that is not plain. */
export function aroundId<T>(form: Form<T>, list: T): Around<T> | undefined {
  const text = form.text(list);
  const start = valueAt(text, 0);
  if (text.charAt(start) !== '{') return undefined;
  const ids: [number, number][] = [];
  eachMember(text, start, (key, at) => {
    const end = afterValue(text, at);
    if (key === 'id') ids.push([at, end]);
    return end;
  });
  const [id] = ids;
  if (!id || ids.length > 1 || !plainId.test(text.slice(...id))) return undefined;
  return [form.from(text.slice(0, id[0])), form.from(text.slice(id[1]))];
}
