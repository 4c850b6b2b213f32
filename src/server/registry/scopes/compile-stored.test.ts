import { expect, test } from 'vitest';
import { parseScopes } from '../../access/scope-set.ts';
import type { StoredScopes } from './store.ts';
import { compileStored } from './watch.ts';

const canonical = (group: string): string => group.replace(/^entra:/, '');

function stored(file: string, source: 'file' | 'api' = 'file'): StoredScopes {
  const set = parseScopes(file, 'scopes.yml');
  const nothing = { idpGroupId: null, createdAt: null, updatedAt: '2026-01-01T00:00:00.000Z' };
  return new Map([...set].map(([name, scope]) => [name, { scope, source, ...nothing }]));
}

test('a group is one group, whichever of its names the file and the settings use', () => {
  const scopes = stored('a: []\nb: []\ngroup_mappings: { g: [a] }');
  const compiled = compileStored(scopes, { 'entra:g': ['b'], 'entra:h': ['b'] }, canonical).scopes;
  expect([compiled.get('a')?.groupMappings, compiled.get('b')?.groupMappings]).toEqual([['g'], ['h']]);
  const long = stored('a: []\ngroup_mappings: { "entra:g": [a] }');
  expect(compileStored(long, {}, canonical).scopes.get('a')?.groupMappings).toEqual(['g']);
});

test('a scope of the API adds to what the settings give a group', () => {
  const scopes = stored('a: []\nb: []\ngroup_mappings: { "entra:g": [a] }', 'api');
  const compiled = compileStored(scopes, { g: ['b'] }, canonical).scopes;
  expect([compiled.get('a')?.groupMappings, compiled.get('b')?.groupMappings]).toEqual([['g'], ['g']]);
});
