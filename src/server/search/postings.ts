/** The fields of an item, in the order of their place in a packed count. */
export const fields = ['name', 'owner', 'tags', 'body', 'more'] as const;

/** Counts of one word by field in one small integer: four bits each, six for the long fields. */
const bits = [4, 4, 4, 6, 6] as const;
const shifts = [0, 4, 8, 12, 18] as const;

/** The count of a word in a field. */
export function countIn(packed: number, field: number): number {
  return (packed >> (shifts[field] as number)) & ((1 << (bits[field] as number)) - 1);
}

/** Where a term occurs: numbers of items in rising order, and beside each its counts by field. */
export interface Posting {
  readonly items: number[];
  readonly counts: number[];
}

/** Which items a term occurs in, and how long the fields of each item are. */
export class Postings {
  readonly terms = new Map<string, Posting>();
  /** Words in each field of each item: `lengths[item * fields.length + field]`. */
  lengths = new Uint16Array(1024 * fields.length);

  /**
   * Takes in the terms of the next item; numbers only rise. Marks are kept as terms are, and count nothing. Returns what
   * was not there before.
   */
  add(item: number, byField: readonly (readonly string[])[], marks: readonly string[]): string[] {
    const from = item * fields.length;
    if (from + fields.length > this.lengths.length) {
      const longer = new Uint16Array(this.lengths.length * 2);
      longer.set(this.lengths);
      this.lengths = longer;
    }
    const counts = new Map<string, number>(marks.map((mark) => [mark, 0]));
    byField.forEach((terms, field) => {
      this.lengths[from + field] = Math.min(terms.length, 65_535);
      const [shift, most] = [shifts[field] as number, (1 << (bits[field] as number)) - 1];
      for (const term of terms) {
        const packed = counts.get(term) ?? 0;
        if (((packed >> shift) & most) < most) counts.set(term, packed + (1 << shift));
      }
    });
    const fresh: string[] = [];
    for (const [term, packed] of counts) {
      const posting = this.terms.get(term);
      if (posting) {
        posting.items.push(item);
        posting.counts.push(packed);
      } else {
        this.terms.set(term, { items: [item], counts: [packed] });
        fresh.push(term);
      }
    }
    return fresh;
  }
}
