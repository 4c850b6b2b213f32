import { Failure } from '../failure/errors.ts';

/** A thing of the registry in one state: its path, and the count of its changes. */
export interface Revised {
  readonly path: string;
  readonly revision: number;
}

/** The entity tag of a thing: its revision. */
export function etagOf({ revision }: Pick<Revised, 'revision'>): string {
  return `"${revision}"`;
}

/** Refuses a change that was meant for another revision (RFC 9110, If-Match); no header, or `*`, matches any. */
export function assertMatch(thing: Revised, ifMatch: string | undefined): void {
  if (ifMatch === undefined || ifMatch.trim() === '*') return;
  // A proxy that compresses the answer makes the tag a weak one: it names the same revision.
  const tags = ifMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (!tags.includes(etagOf(thing))) throw changedMeanwhile(thing.path);
}

/** The failure of a change that was meant for another revision. */
export function changedMeanwhile(path: string): Failure {
  return new Failure(
    'changed_meanwhile',
    `'${path}' was changed or removed since you read it. Read it again and repeat your change.`,
  );
}
