import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ListRules, prune } from './prune.ts';

const rules: ListRules = new Map([
  ['tools', { named: 'name', shows: (name: string) => name.startsWith('ok') }],
]);

test('refused items are cut out and every other byte stays', () => {
  const text =
    '{ "jsonrpc":"2.0", "id":12345678901234567890,"result":{"tools":[ {"name":"ok1","x":1.0} ,{"name":"no"},\n{"name":"ok2","d":"}]\\""}], "n":1e400}}';
  expect(prune(text, rules)).toBe(
    '{ "jsonrpc":"2.0", "id":12345678901234567890,"result":{"tools":[{"name":"ok1","x":1.0},{"name":"ok2","d":"}]\\""}], "n":1e400}}',
  );
});

test.each([
  ['another result', '{"id":1,"result":{"content":[{"name":"no"}]}}'],
  ['a list of allowed items', '{"id":1,"result":{"tools":[{"name":"ok"}]}}'],
  ['tools elsewhere', '{"id":1,"result":{"x":{"tools":[{"name":"no"}]}},"tools":[{"name":"no"}]}'],
])('%s stays as it is', (_, text) => expect(prune(text, rules)).toBeUndefined());

test('items without a name are dropped', () => {
  expect(prune('{"result":{"tools":[1,{"name":"ok"},{"name":5},{},null,["a"]]}}', rules)).toBe(
    '{"result":{"tools":[{"name":"ok"}]}}',
  );
});

test('names in escapes hide nothing, and an item with two names is dropped', () => {
  expect(prune('{"result":{"t\\u006fols":[{"name":"\\u006eo"}]}}', rules)).toBe(
    '{"result":{"t\\u006fols":[]}}',
  );
  for (const item of ['"name":"no","name":"ok"', '"name":"ok","name":"no"', '"name":"ok","Name":"no"'])
    expect(prune(`{"result":{"tools":[{${item}}]}}`, rules)).toBe('{"result":{"tools":[]}}');
});

test.each([
  ['two lists', '{"result":{"tools":[{"name":"no"}],"tools":[]}}'],
  ['a list in another case', '{"result":{"Tools":[{"name":"no"}]}}'],
  ['a list with a long s', '{"result":{"tool\u017f":[{"name":"no"}]}}'],
  ['a list with a space behind', '{"result":{"tools ":[{"name":"no"}]}}'],
  ['a list with a NUL behind', '{"result":{"tools\\u0000 and whatever else":[{"name":"no"}]}}'],
  ['a result with a tab before', '{"\\tresult":{"tools":[{"name":"no"}]}}'],
  ['a list with escapes in another case', '{"result":{"\\u0054OOLS":[{"name":"no"}]}}'],
  ['a result in another case', '{"Result":{"tools":[{"name":"no"}]}}'],
  ['two results', '{"result":{"tools":[]},"result":{"tools":[{"name":"no"}]}}'],
  ['a result that is a list', '{"result":[{"tools":[{"name":"no"}]}]}'],
  ['a result that is a text', '{"result":"{\\"tools\\":[]}"}'],
  ['a list that is an object', '{"result":{"tools":{"name":"no"}}}'],
  ['a batch in a batch', '[[{"result":{"tools":[{"name":"no"}]}}]]'],
  ['a batch of texts', '["{}"]'],
  ['a request with a result', '{"method":"x","result":{"tools":[{"name":"no"}]}}'],
  ['a text', '"{}"'],
  ['no JSON', 'ping'],
  ['nothing', ''],
  ['single quotes', "{'result':{'tools':[{'name':'no'}]}}"],
  ['a comment', '/**/{"result":{"tools":[{"name":"no"}]}}'],
  ['something behind', '{"result":{}}{"result":{"tools":[{"name":"no"}]}}'],
  ['NUL between the characters', '{\0"result":{"tools":[{"name":"no"}]}}'],
])('%s is a form that is not known', (_, text) =>
  expect(() => prune(text, rules)).toThrow(/a list (?:that|in)/),
);

test('each message of a batch is looked at', () => {
  expect(prune('[{"result":{}},{"result":{"tools":[{"name":"no"}]}}]', rules)).toBe(
    '[{"result":{}},{"result":{"tools":[]}}]',
  );
});

test('a list for one caller is no longer for everybody', () => {
  expect(prune('{"result":{"cacheScope":"public","ttlMs":5,"tools":[{"name":"ok"}]}}', rules)).toBe(
    '{"result":{"cacheScope":"private","ttlMs":5,"tools":[{"name":"ok"}]}}',
  );
  expect(prune('{"result":{"cacheScope":"public","x":"\\u0061"}}', rules)).toBeUndefined();
});

test('a list in text that only lenient parsers read is not passed', () => {
  expect(() => prune('{"result":{"tools":[{"name":"no"}],"x":NaN}}', rules)).toThrow('not valid JSON');
});

test('what remains is what JSON.parse says may remain', () => {
  const tool = fc.record({ name: fc.constantFrom('ok', 'no', 'ok"]', '\\'), extra: fc.jsonValue() });
  const message = fc.record({
    id: fc.integer(),
    result: fc.record({ tools: fc.array(fc.oneof(tool, fc.jsonValue())), other: fc.jsonValue() }),
  });
  fc.assert(
    fc.property(message, fc.integer({ min: 0, max: 2 }), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const expected = JSON.parse(text);
      expected.result.tools = expected.result.tools.filter(
        (item: { name?: unknown } | null) =>
          String(item?.name ?? '').startsWith('ok') && typeof item?.name === 'string' && !Array.isArray(item),
      );
      expect(JSON.parse(prune(text, rules) ?? text)).toEqual(expected);
    }),
    { numRuns: 1000 },
  );
});
