import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Call } from './call.ts';
import { decide } from './decide.ts';
import { gained, groundsOf } from './gained.ts';
import { compile } from './grants.ts';
import type { NameList } from './names.ts';
import type { ServerRule } from './rules.ts';
import type { Scope } from './scope-set.ts';

/** As readers make it of entries: `*` and `all` stand in the place of the list. */
const list = (entries: string[]): NameList =>
  entries.includes('*') || entries.includes('all') ? 'all' : entries;

const rule = (server: string, methods: string[], tools: string[] = [], more: object = {}): ServerRule => ({
  ...{ server, methods: list(methods), tools: list(tools) },
  ...more,
});

function scope(name: string, serverRules: ServerRule[], more: Partial<Scope> = {}): Scope {
  return { name, serverRules, agentRules: [], uiPermissions: {}, groupMappings: ['g'], ...more };
}

function change(before: Scope[], after: Scope[], others: Scope[] = []) {
  const compiled = (scopes: Scope[]) =>
    compile(new Map([...others, ...scopes].map((one) => [one.name, one])));
  const grounds = groundsOf([...before, ...after], others);
  const [old, next] = [compiled(before), compiled(after)];
  const subject = { groups: ['g'] };
  return {
    gains: gained(subject, grounds, old, next),
    loses: gained(subject, grounds, next, old),
  };
}

test('a new scope gives what its rules say, and one that goes takes it', () => {
  const one = scope('s', [rule('time', ['initialize', 'tools/call'], ['now'])], {
    uiPermissions: { list_service: ['time'] },
  });
  const gain = {
    servers: [{ server: 'time', methods: ['initialize'], tools: ['now'], prompts: [], resources: [] }],
    permissions: [{ permission: 'list_service', names: ['time'] }],
  };
  expect(change([], [one])).toEqual({ gains: gain, loses: undefined });
  expect(change([one], [])).toEqual({ gains: undefined, loses: gain });
  expect(change([one], [one])).toEqual({ gains: undefined, loses: undefined });
});

test('what another scope gives too is neither gained nor lost', () => {
  const calls = rule('time', ['tools/call', 'tools/list'], ['now']);
  const both = scope('s', [rule('time', ['tools/call'], ['now', 'then'])]);
  const { gains } = change([], [both], [scope('other', [calls])]);
  expect(gains?.servers).toEqual([
    { server: 'time', methods: [], tools: ['then'], prompts: [], resources: [] },
  ]);
});

test('a rule for every server is told for each server that rules tell apart, and for every other', () => {
  const everywhere = scope('s', [rule('*', ['tools/call'], ['now'])]);
  const { gains } = change([], [everywhere], [scope('other', [rule('time', ['tools/call'], ['now'])])]);
  expect(gains?.servers.map(({ server, tools }) => [server, tools])).toEqual([['*', ['now']]]);
});

test('every tool instead of some is told as the others', () => {
  const some = scope('s', [rule('time', ['tools/call'], ['now'])]);
  const all = scope('s', [rule('time', ['tools/call'], ['*'])]);
  expect(change([some], [all]).gains?.servers[0]?.tools).toEqual(['*']);
  expect(change([all], [some])).toMatchObject({ gains: undefined, loses: { servers: [{ tools: ['*'] }] } });
});

test('prompts and resources that a rule narrows are told one by one', () => {
  const narrow = (prompts: string[]) =>
    scope('s', [
      rule('docs', ['prompts/get', 'resources/read'], [], { prompts, resources: ['file:///a/*'] }),
    ]);
  expect(change([narrow(['a'])], [narrow(['b'])])).toMatchObject({
    gains: { servers: [{ prompts: ['b'], resources: [] }] },
    loses: { servers: [{ prompts: ['a'], resources: [] }] },
  });
});

test('whatever changes, a call that is decided otherwise is told, and none that is not', () => {
  const [servers, methods, names] = [
    ['a', 'b', '*'],
    ['tools/call', 'tools/list', 'ping', 'all'],
    ['x', 'y', '*'],
  ];
  const some = (from: string[]) => fc.uniqueArray(fc.constantFrom(...from), { maxLength: 2 });
  const rules = fc.array(
    fc.tuple(fc.constantFrom(...servers), some(methods), some(names)).map((parts) => rule(...parts)),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(rules, rules, rules, (old, next, other) => {
      const others = [scope('other', other)];
      const { gains } = change([scope('s', old)], [scope('s', next)], others);
      const compiled = (own: ServerRule[]) =>
        compile(new Map([scope('s', own), ...others].map((one) => [one.name, one])));
      const [before, after] = [compiled(old), compiled(next)];
      const isNew = (call: Call) =>
        decide({ groups: ['g'] }, call, after).allow && !decide({ groups: ['g'] }, call, before).allow;
      const told = (server: string) => gains?.servers.find((each) => each.server === server);
      for (const server of ['a', 'b', 'c'])
        for (const tool of ['x', 'y', 'z']) {
          const named = told(server) ?? (isNamed(server) ? undefined : told('*'));
          const isTold =
            named?.tools.some((each) => each === tool) ||
            (named?.tools.includes('*') && !isNamedTool(server, tool));
          expect([server, tool, Boolean(isTold)]).toEqual([
            server,
            tool,
            isNew({ server, method: 'tools/call', tool }),
          ]);
        }
      function isNamed(server: string) {
        const own = [...old, ...next];
        const all = own.some((each) => each.server === '*') ? [...own, ...other] : own;
        return all.some((each) => each.server === server);
      }
      function isNamedTool(server: string, tool: string) {
        const about = [...old, ...next, ...other].filter(
          (each) => !isNamed(server) || each.server === server || each.server === '*',
        );
        return about.some(({ tools }) => tools !== 'all' && tools.includes(tool));
      }
    }),
    { numRuns: 2000 },
  );
});
