import { z } from 'zod';

/**
 * Every schema of the contract reports what is wrong in plain words, on all surfaces alike: `is required`, `unknown field
 * 'foo'`, `must be a whole number`. A message that a schema gives itself goes before these.
 */
export function installPlainIssues(): void {
  z.config({ customError: (issue) => plainIssue(issue) });
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

type RawIssue = Parameters<NonNullable<z.core.$ZodConfig['customError']>>[0];

function plainIssue(issue: RawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return 'is required';
    return `must be ${kinds[issue.expected] ?? `a value of the type ${issue.expected}`}`;
  }
  if (issue.code === 'unrecognized_keys')
    return `unknown ${issue.keys.length === 1 ? 'field' : 'fields'} ${listOf(issue.keys)}`;
  if (issue.code === 'invalid_value')
    return issue.values.length === 1
      ? `must be ${quoted(issue.values[0])}`
      : `must be one of ${issue.values.map(quoted).join(', ')}`;
  if (issue.code === 'too_small') return atLeast(issue);
  if (issue.code === 'too_big') return atMost(issue);
  if (issue.code === 'invalid_format') {
    if (issue.format === 'url') return 'must be a URL';
    if (issue.format === 'email') return 'must be an email address';
    return undefined;
  }
  if (issue.code === 'invalid_union') return 'has none of the forms that are allowed here';
  return undefined;
}

function atLeast({ origin, minimum }: { origin: string; minimum: number | bigint }): string {
  if (origin === 'string')
    return minimum === 1 ? 'must not be empty' : `must have at least ${minimum} characters`;
  if (origin === 'array' || origin === 'set')
    return minimum === 1 ? 'must not be empty' : `must have at least ${minimum} entries`;
  return `must be at least ${minimum}`;
}

function atMost({ origin, maximum }: { origin: string; maximum: number | bigint }): string {
  if (origin === 'string') return `must have at most ${maximum} characters`;
  if (origin === 'array' || origin === 'set') return `must have at most ${maximum} entries`;
  return `must be at most ${maximum}`;
}

function listOf(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => `'${name}'`);
  return names.length > shown.length
    ? `${shown.join(', ')} and ${names.length - shown.length} more`
    : shown.join(', ');
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
