import type { Reader } from './reader.ts';

/** A value of a JSON document, and its path (`server_access.0.tools`). */
export interface JsonPlace {
  readonly value: unknown;
  readonly at: string;
}

/** A fault of a JSON document: the path of the value, and what is wrong with it. */
export interface JsonFault {
  readonly at: string;
  readonly message: string;
}

/** Looks at parsed JSON; faults are added to `faults`. */
export function jsonReader(faults: JsonFault[]): Reader<JsonPlace> {
  const fault = ({ at }: JsonPlace, message: string): void => void faults.push({ at, message });
  const peek = ({ value }: JsonPlace): string | undefined => (typeof value === 'string' ? value : undefined);
  return {
    fault,
    peek,
    has: ({ value }, key) => isObject(value) && Object.hasOwn(value, key),
    entries(place, what) {
      const { value, at } = place;
      if (!isObject(value)) {
        fault(place, `${what} must be an object, not ${kindOf(value)}`);
        return undefined;
      }
      return Object.entries(value).map(([key, member]) => {
        const here = { value: member, at: `${at}.${key}` };
        return { key, at: here, value: here };
      });
    },
    items(place, what) {
      const { value, at } = place;
      if (Array.isArray(value))
        return value.map((item: unknown, index) => ({ value: item, at: `${at}.${index}` }));
      fault(place, `${what} must be a list, not ${kindOf(value)}`);
      return [];
    },
    text(place, what) {
      const text = peek(place);
      if (text === undefined) fault(place, `${what} must be a text, not ${kindOf(place.value)}`);
      else if (text.trim() === '') fault(place, `${what} is empty`);
      else return text;
      return undefined;
    },
  };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string'
    ? `the text '${value.slice(0, 100)}'`
    : `the ${typeof value} ${String(value)}`;
}
