import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Call, Subject } from './call.ts';
import { decide } from './decide.ts';
import { compile } from './grants.ts';
import { hasName, type NameList } from './names.ts';
import type { ServerRule } from './rules.ts';
import { parseScopes, type Scope } from './scope-set.ts';

const subject: Subject = { groups: ['g'] };

function grantsOf(...scopes: ServerRule[][]) {
  return compile(
    new Map(
      scopes.map((serverRules, at): [string, Scope] => [
        `s${at}`,
        { name: `s${at}`, serverRules, agentRules: [], uiPermissions: {}, groupMappings: ['g'] },
      ]),
    ),
  );
}

/** The scope that allows, or the reason of the refusal. */
function answer(call: Omit<Call, 'server'>, ...rules: Partial<ServerRule>[]): string {
  const scopes = rules.map((rule) => [{ server: 'a', methods: 'all' as const, tools: [], ...rule }]);
  const decision = decide(subject, { server: 'a', ...call }, grantsOf(...scopes));
  return decision.allow ? decision.scope : decision.reason;
}

const get = (prompt?: string) => ({ method: 'prompts/get', prompt });
const read = (resource?: string) => ({ method: 'resources/read', resource });
const docs = { resources: ['file:///docs/*'] };

describe('a rule', () => {
  test.each<[string, Omit<Call, 'server'>, Partial<ServerRule>, string]>([
    ['without prompts grants every one', get('p'), {}, 's0'],
    ['without resources grants every one', read('x:y'), {}, 's0'],
    ['with prompts grants those', get('p'), { prompts: ['q', 'p'] }, 's0'],
    ['with prompts refuses others', get('P'), { prompts: ['p'] }, 'prompt'],
    ['with an empty list refuses all', get('p'), { prompts: [] }, 'prompt'],
    ['that says * grants all', get('p'), { prompts: 'all' }, 's0'],
    ['that says all grants all', read('x:y'), { resources: 'all' }, 's0'],
    ['with resources says nothing of prompts', get('p'), { resources: [] }, 's0'],
    [
      'with prompts says nothing of tools',
      { method: 'tools/call', tool: 't' },
      { prompts: [], tools: ['t'] },
      's0',
    ],
    ['with both says nothing of lists', { method: 'prompts/list' }, { prompts: [], resources: [] }, 's0'],
    ['needs the method too', get('p'), { methods: ['prompts/list'], prompts: ['p'] }, 'method'],
    ['with a URI grants it', read('x://y'), { resources: ['x://y'] }, 's0'],
    ['with a URI grants no longer one', read('x://y/z'), { resources: ['x://y'] }, 'resource'],
    ['refuses what names no prompt', get(), { prompts: ['p'] }, 'prompt'],
    ['refuses what names no resource', read(), docs, 'resource'],
    ['lets pass what names none where all are granted', get(), { prompts: 'all' }, 's0'],
    [
      'holds for subscribing',
      { method: 'resources/subscribe', resource: 'x:y' },
      { resources: ['x:z'] },
      'resource',
    ],
    [
      'holds for unsubscribing',
      { method: 'resources/unsubscribe', resource: 'x:y' },
      { resources: ['x:z'] },
      'resource',
    ],
    [
      'holds for folders',
      { method: 'resources/directory/read', resource: 'x:y' },
      { resources: ['x:z'] },
      'resource',
    ],
    [
      'holds for listening to a resource',
      { method: 'subscriptions/listen', resource: 'x:y' },
      { resources: ['x:z'] },
      'resource',
    ],
    ['lets listen to no resource', { method: 'subscriptions/listen' }, { resources: [] }, 's0'],
    [
      'holds for completing a prompt',
      { method: 'completion/complete', prompt: 'p' },
      { prompts: ['q'] },
      'prompt',
    ],
    [
      'completes a prompt whatever the resources',
      { method: 'completion/complete', prompt: 'p' },
      { resources: [] },
      's0',
    ],
    [
      'holds for completing a resource',
      { method: 'completion/complete', resource: 'x:y' },
      { resources: [] },
      'resource',
    ],
    ['completes nothing that says neither', { method: 'completion/complete' }, { prompts: [] }, 'prompt'],
    [
      'completes both only with both',
      { method: 'completion/complete', prompt: 'p', resource: 'x:y' },
      { prompts: ['p'], resources: [] },
      'resource',
    ],
  ])('%s', (_, call, rule, expected) => expect(answer(call, rule)).toBe(expected));

  test.each([
    ['file:///docs/a.md', true],
    ['file:///docs/a/b..c/.d/...', true],
    ['file:///docs/', true],
    ['file:///docs/{+path}', true],
    ['file:///doc', false],
    ['file:///docs', false],
    ['FILE:///docs/a', false],
    ['file:///docs-secret/a', false],
    ['file:///{folder}/a', false],
    ['file:///docs/../secret', false],
    ['file:///docs/a/..', false],
    ['file:///docs/./a', false],
    ['file:///docs/%2e%2E/secret', false],
    ['file:///docs/%252e%252e/secret', false],
    ['file:///docs/..%2fsecret', false],
    ['file:///docs/..\\secret', false],
    ['file:///docs/.\t./secret', false],
    ['file:///docs/..?x', false],
  ])('for file:///docs/* and %j: %s', (uri, allowed) => {
    expect(answer(read(uri), docs)).toBe(allowed ? 's0' : 'resource');
  });
});

test('rules add up, and the first scope that allows is named', () => {
  expect(answer(get('p'), { prompts: ['q'] }, {}, { prompts: ['p'] })).toBe('s1');
  expect(answer(read('x:/y'), { resources: ['x:/*'] }, { resources: ['x:/y'] })).toBe('s0');
  expect(answer(read('x:/y'), { resources: ['x:/y'] }, { resources: ['x:/*'] })).toBe('s0');
  // No rule of its own grants both the method and the prompt.
  expect(
    answer(get('p'), { methods: ['prompts/get'], prompts: ['q'] }, { methods: ['ping'], prompts: ['p'] }),
  ).toBe('prompt');
});

test('an oracle that looks at one rule after the other says the same', () => {
  const methods = [
    'prompts/get',
    'resources/read',
    'completion/complete',
    'subscriptions/listen',
    'ping',
    '*',
    'initialize',
  ];
  const [prompts, uris] = [
    ['p', 'q'],
    ['x:/a', 'x:/b/c', 'x:/b/../a', 'y:z'],
  ];
  // In a list, `*` and `all` are names like any other: the wildcard stands in the place of a list.
  const some = (...names: string[]): fc.Arbitrary<NameList> =>
    fc.oneof(fc.array(fc.constantFrom(...names), { maxLength: 2 }), fc.constant<'all'>('all'));
  const ruleArb: fc.Arbitrary<ServerRule> = fc.record(
    {
      server: fc.constantFrom('a', '*', 'b'),
      methods: some(...methods),
      tools: fc.constant([]),
      prompts: some(...prompts, '*', 'all'),
      resources: some(...uris, 'x:/*', 'x:/b/*', '*'),
    },
    { requiredKeys: ['server', 'methods', 'tools'] },
  );
  const callArb: fc.Arbitrary<Call> = fc.oneof(
    fc.record({
      server: fc.constant('a'),
      method: fc.constant('prompts/get'),
      prompt: fc.constantFrom(...prompts),
    }),
    fc.record({
      server: fc.constant('a'),
      method: fc.constantFrom('resources/read', 'completion/complete', 'subscriptions/listen'),
      resource: fc.constantFrom(...uris),
    }),
  );
  const covers = (names: NameList | undefined, name: string): boolean =>
    names === undefined ||
    names === 'all' ||
    names.some(
      (one) =>
        one === name || (one.endsWith('/*') && name.startsWith(one.slice(0, -1)) && !name.includes('..')),
    );
  const allows = (rule: ServerRule, { method, prompt, resource }: Call): boolean =>
    ['a', '*'].includes(rule.server) &&
    (rule.methods === 'all' ||
      rule.methods.includes(method) ||
      (['subscriptions/listen', 'completion/complete'].includes(method) &&
        hasName(rule.methods, 'initialize'))) &&
    (prompt === undefined || covers(rule.prompts, prompt)) &&
    (resource === undefined || covers(rule.resources, resource));
  fc.assert(
    fc.property(fc.array(fc.array(ruleArb, { maxLength: 3 }), { maxLength: 3 }), callArb, (scopes, call) => {
      const decision = decide(subject, call, grantsOf(...scopes));
      const first = scopes.findIndex((rules) => rules.some((rule) => allows(rule, call)));
      expect(decision.allow ? decision.scope : undefined).toBe(first < 0 ? undefined : `s${first}`);
    }),
    { numRuns: 3000 },
  );
});

test('the file says them as lists, and what would grant less than it looks is a fault', () => {
  const file = (rule: string): string => `s: [{ server: a, methods: [all], ${rule} }]`;
  const rulesIn = (rule: string) => parseScopes(file(rule), 'f').get('s')?.serverRules[0];
  expect(rulesIn('prompts: [p], resources: [x:y, "file:///docs/*"]')).toEqual({
    ...{ server: 'a', methods: 'all', tools: [] },
    ...{ prompts: ['p'], resources: ['x:y', 'file:///docs/*'] },
  });
  expect(rulesIn('prompts: []')).toMatchObject({ prompts: [] });
  expect(rulesIn('tools: []')).not.toHaveProperty('prompts');
  for (const [rule, fault] of [
    ['prompts: ["p*"]', "'p*' is not a name"],
    ['prompts: p', 'prompts must be a list'],
    ['resources: ["file:///docs*"]', "only the last character may be '*'"],
    ['resources: ["file:///*/a"]', "only the last character may be '*'"],
    ['resources: ["file:///{a}"]', 'is a template'],
    ['resources: ["file:///a/../*"]', "has '.', '..'"],
  ] as const)
    expect(() => rulesIn(rule)).toThrow(fault);
});
