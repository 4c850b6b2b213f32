import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createListMemory } from './list-memory.ts';
import { type ListRules, prune } from './prune.ts';

/** Rules that show the names given, and count how often they are asked. */
function rulesFor(names: readonly string[]): { rules: ListRules; asked(): number } {
  let asked = 0;
  const shows = (name: string): boolean => {
    asked += 1;
    return names.includes(name);
  };
  return { rules: new Map([['tools', { named: 'name', shows }]]), asked: () => asked };
}

const names = Array.from({ length: 20 }, (_, at) => `tool_${at}`);
const tools = names.map((name) => ({ name, description: 'x'.repeat(20) }));
const listText = (id: unknown): string => JSON.stringify({ jsonrpc: '2.0', id, result: { tools } });

test('a list is cut once for callers of the same rights, whatever the ids of their messages', () => {
  const memory = createListMemory();
  const [rights, { rules, asked }] = [{}, rulesFor(['tool_1'])];
  for (const id of [1, 2, 'a-text', -7]) {
    const cut = memory.cut(rights, 'time', listText(id), rules);
    expect(JSON.parse(cut ?? '')).toEqual({ jsonrpc: '2.0', id, result: { tools: [tools[1]] } });
  }
  expect(asked()).toBe(names.length);
});

test('other rights, another server and another list are cut anew', () => {
  const memory = createListMemory();
  const rights = {};
  const [one, other] = [rulesFor(['tool_1']), rulesFor(['tool_2'])];
  const cutOf = (who: object, server: string, rules: ListRules, text = listText(1)): unknown =>
    JSON.parse(memory.cut(who, server, text, rules) ?? text).result.tools.map(
      (tool: { name: string }) => tool.name,
    );
  expect(cutOf(rights, 'time', one.rules)).toEqual(['tool_1']);
  expect(cutOf({}, 'time', other.rules)).toEqual(['tool_2']);
  expect(cutOf(rights, 'files', other.rules)).toEqual(['tool_2']);
  expect(cutOf(rights, 'time', one.rules, listText(1).replaceAll('tool_1', 'tool_X'))).toEqual([]);
});

test('what was cut for one kind of list is not taken for another', () => {
  const memory = createListMemory();
  const rights = {};
  const text = listText(1);
  expect(memory.cut(rights, 'time', text, rulesFor([]).rules)).not.toBeUndefined();
  const prompts: ListRules = new Map([['prompts', { named: 'name', shows: () => false }]]);
  expect(memory.cut(rights, 'time', text, prompts)).toBeUndefined();
});

test('a list of which nothing is cut passes as it came', () => {
  const memory = createListMemory();
  const [rights, { rules }] = [{}, rulesFor(names)];
  expect(memory.cut(rights, 'time', listText(1), rules)).toBeUndefined();
  expect(memory.cut(rights, 'time', listText(2), rules)).toBeUndefined();
});

test('what comes from memory is what cutting would give, also for odd messages', () => {
  const id = fc.oneof(
    fc.integer(),
    fc.string(),
    fc.constantFrom('null', '{"a":1}', '1e5', '[1]').map((text) => JSON.parse(text)),
  );
  const part = fc.constantFrom(
    '"id":1,',
    '"id":"x",',
    '"id":{"id":2},',
    '"i\\u0064":3,',
    '"result":{"id":4},',
    ' ',
  );
  const message = fc
    .tuple(fc.array(part, { maxLength: 3 }), id, fc.array(part, { maxLength: 2 }))
    .map(
      ([before, own, behind]) =>
        `{${before.join('')}"id":${JSON.stringify(own)},${behind.join('')}"result":{"tools":${JSON.stringify(tools)}}}`,
    );
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 6 }), fc.array(fc.nat(4_000)), (texts, cuts) => {
      const memory = createListMemory();
      const [rights, { rules }] = [{}, rulesFor(['tool_3', 'tool_4'])];
      for (const text of texts) {
        const cut = tried(() => prune(text, rules));
        if (cut === 'refused') {
          expect(tried(() => memory.cut(rights, 'time', text, rules))).toBe(cut);
          continue;
        }
        expect(memory.cut(rights, 'time', text, rules)).toBe(cut);
        const body = Buffer.from(text);
        expect(memory.cutBytes(rights, 'time', body, rules)?.toString()).toBe(cut);
        const ends = [...new Set(cuts.map((at) => at % body.length))].sort((a, b) => a - b);
        const pieces = [0, ...ends].map((at, index) => body.subarray(at, ends[index]));
        const recalled = memory.recall(rights, 'time', pieces, body.length, rules);
        if (recalled) expect(Buffer.concat(recalled).toString()).toBe(cut ?? text);
      }
    }),
  );
});

test('bytes are remembered as text is', () => {
  const memory = createListMemory();
  const [rights, { rules, asked }] = [{}, rulesFor(['tool_1'])];
  const shownIn = (body: Buffer): unknown =>
    JSON.parse(memory.cutBytes(rights, 'time', body, rules)?.toString() ?? '').result.tools;
  for (const id of [1, 'zwei', 3]) expect(shownIn(Buffer.from(listText(id)))).toEqual([tools[1]]);
  expect(asked()).toBe(names.length);
});

test('a list in pieces is recognised without being put together, and no other is', () => {
  const memory = createListMemory();
  const [rights, { rules }] = [{}, rulesFor(['tool_1'])];
  const body = (id: string | number): Buffer => Buffer.from(listText(id));
  const recall = (bytes: Buffer, size: number): unknown => {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    );
    const left = memory.recall(rights, 'time', pieces, bytes.length, rules);
    return left && JSON.parse(Buffer.concat(left).toString()).result.tools;
  };
  expect(recall(body(1), 7)).toBeUndefined();
  memory.cutBytes(rights, 'time', body(1), rules);
  for (const size of [1, 7, 64, 100_000]) expect(recall(body('zwei'), size)).toEqual([tools[1]]);
  for (let at = 0; at < body(1).length; at += 1) {
    const other = body(1);
    other[at] = (other[at] ?? 0) ^ 0x80;
    expect(recall(other, 64)).toBeUndefined();
  }
});

function tried<T>(cut: () => T): T | 'refused' {
  try {
    return cut();
  } catch {
    return 'refused';
  }
}

test('the memory is bounded: lists beyond its room push others out', () => {
  const memory = createListMemory(5_000);
  const { rules, asked } = rulesFor(['tool_1']);
  const rights = {};
  for (let server = 0; server < 20; server += 1) memory.cut(rights, `s${server}`, listText(1), rules);
  memory.cut(rights, 's0', listText(1), rules);
  expect(asked()).toBe(names.length * 21);
});
