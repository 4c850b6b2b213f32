import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Call, Decision, Subject } from './call.ts';
import { callableTools, decide } from './decide.ts';
import { accessOf, compile } from './grants.ts';
import type { NameList } from './names.ts';
import { impliedMethods } from './rule-table.ts';
import type { ServerRule } from './rules.ts';
import { parseScopes, type Scope, type ScopeSet } from './scope-set.ts';

/** A scope set of server rules, each scope held by the group of its own name and by `everyone`. */
function setOf(rules: Record<string, ServerRule[]>): ScopeSet {
  return new Map(Object.entries(rules).map(([name, serverRules]) => [name, scopeOf(name, serverRules)]));
}

function scopeOf(name: string, serverRules: ServerRule[]): Scope {
  return { name, serverRules, agentRules: [], uiPermissions: {}, groupMappings: [name, 'everyone'] };
}

/** As readers make it of entries: `*` and `all` stand in the place of the list. */
const list = (entries: string[]): NameList =>
  entries.includes('*') || entries.includes('all') ? 'all' : entries;

const everyone: Subject = { groups: ['everyone'] };

describe('one rule', () => {
  const rule = (server: string, methods: string[], tools: string[] = []): ServerRule => ({
    server,
    methods: list(methods),
    tools: list(tools),
  });
  const allow: Decision = { allow: true, scope: 's' };
  const refuse = (reason: 'no-scopes' | 'server' | 'method' | 'tool'): Decision => ({ allow: false, reason });

  test.each<[string, ServerRule, Call, Decision]>([
    ['names the method', rule('a', ['tools/list']), { server: 'a', method: 'tools/list' }, allow],
    [
      'names another server',
      rule('b', ['tools/list']),
      { server: 'a', method: 'tools/list' },
      refuse('server'),
    ],
    ['names every server', rule('*', ['tools/list']), { server: 'a', method: 'tools/list' }, allow],
    [
      'says all for the server',
      rule('all', ['tools/list']),
      { server: 'a', method: 'tools/list' },
      refuse('server'),
    ],
    ['names a part of the server', rule('a', ['*']), { server: 'a/b', method: 'ping' }, refuse('server')],
    [
      'names another method',
      rule('a', ['tools/list']),
      { server: 'a', method: 'prompts/get' },
      refuse('method'),
    ],
    ['says * for methods', rule('a', ['*']), { server: 'a', method: 'prompts/get' }, allow],
    ['says all for methods', rule('a', ['all']), { server: 'a', method: 'prompts/get' }, allow],
    [
      'says All for methods',
      rule('a', ['All', 'ALL', '**', 'tools/*']),
      { server: 'a', method: 'tools/list' },
      refuse('method'),
    ],
    [
      'names method and tool',
      rule('a', ['tools/call'], ['t']),
      { server: 'a', method: 'tools/call', tool: 't' },
      allow,
    ],
    [
      'names the tool, not the method',
      rule('a', ['tools/list'], ['t']),
      { server: 'a', method: 'tools/call', tool: 't' },
      refuse('method'),
    ],
    [
      'names the method, not the tool',
      rule('a', ['tools/call'], ['u']),
      { server: 'a', method: 'tools/call', tool: 't' },
      refuse('tool'),
    ],
    [
      'says all for methods, no tool',
      rule('a', ['all']),
      { server: 'a', method: 'tools/call', tool: 't' },
      refuse('tool'),
    ],
    [
      'says all for tools, another method',
      rule('a', ['ping'], ['*']),
      { server: 'a', method: 'tools/list' },
      refuse('method'),
    ],
    [
      'says * for tools',
      rule('a', ['tools/call'], ['*']),
      { server: 'a', method: 'tools/call', tool: 't' },
      allow,
    ],
    [
      'says all for tools',
      rule('a', ['tools/call'], ['all']),
      { server: 'a', method: 'tools/call', tool: 't' },
      allow,
    ],
    [
      'has all within a tool',
      rule('a', ['tools/call'], ['call_x', 'small']),
      { server: 'a', method: 'tools/call', tool: 't' },
      refuse('tool'),
    ],
    [
      'allows every tool, none is named',
      rule('a', ['all'], ['all']),
      { server: 'a', method: 'tools/call' },
      refuse('tool'),
    ],
    [
      'allows every tool, an empty one is named',
      rule('a', ['all'], ['all']),
      { server: 'a', method: 'tools/call', tool: '' },
      refuse('tool'),
    ],
    ['names initialize, a ping comes', rule('a', ['initialize']), { server: 'a', method: 'ping' }, allow],
    [
      'names initialize, a tool list is asked',
      rule('a', ['initialize']),
      { server: 'a', method: 'tools/list' },
      refuse('method'),
    ],
    [
      'names a method of objects',
      rule('a', ['ping']),
      { server: 'a', method: 'constructor' },
      refuse('method'),
    ],
  ])('that %s', (_what, only, call, decision) => {
    expect(decide(everyone, call, compile(setOf({ s: [only] })))).toEqual(decision);
  });

  test.each(impliedMethods.initialize ?? [])('that names initialize also covers %s', (method) => {
    expect(
      decide(everyone, { server: 'a', method }, compile(setOf({ s: [rule('a', ['initialize'])] }))),
    ).toEqual(allow);
  });

  test('is nothing to somebody without scopes', () => {
    const grants = compile(setOf({ s: [rule('*', ['*'], ['*'])] }));
    expect(decide({ groups: ['nobody'] }, { server: 'a', method: 'ping' }, grants)).toEqual(
      refuse('no-scopes'),
    );
    expect(decide({ groups: [] }, { server: 'a', method: 'ping' }, grants)).toEqual(refuse('no-scopes'));
  });

  test('for the method and another for the tool do not add up', () => {
    const grants = compile(setOf({ s: [rule('a', ['tools/call']), rule('a', ['tools/list'], ['t'])] }));
    expect(decide(everyone, { server: 'a', method: 'tools/call', tool: 't' }, grants)).toEqual(
      refuse('tool'),
    );
  });

  test('is needed by administrators too', () => {
    const grants = compile(setOf({ 'registry-admins': [], 'mcp-registry-admin': [] }));
    expect(accessOf(everyone, grants).isAdmin).toBe(true);
    expect(decide(everyone, { server: 'a', method: 'initialize' }, grants)).toEqual(refuse('server'));
  });
});

// Few words, so that rules and calls meet often.
const servers = ['a', 'a/b', 'all', ''];
const methods = ['initialize', 'ping', 'tools/list', 'tools/call', '$stream', 'x'];
const tools = ['t', 'u', 'call_all'];
const words = (from: string[], maxLength = 3) => fc.array(fc.constantFrom(...from), { maxLength });
// In a list, `*` and `all` are names like any other: the wildcard stands in the place of a list.
const names = (from: string[]): fc.Arbitrary<NameList> => fc.oneof(words(from), fc.constant<'all'>('all'));
const ruleArb: fc.Arbitrary<ServerRule> = fc.record({
  server: fc.constantFrom('a', 'a/b', 'all', '*'),
  methods: names([...methods, '*', 'all', 'tools/*']),
  tools: names([...tools, '*', 'all']),
});
const scopeNames = ['s1', 's2', 's3', 'registry-admins'];
const groupNames = ['g1', 'g2', 'g3'];
const setArb: fc.Arbitrary<ScopeSet> = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom(...scopeNames),
      rules: fc.array(ruleArb, { maxLength: 4 }),
      groups: words(groupNames),
    }),
    { selector: ({ name }) => name },
  )
  .map(
    (scopes) =>
      new Map(
        scopes.map(({ name, rules, groups }) => [name, { ...scopeOf(name, rules), groupMappings: groups }]),
      ),
  );
const subjectArb: fc.Arbitrary<Subject> = fc.record({
  groups: words([...groupNames, 'other']),
  limitedTo: fc.option(words(scopeNames), { nil: undefined }),
});
const callArb: fc.Arbitrary<Call> = fc.record({
  server: fc.constantFrom(...servers),
  method: fc.constantFrom(...methods),
  tool: fc.option(fc.constantFrom(...tools, ''), { nil: undefined }),
});

/** The rules of access read aloud: scope by scope, rule by rule, without any preparation. */
function allowingScopes({ groups, limitedTo }: Subject, call: Call, set: ScopeSet): string[] {
  const covers = (list: NameList, word: string) => list === 'all' || list.includes(word);
  return [...set.values()]
    .filter(
      ({ name, groupMappings }) =>
        groupMappings.some((group) => groups.includes(group)) && (limitedTo?.includes(name) ?? true),
    )
    .filter(({ serverRules }) =>
      serverRules.some((rule) => {
        if (rule.server !== call.server && rule.server !== '*') return false;
        const byInitialize =
          rule.methods !== 'all' &&
          rule.methods.includes('initialize') &&
          ['ping', '$stream'].includes(call.method);
        if (!byInitialize && !covers(rule.methods, call.method)) return false;
        return call.method !== 'tools/call' || (!!call.tool && covers(rule.tools, call.tool));
      }),
    )
    .map(({ name }) => name);
}

const property = (...runs: Parameters<typeof fc.assert>) => fc.assert(runs[0], { numRuns: 2000, ...runs[1] });

describe('whatever the scopes', () => {
  test('a call is allowed exactly when a rule names it, by a scope that does', () => {
    property(
      fc.property(setArb, subjectArb, fc.array(callArb, { maxLength: 5 }), (set, subject, calls) => {
        const grants = compile(set);
        for (const call of calls) {
          const decision = decide(subject, call, grants);
          const expected = allowingScopes(subject, call, set);
          if (decision.allow) expect(expected).toContain(decision.scope);
          else expect(expected).toEqual([]);
        }
      }),
    );
  });

  test('the scope named is the first that allows', () => {
    property(
      fc.property(setArb, subjectArb, callArb, (set, subject, call) => {
        const grants = compile(set);
        const decision = decide(subject, call, grants);
        const allowing = allowingScopes(subject, call, set);
        const first = accessOf(subject, grants).scopes.find((name) => allowing.includes(name));
        expect(decision.allow ? decision.scope : undefined).toBe(first);
      }),
    );
  });

  test('a refusal names the first thing that no rule covers', () => {
    property(
      fc.property(setArb, subjectArb, callArb, (set, subject, call) => {
        const grants = compile(set);
        const decision = decide(subject, call, grants);
        if (decision.allow) return;
        const held = accessOf(subject, grants).scopes.map((name) => set.get(name) as Scope);
        const about = held
          .flatMap(({ serverRules }) => serverRules)
          .filter(({ server }) => server === call.server || server === '*');
        if (held.length === 0) expect(decision.reason).toBe('no-scopes');
        else if (about.length === 0) expect(decision.reason).toBe('server');
        else if (call.method !== 'tools/call') expect(decision.reason).toBe('method');
        else
          expect(decision.reason).toBe(
            about.some(({ methods }) => methods === 'all' || methods.includes('tools/call'))
              ? 'tool'
              : 'method',
          );
      }),
    );
  });

  test('a list shows the tools that a call would allow, and no others', () => {
    property(
      fc.property(
        setArb,
        subjectArb,
        fc.constantFrom(...servers),
        words([...tools, '', 'v'], 6),
        (set, subject, server, names) => {
          const listed = names.map((name) => ({ name }));
          expect(callableTools(subject, server, listed, compile(set))).toEqual(
            listed.filter(
              ({ name }) =>
                allowingScopes(subject, { server, method: 'tools/call', tool: name }, set).length > 0,
            ),
          );
        },
      ),
    );
  });

  test('more groups never take anything away', () => {
    property(
      fc.property(setArb, subjectArb, words(groupNames), callArb, (set, subject, more, call) => {
        const grants = compile(set);
        const wider = { ...subject, groups: [...subject.groups, ...more] };
        if (decide(subject, call, grants).allow) expect(decide(wider, call, grants).allow).toBe(true);
      }),
    );
  });

  test('a limit never gives anything', () => {
    property(
      fc.property(setArb, subjectArb, words(scopeNames), callArb, (set, subject, limitedTo, call) => {
        const grants = compile(set);
        const whole = { groups: subject.groups };
        const limited = { ...whole, limitedTo };
        if (decide(limited, call, grants).allow) expect(decide(whole, call, grants).allow).toBe(true);
        const [some, all] = [accessOf(limited, grants), accessOf(whole, grants)];
        expect(all.scopes).toEqual(expect.arrayContaining([...some.scopes]));
        expect(some.scopes.every((name) => limitedTo.includes(name))).toBe(true);
        if (some.isAdmin) expect(all.isAdmin).toBe(true);
      }),
    );
  });

  test('the order of groups decides nothing', () => {
    property(
      fc.property(setArb, subjectArb, callArb, (set, subject, call) => {
        const grants = compile(set);
        const turned = { ...subject, groups: subject.groups.toReversed() };
        expect(decide(turned, call, grants).allow).toBe(decide(subject, call, grants).allow);
        expect(accessOf(turned, grants).isAdmin).toBe(accessOf(subject, grants).isAdmin);
      }),
    );
  });

  test('earlier calls change no later answer', () => {
    property(
      fc.property(setArb, subjectArb, fc.array(callArb, { maxLength: 8 }), (set, subject, calls) => {
        const grants = compile(set);
        for (const call of calls)
          expect(decide(subject, call, grants)).toEqual(decide({ ...subject }, call, compile(set)));
      }),
      { numRuns: 500 },
    );
  });
});

test('Object IDs are the same in upper and lower case, other group names are not', () => {
  const grants = compile(
    parseScopes(
      'a: [{ server: s, methods: [ping] }]\ngroup_mappings: { 16C7E67E-E8AE-498C-BA2E-0593C0159E43: [a], Team: [a] }',
      'scopes.yml',
    ),
  );
  const allows = (group: string) =>
    decide({ groups: [group] }, { server: 's', method: 'ping' }, grants).allow;
  expect([allows('16c7e67e-e8ae-498c-ba2e-0593c0159e43'), allows('Team'), allows('team')]).toEqual([
    true,
    true,
    false,
  ]);
});
