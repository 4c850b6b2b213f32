import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupNames } from './group-names.ts';

const reserved = ['entra', 'keycloak', 'okta', 'oidc'];

test.each([
  ['of the only provider is bare', ['keycloak'], 'keycloak', 'admins', 'admins'],
  ['of the first provider is bare', ['entra', 'keycloak'], 'entra', 'role:Admin', 'role:Admin'],
  ['of another provider has its prefix', ['entra', 'keycloak'], 'keycloak', 'admins', 'keycloak:admins'],
  ['of another provider has it twice', ['entra', 'keycloak'], 'keycloak', 'okta:a', 'keycloak:okta:a'],
  [
    'that looks like another provider’s is long',
    ['keycloak', 'okta'],
    'keycloak',
    'okta:a',
    'keycloak:okta:a',
  ],
  ['that looks like a provider to come is long', ['keycloak'], 'keycloak', 'okta:a', 'keycloak:okta:a'],
  [
    'that looks like its own long form is long',
    ['keycloak'],
    'keycloak',
    'keycloak:a',
    'keycloak:keycloak:a',
  ],
])('a group %s', (_, providers, provider, group, expected) => {
  expect(groupNames(providers, reserved).qualify(provider, [group])).toEqual([expected]);
});

test.each([
  ['keycloak:admins', 'admins'],
  ['admins', 'admins'],
  ['okta:admins', 'okta:admins'],
  ['keycloak:okta:admins', 'keycloak:okta:admins'],
])('a scopes file may say %s for %s', (mapped, canonical) => {
  expect(groupNames(['keycloak', 'okta'], reserved).canonical(mapped)).toBe(canonical);
});

test('whatever groups are called, those of two providers never meet, and the long form always finds its group', () => {
  const parts = fc.array(fc.constantFrom('keycloak', 'okta', 'entra', 'role', 'a', ''), { minLength: 1 });
  const group = parts.map((some) => some.join(':'));
  fc.assert(
    fc.property(group, group, (one, other) => {
      const { qualify, canonical } = groupNames(['keycloak', 'okta'], reserved);
      const [first] = qualify('keycloak', [one]);
      const [second] = qualify('okta', [other]);
      expect(first).not.toBe(second);
      expect(canonical(`keycloak:${one}`)).toBe(first);
      expect(canonical(`okta:${other}`)).toBe(second);
      expect(canonical(first!)).toBe(first);
    }),
  );
});
