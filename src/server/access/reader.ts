/** A named value of a mapping. */
export interface Entry<P> {
  readonly key: string;
  /** Where the name stands. */
  readonly at: P;
  readonly value: P;
}

/**
 * Typed looks at the values of a document, whatever it is written in; `P` is a place in it. What is not as asked for is
 * noted as a fault, and reading goes on, so that all faults are told at once.
 */
export interface Reader<P> {
  /** The entries of a mapping, each key once and not empty; anything else is a fault. */
  entries(place: P, what: string): Entry<P>[] | undefined;
  /** The items of a list; anything else is a fault and reads as none. */
  items(place: P, what: string): P[];
  /** A text that is not empty; anything else is a fault. */
  text(place: P, what: string): string | undefined;
  /** The text that a place holds, if it holds one; notes no fault. */
  peek(place: P): string | undefined;
  /** Whether a place holds a mapping with that key; notes no fault. */
  has(place: P, key: string): boolean;
  /** Notes a fault. */
  fault(at: P, message: string): void;
}
