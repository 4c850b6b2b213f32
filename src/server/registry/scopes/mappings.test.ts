import { expect, test } from 'vitest';
import { parseScopes } from '../../access/scope-set.ts';
import { withMappings } from './mappings.ts';

const set = parseScopes('a: []\nb: []\ngroup_mappings: { g: [a] }', 'scopes.yml');

test('further groups are added to the scopes they name', () => {
  const { scopes, unknown } = withMappings(set, { h: ['a', 'b'] });
  expect([scopes.get('a')?.groupMappings, scopes.get('b')?.groupMappings]).toEqual([['g', 'h'], ['h']]);
  expect(unknown).toEqual([]);
});

test('a group that the file maps itself is not widened', () => {
  const { scopes } = withMappings(set, { g: ['a', 'b'] });
  expect([scopes.get('a')?.groupMappings, scopes.get('b')?.groupMappings]).toEqual([['g'], []]);
});

test('the scopes given stay as they are', () => {
  withMappings(set, { h: ['a'] });
  expect(set.get('a')?.groupMappings).toEqual(['g']);
});

test('names that no scope has are told once', () => {
  expect(withMappings(set, { h: ['x', 'a'], i: ['x'] }).unknown).toEqual(['x']);
});
