import { useState } from 'react';

/** What a person changed in a form, and the stored version that they saw when they began. */
export interface Held<T> {
  readonly changes: Partial<T>;
  /** Absent while nothing is changed. */
  readonly base?: T;
}

/** A form about something stored: fields that were touched hold what was entered, the others follow what is stored. */
export interface Draft<T extends object> {
  /** What the fields show. */
  readonly now: T;
  readonly isTouched: boolean;
  /** Whether another version was stored since the first change. */
  readonly isBehind: boolean;
  /** The fields that were changed here and, to something else, in the version stored since. */
  readonly contested: readonly (keyof T)[];
  readonly change: (more: Partial<T>) => void;
  /** After a save whose result is shown already: drops the changes that are still what was sent. */
  readonly saved: (sent: T) => void;
  /** Keeps the changes, now against the version that is stored. */
  readonly keep: () => void;
  /** Takes the stored version. */
  readonly discard: () => void;
}

/** Adds changes; one back to what is stored is none. */
export function heldWith<T extends object>(held: Held<T>, stored: T, more: Partial<T>): Held<T> {
  return heldOf(
    { ...held.changes, ...more },
    held.base ?? stored,
    (key, value) => !isSame(value, stored[key]),
  );
}

/** What is left after a save of `sent`: what was entered since then, against the version that is `stored` now. */
export function heldAfter<T extends object>(held: Held<T>, stored: T, sent: T): Held<T> {
  return heldOf(held.changes, stored, (key, value) => !isSame(value, sent[key]));
}

/** The fields of `changes` that became another in `stored` since `base`, and not what was entered. */
export function contestedIn<T extends object>({ changes, base }: Held<T>, stored: T): (keyof T)[] {
  if (base === undefined) return [];
  return (Object.keys(changes) as (keyof T)[]).filter(
    (key) => !isSame(stored[key], base[key]) && !isSame(stored[key], changes[key]),
  );
}

/** A draft of what is stored: it lives through every new reading of that, so a form needs no key made of it. */
export function useDraft<T extends object>(stored: T): Draft<T> {
  const [held, setHeld] = useState<Held<T>>({ changes: {} });
  const [sent, setSent] = useState<T>();
  // In the render that follows a save, so that it is what is stored by then that is compared with later.
  if (sent !== undefined) {
    setSent(undefined);
    setHeld(heldAfter(held, stored, sent));
  }
  return {
    now: { ...stored, ...held.changes },
    isTouched: held.base !== undefined,
    isBehind: held.base !== undefined && !isSame(held.base, stored),
    contested: contestedIn(held, stored),
    change: (more) => setHeld((before) => heldWith(before, stored, more)),
    saved: setSent,
    keep: () => setHeld(({ changes }) => heldWith({ changes: {} }, stored, changes)),
    discard: () => setHeld({ changes: {} }),
  };
}

/** Forgets how a save ended once its form is changed; one under way goes on, since a second beside it would be refused. */
export function forgetSave(save: { readonly isPending: boolean; readonly reset: () => void }): void {
  if (!save.isPending) save.reset();
}

function heldOf<T extends object>(
  changes: Partial<T>,
  base: T,
  isKept: (key: keyof T, value: unknown) => boolean,
): Held<T> {
  const kept = Object.entries(changes).filter(([key, value]) => isKept(key as keyof T, value));
  if (kept.length === 0) return { changes: {} };
  return { changes: Object.fromEntries(kept) as Partial<T>, base };
}

/** Whether two values of a field are the same; all are what JSON can say. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
