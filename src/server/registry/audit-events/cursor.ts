import { invalidInput } from '../../failure/errors.ts';

/** The place of an event in the trail: its time and, among events of the same time, its id. */
export interface EventPlace {
  readonly at: string;
  readonly id: string;
}

const readable = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([\w-]{1,100})$/;

/** A place as text that says nothing to whoever carries it. */
export function cursorOf({ at, id }: EventPlace): string {
  return Buffer.from(`${at} ${id}`).toString('base64url');
}

/** The place that a cursor stands for; refuses what is none of ours. */
export function placeOf(cursor: string): EventPlace {
  const [, at, id] = readable.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (at === undefined || id === undefined)
    throw invalidInput([{ at: 'query.cursor', message: 'is not a cursor' }], {
      said: 'The cursor is not valid; start again without it.',
    });
  return { at, id };
}
