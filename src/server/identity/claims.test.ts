import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Failure } from '../failure/errors.ts';
import { claimAt, groupsIn, typedClaims } from './claims.ts';

const claims = { groups: ['a'], realm_access: { roles: ['b'] }, 'https://x.example/groups': ['c'] };

test.each([
  { iss: 5 },
  { iss: null },
  { iss: ['https://id.example'] },
  { sub: {} },
  { aud: 5 },
  { aud: ['a', 5] },
  { exp: '1' },
  { exp: Number.POSITIVE_INFINITY },
  { nbf: [] },
  { iat: true },
  { jti: 5 },
])('refused: the claims %o', (wrong) => {
  expect(() => typedClaims(wrong)).toThrow(expect.objectContaining({ code: 'credential_invalid' }));
});

test.each([
  [['groups'], ['a']],
  [['realm_access', 'roles'], ['b']],
  [['https://x.example/groups'], ['c']],
  [['realm_access', 'groups'], undefined],
  [['groups', 'length'], 1],
  [['constructor'], undefined],
  [['groups', 'constructor'], undefined],
])('the claim at %o is %o', (path, expected) => {
  expect(claimAt(claims, path)).toEqual(expected);
});

test.each([
  [
    ['/parent/child', 'a', 'a'],
    ['/parent/child', 'a'],
  ],
  ['admins', ['admins']],
  ['a,b', ['a,b']],
  [['a', 1, null, { a: 1 }, ''], ['a']],
  [{ admins: true }, []],
  [undefined, []],
  [true, []],
])('the groups in %o are %o', (value, expected) => {
  expect(groupsIn(value)).toEqual(expected);
});

test('whatever a token claims, it is read or refused as a token', () => {
  const names = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', '__proto__', 'groups'];
  const claim = fc.tuple(fc.constantFrom(...names), fc.jsonValue());
  fc.assert(
    fc.property(fc.array(claim), (pairs) => {
      try {
        expect(typedClaims(Object.fromEntries(pairs))).toBeTypeOf('object');
      } catch (error) {
        expect(error instanceof Failure && error.code).toBe('credential_invalid');
      }
    }),
  );
});
