import { expect, test } from 'vitest';
import { groupKey } from './names.ts';

const id = '16C7E67E-E8AE-498C-BA2E-0593C0159E43';

test.each([
  [id, id.toLowerCase()],
  [`entra:${id}`, `entra:${id.toLowerCase()}`],
  ['Admins', 'Admins'],
  ['keycloak:Admins', 'keycloak:Admins'],
  [`x${id}`, `x${id}`],
  [`a:b:${id}`, `a:b:${id}`],
])('the group %s is compared as %s', (group, key) => {
  expect(groupKey(group)).toBe(key);
});
