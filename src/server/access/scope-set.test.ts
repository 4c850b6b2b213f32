import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseScopes } from './scope-set.ts';
import { ScopesFault } from './yaml-reader.ts';

const example = `
UI-Scopes:
  viewer:
    list_service: [currenttime, /team/search/]
    list_agents: [/flight-booking/, all]
group_mappings:
  group-a: [viewer, reader, viewer]
  group-b: [reader]
reader:
  - server: /currenttime/
    methods: "*"
    tools: [a]
  - server: "*"
    methods: [initialize]
viewer:
  - agents:
      actions:
        - { action: get_agent, resources: [flight-booking, /flight-booking, all] }
`;

/** The faults of a text as `line:column message`. */
function faultsOf(text: string): string[] {
  try {
    parseScopes(text, 'scopes.yml');
    return [];
  } catch (error) {
    if (!(error instanceof ScopesFault)) throw error;
    return error.faults.map(({ line, column, message }) => `${line}:${column} ${message}`);
  }
}

test('a file becomes scopes by name, with the groups that hold them', () => {
  const scopes = parseScopes(example, 'scopes.yml');
  expect([...scopes.keys()]).toEqual(['viewer', 'reader']);
  expect(scopes.get('viewer')).toEqual({
    name: 'viewer',
    serverRules: [],
    agentRules: [{ action: 'get_agent', resources: 'all' }],
    uiPermissions: { list_service: ['currenttime', 'team/search'], list_agents: 'all' },
    groupMappings: ['group-a'],
  });
  expect(scopes.get('reader')).toEqual({
    name: 'reader',
    serverRules: [
      { server: 'currenttime', methods: 'all', tools: ['a'] },
      { server: '*', methods: ['initialize'], tools: [] },
    ],
    agentRules: [],
    uiPermissions: {},
    groupMappings: ['group-a', 'group-b'],
  });
});

const rule = (members: string): string => `s:\n  - { ${members} }`;

test.each([
  ['an empty file', '', ['1:1 the file is empty']],
  ['a file of comments', '# nothing\n', ['1:1 the file is empty']],
  [
    'a file without scopes',
    'group_mappings: {}',
    ['1:1 the file defines no scope, so no one could do anything'],
  ],
  ['a list at the top', '- a', ['1:1 the file must be a mapping (name: value), not a list']],
  [
    'broken syntax',
    's: [\nt: "1',
    [expect.stringMatching(/^2:1 Flow sequence/), expect.stringMatching(/^2:6 Missing closing/)],
  ],
  ['two documents', 's: []\n---\nt: []', [expect.stringMatching(/^2:1 .*multiple documents/)]],
  ['an unknown tag', 's: !secret []', [expect.stringMatching(/^1:4 Unresolved tag: !secret/)]],
  [
    'a section without content',
    's: []\nUI-Scopes:',
    ['2:11 UI-Scopes must be a mapping (name: value), not nothing'],
  ],
  ['a scope without rules', 's:', ["1:3 scope 's' must be a list, not nothing"]],
  [
    'a rule that is a text',
    's: [x]',
    ["1:5 a rule of 's' must be a mapping (name: value), not the text 'x'"],
  ],
  ['an empty rule', 's: [{}]', ["1:5 'server' is missing", "1:5 'methods' is missing"]],
  ['a rule without methods', rule('server: x, tools: [a]'), ["2:5 'methods' is missing"]],
  [
    'a misspelt member',
    rule('server: x, methods: [m], tool: [a]'),
    ["2:32 a rule of 's' has 'tool'; it may have: server, methods, tools, prompts, resources, agents"],
  ],
  ['a text for a list', rule('server: x, methods: all'), ['2:27 methods must be a list; write [all]']],
  [
    'a text that contains all',
    rule('server: x, methods: [m], tools: call_x'),
    ['2:39 tools must be a list; write [call_x]'],
  ],
  ['nothing for a list', rule('server: x, methods: '), ['2:28 methods must be a list, not nothing']],
  [
    'a number among names',
    rule('server: x, methods: [m], tools: [1]'),
    ['2:40 an entry of tools must be a text, not the number 1 without quotes'],
  ],
  ['an empty name among names', rule('server: x, methods: [""]'), ['2:28 an entry of methods is empty']],
  ['a server that is only slashes', rule('server: /, methods: [m]'), ["2:15 '/' names no server"]],
  [
    'a pattern for a server',
    rule('server: time*, methods: [m]'),
    ["2:15 'time*' is not a name; write the whole name, or '*' for every server"],
  ],
  [
    'an unknown UI permission',
    'UI-Scopes:\n  u:\n    list_servers: [all]',
    [expect.stringMatching(/^3:5 'list_servers' is not/)],
  ],
  [
    'a star in UI permissions',
    'UI-Scopes: { u: { list_service: ["*"] } }',
    [expect.stringMatching(/^1:34 '\*' is not a name/)],
  ],
  [
    'a text for UI resources',
    'UI-Scopes: { u: { list_service: "*" } }',
    ['1:33 list_service must be a list; write [all]'],
  ],
  [
    'the audit trail of one server',
    'UI-Scopes: { u: { read_audit: [currenttime] } }',
    ['1:31 read_audit is about everything that happens; write [all]'],
  ],
  ['UI resources that name nothing', 'UI-Scopes: { u: { list_agents: [/] } }', ["1:33 '/' names nothing"]],
  [
    'a group with an unknown scope',
    's: []\ngroup_mappings:\n  g: [s, t]',
    ["3:10 group 'g' has the scope 't', which is neither in this file nor built in"],
  ],
  ['a key that is there twice', 's: []\nt: []\ns: []', ["3:1 's' is here twice; the first is in line 1"]],
  ['an empty key', '"": []', ['1:1 a name before the colon must be a text that is not empty']],
  [
    'an unknown action on agents',
    's: [{ agents: { actions: [{ action: x, resources: [] }] } }]',
    [expect.stringMatching(/^1:37 'x' is not an action/)],
  ],
  [
    'an unknown alias',
    rule('server: x, methods: *m'),
    ["2:27 methods must be a list, not the unknown alias '*m'"],
  ],
  [
    'an alias before its anchor',
    's: *a\nt: &a []',
    ["1:4 scope 's' must be a list, not the unknown alias '*a'"],
  ],
  [
    'an anchor that is there twice',
    's: &a []\nt: &a []',
    [expect.stringMatching(/^2:7 the anchor '&a' is defined twice/)],
  ],
])('%s is refused with its place', (_what, text, faults) => {
  expect(faultsOf(text)).toEqual(faults);
});

test('all faults are told at once, in the order of the file', () => {
  const text = `group_mappings:\n  g: [nope]\ns:\n  - { server: 1, methods: x }\nUI-Scopes:\n  u: { x: [] }\n`;
  expect(faultsOf(text).map((fault) => fault.split(' ')[0])).toEqual(['2:7', '4:15', '4:27', '6:8']);
  expect(() => parseScopes(text, 'conf/scopes.yml')).toThrow(
    /^conf\/scopes.yml:2:7: .*\nconf\/scopes.yml:4:15: /,
  );
});

test('an anchor saves repeating a list', () => {
  const scopes = parseScopes(
    's:\n  - { server: a, methods: &read [ping], tools: [] }\n  - { server: b, methods: *read }',
    'f',
  );
  expect(scopes.get('s')?.serverRules.map(({ methods }) => methods)).toEqual([['ping'], ['ping']]);
});

test('aliases that multiply values are refused before they do', () => {
  const names = Array.from({ length: 2000 }, (_, index) => `m${index}`).join(', ');
  const rules = Array.from({ length: 2000 }, () => '  - *r').join('\n');
  expect(faultsOf(`s:\n  - &r { server: a, methods: [${names}] }\n${rules}`)).toEqual([
    '1:1 the file spells out too many values; use fewer aliases',
  ]);
});

test('a file over 1 MiB is refused unread', () => {
  expect(faultsOf(`s: [] #${' '.repeat(1 << 20)}`)).toEqual(['1:1 the file is larger than 1 MiB']);
});

test('nesting without end is a fault, not a crash', () => {
  for (const text of [
    '['.repeat(20_000),
    '{'.repeat(20_000),
    '- '.repeat(20_000),
    `s: ${'['.repeat(600)}${']'.repeat(600)}`,
  ])
    expect(faultsOf(text).length).toBeGreaterThan(0);
});

test('scope names that objects use themselves are names like any other', () => {
  const scopes = parseScopes(
    '__proto__: []\nconstructor: []\ngroup_mappings: { __proto__: [constructor] }',
    'f',
  );
  expect(scopes.get('constructor')?.groupMappings).toEqual(['__proto__']);
  expect(scopes.get('__proto__')?.name).toBe('__proto__');
});

test('a message quotes the file on one line and not without end', () => {
  const [fault = ''] = faultsOf(rule(`server: "a*\\n\\e[31m${'x'.repeat(5000)}", methods: []`));
  expect(fault).not.toMatch(/\p{Cc}/u);
  expect(fault.length).toBeLessThan(500);
});

/** A text near the format: the words of the format and the signs of YAML in any order. */
const nearly = fc
  .array(
    fc.constantFrom(
      ...[
        'UI-Scopes',
        'group_mappings',
        'server',
        'methods',
        'tools',
        'agents',
        'actions',
        'list_service',
        'all',
      ],
      ...[
        ': ',
        '- ',
        '\n',
        '\n  ',
        '\n    ',
        '[',
        ']',
        '{',
        '}',
        ', ',
        '"',
        "'",
        '*',
        '&a ',
        '*a',
        '!',
        '|\n',
        '? ',
        '# ',
        '<<',
      ],
      ...['1', 'null', '~', 'true', '\t', '%YAML 1.1\n---\n', '...\n', 'x', '/'],
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

test('whatever the text, there are scopes or a ScopesFault whose places are in the file', () => {
  fc.assert(
    fc.property(
      fc.oneof(nearly, fc.string({ unit: 'binary', maxLength: 200 }), fc.json().map(String)),
      (text) => {
        try {
          expect(parseScopes(text, 'f').size).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(ScopesFault);
          const { faults } = error as ScopesFault;
          expect(faults.length).toBeGreaterThan(0);
          const lines = text.split('\n').length;
          for (const { line, column } of faults) {
            expect(line).toBeGreaterThanOrEqual(1);
            expect(line).toBeLessThanOrEqual(lines + 1);
            expect(column).toBeGreaterThanOrEqual(1);
          }
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test.each([
  '/all',
  'all/',
  '//all//',
  'ALL',
  'All',
  '%61ll',
  '%2561ll',
  '%2Fall',
  '\uff41\uff4c\uff4c',
  'a\u200bll',
  '/*',
  '%2a',
  '\uff0a',
  '**',
  '\\\\all',
])('what only looks like the wildcard (%s) is no name of anything', (name) => {
  const quoted = JSON.stringify(name);
  const texts = [
    `s: [{ server: ${quoted}, methods: [ping] }]`,
    `s: [{ server: a, methods: [${quoted}] }]`,
    `s: [{ server: a, methods: [ping], tools: [x, ${quoted}] }]`,
    `s: [{ server: a, methods: [ping], prompts: [${quoted}] }]`,
    `s: [{ server: a, methods: [ping], resources: [${quoted}] }]`,
    `s: [{ agents: { actions: [{ action: get_agent, resources: [${quoted}] }] } }]`,
    `s: [{ agent: ${quoted}, actions: [get_agent] }]`,
    `UI-Scopes: { s: { list_service: [${quoted}] } }`,
    `UI-Scopes: { s: { list_agents: [${quoted}] } }`,
    `${quoted}: [{ server: a, methods: [ping] }]`,
  ];
  for (const text of texts) expect(faultsOf(text)).not.toEqual([]);
});

test('a server called all can be named by nobody', () => {
  expect(faultsOf('s: [{ server: all, methods: [ping] }]')).not.toEqual([]);
});
