import { Failure } from '../failure/errors.ts';

/** The refusal of a place in a list that no page gave. */
export function noPlace(): Failure {
  const message = 'is not the `next` of a page';
  return new Failure('invalid_input', `from: ${message}; begin at the first page.`, {
    faults: [{ at: 'query.from', message }],
  });
}
