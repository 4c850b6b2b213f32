import { type Failure, invalidInput } from '../failure/errors.ts';

/** The refusal of a place in a list that no page gave. */
export function noPlace(): Failure {
  return invalidInput([
    { at: 'query.from', message: 'is not the `next` of a page; begin at the first page' },
  ]);
}
