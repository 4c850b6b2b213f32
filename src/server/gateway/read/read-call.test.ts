import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonRefusal, JsonScan, usualJson } from '../../http/request/json-scan.ts';
import { readCall } from './read-call.ts';

const read = (text: string) => readCall(Buffer.from(text, 'utf8'), 10);
const one = (message: object) => read(JSON.stringify({ jsonrpc: '2.0', ...message }));

test('a request, a notification and a response are told apart', () => {
  expect(one({ id: 1, method: 'ping' })).toMatchObject({
    messages: [{ kind: 'request', id: 1, method: 'ping' }],
  });
  expect(one({ method: 'notifications/initialized' })).toMatchObject({
    messages: [{ kind: 'notification' }],
  });
  expect(one({ id: 'a', result: {} })).toMatchObject({
    messages: [{ kind: 'response', method: '$response' }],
  });
  expect(one({ id: 'a', error: { code: 1 } })).toMatchObject({ messages: [{ kind: 'response' }] });
});

test('tools/call yields its tool, also as a notification', () => {
  expect(one({ id: 1, method: 'tools/call', params: { name: 'x' } })).toMatchObject({
    messages: [{ tool: 'x' }],
  });
  expect(one({ method: 'tools/call', params: { name: 'x' } })).toMatchObject({ messages: [{ tool: 'x' }] });
});

test('a batch yields each of its messages', () => {
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x' } };
  expect(read(JSON.stringify([call, { ...call, id: 2 }]))).toMatchObject({
    batch: true,
    messages: [{ id: 1 }, { id: 2 }],
  });
});

test.each([
  ...[
    'tools/call\0',
    'tools/call\0x',
    'tools/call ',
    ' tools/call',
    'TOOLS/CALL',
    'tools/Call',
    'tools//call',
  ],
  ...[
    'tools/call/',
    'tools\\/call',
    'tool\u017f/call',
    'tools/call\n',
    'tools\u2215call',
    '\ufefftools/call',
  ],
  ...['tools/call\u200b', 'tools.call', 'tools/call?', 'prompts/get\0', 'Resources/Read', 'tools/list\0', ''],
])('the method %j is not passed on: some server may read another one in it', (method) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { name: 'x', uri: 'y' } });
  expect(readCall(Buffer.from(body), 1)).toMatchObject({ code: 'bad_request' });
});

test.each([
  'tools/call',
  'logging/setLevel',
  'notifications/progress',
  'x.example/tools/call',
  'tools/callAll',
])('the method %s is', (method) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { name: 'x' } });
  expect(readCall(Buffer.from(body), 1)).toMatchObject({ is: 'asked', messages: [{ method }] });
});

test.each([
  ['nothing', '', -32700],
  ['no JSON', '{"jsonrpc":', -32700],
  ['a byte order mark', '\uFEFF{}', -32700],
  ['a number', '5', -32600],
  ['an empty batch', '[]', -32600],
  ['a batch beyond the limit', `[${Array(11).fill('{"jsonrpc":"2.0","method":"ping"}').join()}]`, -32600],
  ['a batch in a batch', '[[]]', -32600],
  ['no version', '{"id":1,"method":"ping"}', -32600],
  ['neither method nor result', '{"jsonrpc":"2.0","id":1}', -32600],
  ['method and result', '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', -32600],
  ['result and error', '{"jsonrpc":"2.0","id":1,"error":{},"result":{}}', -32600],
  ['a response without id', '{"jsonrpc":"2.0","result":{}}', -32600],
  ['an id of null', '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600],
  ['an object as id', '{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600],
  ['a method that is no text', '{"jsonrpc":"2.0","id":1,"method":["ping"]}', -32600],
  ['our word for a stream', '{"jsonrpc":"2.0","id":1,"method":"$stream"}', -32600],
  ['params by position', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["x"]}', -32602],
  ['a call without a tool', '{"jsonrpc":"2.0","id":1,"method":"tools/call"}', -32602],
  [
    'a list of tools to call',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["x"]}}',
    -32602,
  ],
])('%s is refused', (_, text, rpcCode) => expect(read(text)).toMatchObject({ is: 'fault', rpcCode }));

test('the id of a message that is refused is kept for the answer', () => {
  expect(one({ id: 'q', method: 'tools/call' })).toMatchObject({ id: 'q' });
});

const call = (inside: string) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${inside}}`;
test.each([
  [
    'method twice',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"tools/list","params":{"name":"x"}}',
  ],
  [
    'method once more in escapes',
    '{"jsonrpc":"2.0","id":1,"method":"tools/list","m\\u0065thod":"tools/call"}',
  ],
  ['method in another case', '{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"}'],
  [
    'params that end at a NUL for parsers in C',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"},"params\\u0000 of another kind":{}}',
  ],
  [
    'a method with a space behind',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"},"method ":"ping"}',
  ],
  [
    'a name that ends at a NUL',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","name\\u0000":"y"}}',
  ],
  [
    'params with a long s',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"},"param\u017f":{}}',
  ],
  [
    'params twice',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}',
  ],
  ['id twice', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}'],
  ['the name twice', call('{"name":"a","name":"b"}')],
  ['the name in another case', call('{"name":"a","NAME":"b"}')],
  ['the name after nested text', call('{"name":"a","arguments":{"name":"}\\"","x":[{"y":"]"}]},"name":"b"}')],
  [
    'the version twice',
    call(
      '{"name":"a","_meta":{"io.modelcontextprotocol/protocolVersion":"1","io.modelcontextprotocol/protocolVersion":"2"}}',
    ),
  ],
  ['in a batch', `[${call('{"name":"a"}')},${call('{"name":"a","name":"b"}')}]`],
])('a body that parsers read differently is refused: %s', (_, text) =>
  expect(read(text)).toMatchObject({ is: 'fault', rpcCode: -32600 }),
);

test.each([
  ['in the arguments', call('{"name":"a","arguments":{"name":1,"Name":2,"method":3,"id":4}}')],
  [
    'in params of a method without a name',
    '{"jsonrpc":"2.0","id":1,"method":"x/y","params":{"name":1,"Name":2}}',
  ],
  ['as a text', call('{"name":"a","arguments":{"t":"\\",\\"name\\":\\"b"}}')],
])('names that decide nothing may recur: %s', (_, text) => expect(read(text)).toMatchObject({ is: 'asked' }));

test('bytes that are not UTF-8 are refused', () => {
  const bytes = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping","x":"\xff"}', 'latin1');
  expect(readCall(bytes, 10)).toMatchObject({ is: 'fault', rpcCode: -32700 });
});

test('whatever comes, reading it does not throw', () => {
  const message = fc.dictionary(
    fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'result', 'error', 'Method', '__proto__'),
    fc.oneof(fc.jsonValue(), fc.constantFrom('2.0', 'tools/call', { name: 'x' }, { _meta: null })),
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void readCall(Buffer.from(bytes), 10)));
  fc.assert(fc.property(fc.json(), (text) => void read(text)));
  fc.assert(
    fc.property(fc.oneof(message, fc.array(message)), (value) => {
      const read = readCall(Buffer.from(JSON.stringify(value)), 10);
      if (read.is === 'asked') expect(read.messages.length).toBe(Array.isArray(value) ? value.length : 1);
    }),
    { numRuns: 1000 },
  );
});

test('what is decided on is what the text says under every rule for repeated names', () => {
  const member = fc.tuple(
    fc.constantFrom('name', 'n\\u0061me', 'Name', 'arguments', 'x'),
    fc.constantFrom('"a"', '"b"', '{"name":"c"}', '[]'),
  );
  fc.assert(
    fc.property(fc.array(member), (members) => {
      const params = `{${members.map(([key, value]) => `"${key}":${value}`).join()}}`;
      const result = read(call(params));
      const names = members.filter(([key]) => /^n(?:a|\\u0061)me$/i.test(key)).map(([, value]) => value);
      if (result.is === 'asked') expect(names).toEqual([JSON.stringify(result.messages[0].tool)]);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  [
    'nested deeper than the limit',
    call(`{"name":"a","arguments":${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
  ],
  ['nested deeper by objects', call(`{"name":"a","arguments":${'{"a":'.repeat(200)}1${'}'.repeat(200)}}`)],
  ['never closed', call(`{"name":"a","arguments":${'['.repeat(2_000_000)}`)],
  ['of more members than the limit', call(`{"name":"a","arguments":{${manyMembers(350_000)}}}`)],
  ['of more members in the params', call(`{"name":"a",${manyMembers(2_000)}}`)],
  ['of more members in the message', `{"jsonrpc":"2.0","id":1,"method":"ping",${manyMembers(2_000)}}`],
  ['of many small objects', call(`{"name":"a","arguments":[${Array(200_000).fill('{"a":1}').join()}]}`)],
  ['of too many subscriptions', subscribing(Array(2_000).fill('"file:///a"').join())],
])('a body %s is refused where it passes the limit', (_, text) =>
  expect(read(text)).toMatchObject({ is: 'fault', rpcCode: -32600 }),
);

function manyMembers(count: number): string {
  return Array.from({ length: count }, (_, at) => `"k${at}":${at}`).join();
}

function subscribing(uris: string): string {
  const params = `{"notifications":{"resourceSubscriptions":[${uris}]}}`;
  return `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":${params}}`;
}

test('what is taken is what JSON.parse takes, within the limits', () => {
  const scanned = (text: string): boolean => {
    const scan = new JsonScan(text, usualJson);
    try {
      scan.end(scan.value(scan.space(0), 0));
      return true;
    } catch (error) {
      if (error instanceof JsonRefusal && error.why === 'syntax') return false;
      throw error;
    }
  };
  const parsed = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  const piece = fc.constantFrom(
    ...['{', '}', '[', ']', ',', ':', '"', '"a"', '\\', 'u', '0', '1', '-', '+', '.', 'e', 'E', '01'],
    ...[
      'true',
      'false',
      'null',
      'nul',
      'NaN',
      ' ',
      '\n',
      '\t',
      '\u0010',
      '\u007f',
      '\u2028',
      '\ufeff',
      '\\u00',
    ],
    ...['\\u0020', '\\u\u0010000', '\\x', `"${'x'.repeat(100)}"`, `"${'y'.repeat(99)}\n"`, "'", '/*', '//'],
  );
  const pieces = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));
  const broken = fc
    .tuple(fc.json(), fc.nat(), piece)
    .map(([text, at, put]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + 1));
  fc.assert(
    fc.property(fc.oneof(pieces, fc.json(), broken), (text) => void expect(scanned(text)).toBe(parsed(text))),
    { numRuns: 20_000 },
  );
});
