import { expect, test } from 'vitest';
import { Failure } from '../failure/errors.ts';
import { createRefusals } from './refusals.ts';

const refused = new Failure('not_allowed', 'You may not do this.');

test('an identity is refused so many times, then learns when to come back, and no one else pays for it', () => {
  let time = 1_000_000;
  const refusals = createRefusals(60, () => time);
  const exchange: { reason?: string } = {};
  const codeOf = (holder: string) => refusals.of(exchange, holder, refused).code;
  for (let times = 0; times < 60; times += 1) expect(codeOf('a')).toBe('not_allowed');
  expect(refusals.of(exchange, 'a', refused)).toMatchObject({ code: 'too_many_requests', retryAfter: 1 });
  expect(exchange.reason).toBe('refused_too_often');
  expect(codeOf('b')).toBe('not_allowed');
  time += 1_000;
  expect([codeOf('a'), codeOf('a')]).toEqual(['not_allowed', 'too_many_requests']);
  time += 3_600_000;
  for (let times = 0; times < 60; times += 1) expect(codeOf('a')).toBe('not_allowed');
});

test('0 is no limit', () => {
  const unlimited = createRefusals(0, () => 0);
  for (let times = 0; times < 5; times += 1) expect(unlimited.of({}, 'a', refused)).toBe(refused);
});
