import { expect, test } from 'vitest';
import { uiPermissions } from '../../contract/permissions.ts';
import {
  choicesLeft,
  definitionIn,
  definitionOfDraft,
  draftOfDefinition,
  emptyScope,
  faultAt,
  faultsOfScope,
} from './scope-draft.ts';

const definition = {
  scope_name: 'team/readers',
  description: 'Reads',
  server_access: [
    { server: 'currenttime', methods: ['initialize', 'tools/call'], tools: ['now'] },
    { server: 'docs', methods: ['all'], tools: [], prompts: ['greet'], resources: ['file:///docs/*'] },
    { agents: { actions: [{ action: 'list_agents', resources: ['/flights'] }] } },
  ],
  group_mappings: ['g1'],
  ui_permissions: { list_service: ['currenttime'], list_agents: ['all'] },
  agent_access: ['/flights'],
};

test('the form of a definition says the same again', () => {
  expect(definitionOfDraft(draftOfDefinition(definition))).toEqual(definition);
});

test('what is left out is empty, and the scope is then held by the group of its name', () => {
  expect(draftOfDefinition({ scope_name: 'a' })).toEqual({
    ...emptyScope,
    scope_name: 'a',
    group_mappings: ['a'],
  });
});

test('a rule that comes after the agents keeps its place among the rules of servers', () => {
  const [first, second, agents] = definition.server_access;
  const draft = draftOfDefinition({ ...definition, server_access: [agents, first, second] });
  expect(definitionOfDraft(draft).server_access).toEqual(definition.server_access);
});

test.each([
  ['a rule with a member of its own', { server_access: [{ server: 'a', methods: [], when: 'noon' }] }],
  ['a permission that there is not', { ui_permissions: { fly: ['all'] } }],
  ['a number for a name', { group_mappings: [7] }],
])('%s is not shown in the form rather than lost', (_, more) => {
  expect(() => draftOfDefinition({ ...definition, ...more })).toThrow('The form cannot show this');
});

test('a permission that is named twice holds for both', () => {
  const permissions = [
    { name: 'list_service', on: ['a', 'b'] },
    { name: 'list_service', on: ['b', 'c'] },
  ];
  expect(definitionOfDraft({ ...emptyScope, permissions }).ui_permissions).toEqual({
    list_service: ['a', 'b', 'c'],
  });
  expect(choicesLeft(uiPermissions, permissions)).not.toContain('list_service');
});

test.each([
  ['{"a":1,}', 'not JSON'],
  ['[1]', 'not an object'],
  ['null', 'not an object'],
])('the text %j is refused in words', (text, words) => {
  expect(() => definitionIn(text)).toThrow(words);
});

test('faults are told where they are', () => {
  const rules = [{ server: '', methods: [], tools: [] }];
  const faults = faultsOfScope(definitionOfDraft({ ...emptyScope, rules }));
  expect(faultAt(faults, 'scope_name')).toBe('This is needed.');
  expect(faultAt(faults, 'server_access.0')).toBe('This is needed.');
  expect(faultAt(faults, 'server_access.1')).toBeUndefined();
  expect(faultAt(faultsOfScope({ scope_name: 'a//b' }), 'scope_name')).toContain('use letters');
  expect(faultsOfScope(definition)).toEqual([]);
});
