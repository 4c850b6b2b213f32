import type { Item, Kind } from './item.ts';
import { fields } from './postings.ts';
import type { SearchIndex } from './search-index.ts';

/** What somebody may find. */
export interface Rights {
  /** The same object for all who may find the same, as long as they may: what is made for one is kept for all. */
  readonly key: object;
  /** Whether they may see the server, agent or virtual server at a path. */
  maySee(kind: Exclude<Kind, 'tool'>, path: string): boolean;
  /** Whether they may call the tool of the server at a path. */
  mayCall(path: string, tool: string): boolean;
}

/**
 * The index as somebody sees it who may not see all of it. Every figure that a score is made of (how many items there are,
 * how rare a word is, how long fields are) counts what they may see and nothing else: a search finds, in order and score,
 * what it would find were the rest not there.
 */
export interface View {
  readonly version: number;
  /** 1 for each item that may be found. */
  readonly visible: Uint8Array;
  readonly numbers: Int32Array;
  /** The mean length of each field. */
  readonly meanLengths: readonly number[];
  /** Whether a term occurs in an item that may be found. */
  occurs(term: string): boolean;
}

/** Which items can be found at all, besides what rights say. */
export interface Wanted {
  readonly includeDisabled: boolean;
}

/** Makes the view of the index that these rights give. */
export function viewOf(index: SearchIndex, rights: Rights, { includeDisabled }: Wanted): View {
  const visible = new Uint8Array(index.entries.length);
  const sums = fields.map(() => 0);
  let count = 0;
  index.entries.forEach((entry, number) => {
    if (!entry || !(includeDisabled || entry.item.enabled) || !maySee(rights, entry.item)) return;
    visible[number] = 1;
    count += 1;
    for (let field = 0; field < fields.length; field++)
      sums[field] = (sums[field] ?? 0) + (index.postings.lengths[number * fields.length + field] ?? 0);
  });
  const numbers = new Int32Array(count);
  let at = 0;
  for (let number = 0; number < visible.length; number++) if (visible[number]) numbers[at++] = number;
  return {
    ...{ version: index.version, visible, numbers },
    meanLengths: sums.map((sum) => Math.max(0.5, sum / Math.max(1, count))),
    occurs(term) {
      const items = index.postings.terms.get(term)?.items ?? [];
      return items.some((number) => visible[number] === 1);
    },
  };
}

/** Whether somebody may find an item: a tool if they may call it, everything else if they may see it. */
export function maySee(rights: Rights, { kind, path, name }: Pick<Item, 'kind' | 'path' | 'name'>): boolean {
  return kind === 'tool' ? rights.mayCall(path, name) : rights.maySee(kind, path);
}
