import type { Decision } from './scope.ts';

/** Names that a rule grants. */
export type Names = 'all' | ReadonlySet<string>;

/** Answers by name, and for names not given. Each is of the first scope that allows it. */
export interface Answers {
  readonly named: Map<string, Decision>;
  any: Decision | undefined;
}

/** No answers. */
export function noAnswers(): Answers {
  return { named: new Map(), any: undefined };
}

/** Adds the names of a rule of the next scope in order; what an earlier scope allows keeps its answer. */
export function addNames(answers: Answers, names: Names, answer: Decision): void {
  if (answers.any) return;
  if (names === 'all') answers.any = answer;
  else for (const name of names) if (!answers.named.has(name)) answers.named.set(name, answer);
}
