import { expect, test } from 'vitest';
import { Failure, failures, invalidInput } from './errors.ts';
import { headersOf, problemOf, rpcErrorOf } from './problem.ts';

const metadata = 'https://gateway.example.com/.well-known/oauth-protected-resource';

test('both planes name a failure with the same type and code', () => {
  for (const code of Object.keys(failures) as (keyof typeof failures)[]) {
    const failure = new Failure(code, 'what and the remedy');
    const problem = problemOf(failure, 'c1');
    expect(rpcErrorOf(failure, 'c1')).toEqual({
      ...{ code: problem.status, message: problem.detail },
      data: { type: problem.type, code: problem.code, correlation_id: 'c1' },
    });
  }
});

test.each([
  ['credential_missing', `Bearer resource_metadata="${metadata}"`],
  ['sign_in_refused', `Bearer resource_metadata="${metadata}"`],
  ['credential_invalid', `Bearer resource_metadata="${metadata}", error="invalid_token"`],
  ['credential_revoked', `Bearer resource_metadata="${metadata}", error="invalid_token"`],
  ['insufficient_scope', `Bearer resource_metadata="${metadata}", error="insufficient_scope"`],
  ['not_allowed', undefined],
  ['not_found', undefined],
] as const)('the challenge of %s', (code, challenge) => {
  expect(headersOf(new Failure(code, ''), metadata)['WWW-Authenticate']).toBe(challenge);
});

test('Retry-After is only said where it is known when another try makes sense', () => {
  const after = (code: keyof typeof failures, retryAfter?: number) =>
    headersOf(new Failure(code, '', retryAfter === undefined ? {} : { retryAfter }), metadata)['Retry-After'];
  expect(after('server_disabled')).toBeUndefined();
  expect(after('credential_unreadable')).toBeUndefined();
  expect(after('too_many_requests')).toBeUndefined();
  expect(after('too_many_requests', 60)).toBe('60');
  expect(after('overloaded')).toBe('1');
  expect(after('database_unavailable')).toBe('5');
});

test('the message about an input names its first faults, and the list has all', () => {
  const faults = [1, 2, 3, 4, 5, 6].map((n) => ({ at: `body.${n}`, message: 'is wrong.' }));
  const failure = invalidInput(faults);
  expect(failure.message).toBe(
    'The input is not valid: body.1: is wrong; body.2: is wrong; body.3: is wrong; body.4: is wrong; body.5: is wrong; and 1 more.',
  );
  expect(failure.faults).toHaveLength(6);
});
