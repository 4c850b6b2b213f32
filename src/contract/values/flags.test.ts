import { expect, test } from 'vitest';
import { tokenEndpoints } from '../people/tokens.ts';
import { flag, queryFlag } from './flags.ts';

test('yes and no are taken as programs in several languages write them', () => {
  for (const yes of [true, 'true', 'True', 'TRUE', '1', 'on', 'yes']) expect(flag.parse(yes)).toBe(true);
  for (const no of [false, 'false', 'False', '0', 'off', 'no']) expect(flag.parse(no)).toBe(false);
  for (const neither of ['', 'maybe', 1, null]) expect(flag.safeParse(neither).success).toBe(false);
  expect(['True', 'FALSE'].map((text) => queryFlag.parse(text))).toEqual(['true', 'false']);
  expect(queryFlag.safeParse('maybe').success).toBe(false);
});

test('a personal token for no scope, which could do nothing, is refused with what to do', () => {
  const asked = tokenEndpoints['tokens.generate'].body.safeParse({ requested_scopes: [] });
  expect(asked.error?.issues[0]?.message).toContain('leave requested_scopes out for all of yours');
});
