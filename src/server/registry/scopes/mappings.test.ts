import { expect, test } from 'vitest';
import { parseScopes } from '../../access/scope-set.ts';
import { withMappings } from './mappings.ts';

const set = parseScopes('a: []\nb: []\ngroup_mappings: { g: [a] }', 'scopes.yml');

test('further groups are added to the scopes they name, those that are there already once', () => {
  const { scopes, unknown } = withMappings(set, { h: ['a', 'b'], g: ['a'] });
  expect([scopes.get('a')?.groupMappings, scopes.get('b')?.groupMappings]).toEqual([['g', 'h'], ['h']]);
  expect(unknown).toEqual([]);
});

test('the scopes given stay as they are', () => {
  withMappings(set, { h: ['a'] });
  expect(set.get('a')?.groupMappings).toEqual(['g']);
});

test('names that no scope has are told once', () => {
  expect(withMappings(set, { h: ['x', 'a'], i: ['x'] }).unknown).toEqual(['x']);
});
