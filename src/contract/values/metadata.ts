import { z } from 'zod';

/** Characters of JSON that metadata may have, and how deep it may be nested. */
const [largest, deepest] = [16_384, 16];

/**
 * Why a value is too large or too deep for metadata; undefined when it fits. It stops where the limits are reached and
 * needs no stack for what is nested.
 */
export function faultOfMetadata(value: unknown): string | undefined {
  let left = largest;
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) return `may be nested ${deepest} levels deep at most`;
    const below: unknown[] = [];
    for (const one of level) {
      left -= sizeOf(one);
      if (left < 0) return `may have ${largest} characters of JSON at most`;
      if (typeof one === 'object' && one !== null)
        for (const member of Object.values(one)) below.push(member);
    }
    level = below;
  }
  return undefined;
}

/** What a value takes in JSON without what it holds: texts, numbers, keys and punctuation. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string')
    return value.length > largest ? largest + 1 : JSON.stringify(value).length + 1;
  if (typeof value !== 'object' || value === null) return String(value).length + 1;
  if (Array.isArray(value)) return value.length > largest ? largest + 1 : 3;
  const keys = Object.keys(value);
  if (keys.length > largest) return largest + 1;
  return keys.reduce((sum, key) => sum + JSON.stringify(key).length + 1, 3);
}

/** Metadata of a server or agent: any JSON object, bounded before anything else looks at it. */
export const metadata = z
  .any()
  .superRefine((value, context) => {
    const fault = faultOfMetadata(value);
    if (fault) context.addIssue({ code: 'custom', message: fault });
  })
  .pipe(z.record(z.string(), z.json()))
  .default({});
