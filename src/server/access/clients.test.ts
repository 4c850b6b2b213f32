import { expect, test } from 'vitest';
import { decide } from './decide.ts';
import { accessOf, compile, holdingOf } from './grants.ts';
import { readScopeJson, scopeJsonOf } from './scope-json.ts';
import { parseScopes } from './scope-set.ts';

const file = `
group_mappings:
  team: [everywhere, from-code]
scope_clients:
  from-code: [claude-code, "https://vscode.dev/oauth/client-metadata.json"]
everywhere:
  - server: clock
    methods: [all]
    tools: [now]
from-code:
  - server: repo
    methods: [all]
    tools: [all]
`;
const grants = compile(parseScopes(file, 'scopes.yml'));
const call = { server: 'repo', method: 'tools/call', tool: 'push' };

test.each([
  ['no program at all', undefined, false],
  ['another program', ['client_1'], false],
  ['a program by its alias', ['https://claude.ai/oauth/claude-code-client-metadata', 'claude-code'], true],
  ['a program by its id', ['https://vscode.dev/oauth/client-metadata.json', 'vscode'], true],
  ['a name that only looks like it', ['Claude-Code'], false],
])('a scope with clients counts for those alone: %s', (_, clientNames, allowed) => {
  const subject = { groups: ['team'], clientNames };
  expect(decide(subject, call, grants).allow).toBe(allowed);
  expect(accessOf(subject, grants).scopes).toEqual(allowed ? ['everywhere', 'from-code'] : ['everywhere']);
});

test('clients of a scope survive being read and shown; an empty list is a fault', () => {
  const about = { name: 's', description: '' };
  const { scope, faults } = readScopeJson(about, { clients: ['claude-code'] }, 'body');
  expect(faults).toEqual([]);
  expect(scopeJsonOf(scope).clients).toEqual(['claude-code']);
  expect(scopeJsonOf(readScopeJson(about, {}, 'body').scope)).not.toHaveProperty('clients');
  expect(readScopeJson(about, { clients: [] }, 'body').faults).toMatchObject([{ at: 'body.clients' }]);
  expect(() => parseScopes(file.replace('from-code: [', 'nowhere: ['), 'f')).toThrow("the scope 'nowhere'");
});

test('a program that was allowed only tools that read is held to that, after what the person may', () => {
  const onlyReading = (server: string, tool: string): boolean => server === 'clock' && tool === 'now';
  const reader = { groups: ['team'], clientNames: ['claude-code'], onlyReading };
  expect(decide(reader, { server: 'clock', method: 'tools/call', tool: 'now' }, grants).allow).toBe(true);
  expect(decide(reader, call, grants)).toEqual({ allow: false, reason: 'client-scope' });
  expect(decide(reader, { server: 'clock', method: 'tools/call', tool: 'set' }, grants)).toMatchObject({
    reason: 'tool',
  });
  expect(decide(reader, { server: 'repo', method: 'tools/list' }, grants).allow).toBe(true);
  const { onlyReading: _, ...free } = reader;
  expect(holdingOf(free, grants)).not.toBe(holdingOf(reader, grants));
});
