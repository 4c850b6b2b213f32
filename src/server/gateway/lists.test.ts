import type { ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  open,
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
} from './gateway.test-support.ts';

let upstream: ScriptedUpstream;
let house: TestGateway;
let url: string;
const grants: Record<string, string[]> = {
  all: ['* * *'],
  some: ['time tools/list', 'time tools/call now', 'time ping'],
  reader: ['time tools/list', 'time initialize'],
};

beforeAll(async () => {
  upstream = await startUpstream();
  house = await startGateway(grants, { limits: { filterBytes: 100_000 } });
  house.routes.set('time', routeOf('time', upstream.url));
  url = `${house.origin}/time/mcp`;
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});
afterEach(() => {
  upstream.received.length = 0;
});

const tools = [{ name: 'now', x: 1 }, { name: 'rm' }, { name: 'nowhere' }];
const list = { jsonrpc: '2.0', id: 1, result: { tools, nextCursor: 'c', ttlMs: 5, cacheScope: 'public' } };
const pruned = { ...list, result: { ...list.result, tools: [tools[0]], cacheScope: 'private' } };
const ask = rpc('tools/list');

function events(res: ServerResponse, text: string, headers: Record<string, string> = {}): void {
  res.writeHead(200, { 'content-type': 'text/event-stream', ...headers }).end(text);
}

describe('a list in JSON', () => {
  test('shows exactly what may be called, with the right length', async () => {
    upstream.script = (_, res) => sendJson(res, list);
    const answer = await send(url, { as: 'some', body: ask });
    expect(answer.json()).toEqual(pruned);
    expect(answer.headers['content-length']).toBe(String(answer.text.length));
    expect(answer.headers['transfer-encoding']).toBeUndefined();
    expect((await send(url, { as: 'reader', body: ask })).json()).toMatchObject({ result: { tools: [] } });
    const [of] = await house.audited(1);
    expect(of?.detail).toMatchObject({ list_tokens: Math.ceil(answer.text.length / 4) });
  });

  test('leaves out, for everybody, what the last check found to be no valid tool', async () => {
    upstream.script = (_, res) => sendJson(res, list);
    const shownTo = async (as: string): Promise<unknown> => {
      const { result } = (await send(url, { as, body: ask })).json() as typeof list;
      return result.tools.map(({ name }) => name);
    };
    const before = house.routes.get('time');
    try {
      for (const [invalid, all, some] of [
        [['rm', 'now'], ['nowhere'], []],
        // The memory of lists holds none of before.
        [['nowhere'], ['now', 'rm'], ['now']],
      ] as const) {
        house.routes.set('time', { ...routeOf('time', upstream.url), invalidTools: new Set(invalid) });
        for (let turn = 0; turn < 2; turn += 1)
          expect([await shownTo('all'), await shownTo('some')]).toEqual([all, some]);
      }
    } finally {
      if (before) house.routes.set('time', before);
    }
  });

  test('passes untouched for who may call everything, compressed as the client likes it', async () => {
    const packed = gzipSync(JSON.stringify(list, null, 3));
    upstream.script = (_, res) =>
      res
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip', etag: '"1"' })
        .end(packed);
    const answer = await open(url, { as: 'all', body: ask, headers: { 'accept-encoding': 'gzip' } });
    const chunks: Buffer[] = [];
    for await (const chunk of answer.res) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks)).toEqual(packed);
    expect(answer.headers).toMatchObject({ 'content-encoding': 'gzip', etag: '"1"' });
    expect(upstream.received[0]?.headers['accept-encoding']).toBe('gzip');
  });

  test('is asked for uncompressed, and decoded when it comes compressed all the same', async () => {
    for (const [name, pack] of [
      ['gzip', gzipSync],
      ['deflate', deflateSync],
      ['br', brotliCompressSync],
    ] as const) {
      upstream.script = (_, res) =>
        res
          .writeHead(200, { 'content-type': 'application/json', 'content-encoding': name })
          .end(pack(JSON.stringify(list)));
      const answer = await send(url, { as: 'some', body: ask, headers: { 'accept-encoding': 'gzip, br' } });
      expect(answer.json()).toEqual(pruned);
      expect(answer.headers['content-encoding']).toBeUndefined();
      expect(upstream.received.at(-1)?.headers['accept-encoding']).toBe('identity');
    }
  });

  test.each([
    ['larger than the limit', {}, JSON.stringify({ ...list, x: 'y'.repeat(100_000) })],
    [
      'larger than the limit when unpacked',
      { 'content-encoding': 'gzip' },
      gzipSync(JSON.stringify({ ...list, x: 'y'.repeat(1e6) })),
    ],
    ['compressed in an unknown way', { 'content-encoding': 'compress' }, 'x'],
    ['compressed twice', { 'content-encoding': 'gzip, gzip' }, gzipSync(gzipSync(JSON.stringify(list)))],
    ['damaged', { 'content-encoding': 'gzip' }, gzipSync(JSON.stringify(list)).subarray(0, 40)],
    ['readable for lenient parsers only', {}, JSON.stringify(list).replace('"public"', 'NaN')],
    ['in UTF-16', {}, Buffer.from(JSON.stringify(list), 'utf16le')],
    ['in UTF-16 with its mark', {}, Buffer.from(`\ufeff${JSON.stringify(list)}`, 'utf16le')],
    ['in UTF-16, big-endian', {}, Buffer.from(JSON.stringify(list), 'utf16le').swap16()],
    ['said to be UTF-16', { 'content-type': 'application/json; charset=utf-16' }, JSON.stringify(list)],
    ['said to be UTF-7', { 'content-type': 'application/json; charset="utf-7"' }, JSON.stringify(list)],
    ['of two types', { 'content-type': 'text/html, application/json' }, JSON.stringify(list)],
    ['of another type', { 'content-type': 'text/plain' }, JSON.stringify(list)],
    ['that is a page', { 'content-type': 'text/html' }, '<h1>rm</h1>'],
    ['spelt otherwise', {}, JSON.stringify(list).replace('"tools"', '"Tools"')],
    ['with a result spelt otherwise', {}, JSON.stringify(list).replace('"result"', '"RESULT"')],
    ['in a batch in a batch', {}, JSON.stringify([[list]])],
    ['twice', {}, JSON.stringify(list).replace('"tools"', '"tools":[],"tools"')],
    ['behind another message', {}, `{"jsonrpc":"2.0","id":1,"result":{}}${JSON.stringify(list)}`],
  ])('%s is 502 and not passed', async (_, headers, body) => {
    upstream.script = (_, res) =>
      res.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body);
    const answer = await send(url, { as: 'some', body: ask });
    expect(answer).toMatchObject({ status: 502 });
    expect(answer.json()).toMatchObject({ id: 1, error: { data: { code: 'upstream_invalid' } } });
  });

  test('with a byte order mark is shown without it', async () => {
    upstream.script = (_, res) =>
      res
        .writeHead(200, { 'content-type': 'application/json' })
        .end(Buffer.from(`\ufeff${JSON.stringify(list)}`, 'utf8'));
    expect((await send(url, { as: 'some', body: ask })).json()).toEqual(pruned);
  });

  test.each([
    [
      'an error of JSON-RPC',
      400,
      'application/json',
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"m"}}',
    ],
    ['a page', 502, 'text/html', '<h1>"tools"</h1>'],
    ['nothing', 202, 'application/json', ''],
  ])('%s in its place passes as it is', async (_, status, type, body) => {
    upstream.script = (_, res) => res.writeHead(status, { 'content-type': type }).end(body);
    expect(await send(url, { as: 'some', body: ask })).toMatchObject({ status, text: body });
  });

  test('in a batch is filtered among the other answers', async () => {
    upstream.script = (_, res) => sendJson(res, [{ jsonrpc: '2.0', id: 2, result: {} }, list]);
    const answer = await send(url, { as: 'some', body: [rpc('ping', {}, 2), ask] });
    expect(answer.json()).toEqual([{ jsonrpc: '2.0', id: 2, result: {} }, pruned]);
  });
});

describe('a list in an event stream', () => {
  test('is filtered in its event; other events, ids and comments stay', async () => {
    const before =
      ': hello\n\nid: 1\nevent: message\ndata: {"jsonrpc":"2.0","method":"notifications/message"}\n\n';
    upstream.script = (_, res) => events(res, `${before}id: 2\ndata: ${JSON.stringify(list)}\nretry: 3\n\n`);
    const answer = await send(url, { as: 'some', body: ask });
    expect(answer.text).toBe(`${before}id: 2\ndata: ${JSON.stringify(pruned)}\nretry: 3\n\n`);
  });

  test('is filtered when its JSON is spread over many data lines and the stream is compressed', async () => {
    const lines = JSON.stringify(list, null, 1).split('\n');
    const text = `${lines.map((line) => `data: ${line}`).join('\r\n')}\r\n\r\n`;
    upstream.script = (_, res) => events(res, gzipSync(text) as never, { 'content-encoding': 'gzip' });
    const answer = await send(url, { as: 'some', body: ask });
    const data = answer.text
      .split('\r\n')
      .map((line) => line.replace(/^data: /, ''))
      .join('\n');
    expect(JSON.parse(data)).toEqual(pruned);
  });

  test('above the limit costs its own request: an error with its id, and the stream goes on', async () => {
    upstream.script = (_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(': first\n\n');
      for (let count = 0; count < 40; count += 1) res.write(`data: ${' '.repeat(10_000)}\n`);
      res.end(`data: ${JSON.stringify(list)}\n\ndata: {"jsonrpc":"2.0","method":"ping","id":5}\n\n`);
    };
    const { text } = await send(url, { as: 'some', body: rpc('tools/list', {}, 'q') });
    expect(text).toContain('"id":"q","error":{"code":502');
    expect(text).toContain('MCP_PROXY_MAX_LIST_BYTES');
    expect(text).toContain('"method":"ping"');
    expect(text).not.toContain('rm');
  });

  test.each([
    ['Tools', { ...list, result: { Tools: tools } }],
    ['a batch in a batch', [[list]]],
    ['a list that is an object', { ...list, result: { tools: { name: 'rm' } } }],
  ])('in a form that is not known (%s) is an error of its request', async (_, message) => {
    upstream.script = (_, res) => events(res, `data: ${JSON.stringify(message)}\n\n: next\n\n`);
    const { text } = await send(url, { as: 'some', body: rpc('tools/list', {}, 'q') });
    expect(text).toContain('"id":"q","error":{"code":502');
    expect(text).toContain(': next');
    expect(text).not.toContain('"rm"');
  });

  const whole = JSON.stringify(list);
  test.each([
    ['a field in another case', `DATA: ${whole}\n\n`],
    ['a field behind a blank', ` data: ${whole}\n\n`],
    ['a field before a blank', `data : ${whole}\n\n`],
    ['a field with NUL', `data\0: ${whole}\n\n`],
    ['a field behind a byte order mark that is not the first', `\n\ufeffdata: ${whole}\n\n`],
    ['a comment', `: ${whole}\n\n`],
    ['an id', `id: ${whole}\ndata: {}\n\n`],
    ['the type of an event', `event: ${whole}\ndata: {}\n\n`],
    ['a field that nobody knows', `more: ${whole}\n\n`],
    ['a line behind its data', `data: {}\nmore: ${whole}\n\n`],
    ['JSON without a field', whole],
    ['JSON without a field that ends in CR LF', `${whole}\r\n\r\n`],
    ['a line behind U+2028', `data: x\u2028data: ${whole}\n\n`],
    ['a line behind U+2028 in a comment', `: x\u2028data: ${whole}\n\n`],
    ['a line behind NEL', `data: x\u0085data: ${whole}\n\n`],
    ['a line behind a form feed', `: x\fdata: ${whole}\n\n`],
    ['data that are almost JSON', `data: \ufeff${whole}\n\n`],
    [
      'data with bytes that are no UTF-8',
      Buffer.concat([Buffer.from('data: '), Buffer.from([0xff]), Buffer.from(`${whole}\n\n`)]),
    ],
    [
      'members of members that are no members',
      `data: ${whole.replace('"result":{', '"result":{"__proto__":{"tools":[{"name":"rm"}]},')}\n\n`,
    ],
  ])('is found by no reader in %s', async (_, text) => {
    upstream.script = (_request, res) => events(res, text as string);
    const { text: passed } = await send(url, { as: 'some', body: rpc('tools/list', {}, 'q') });
    expect(passed).not.toContain('"rm"');
  });

  test('is one line of data for every reader, whatever is in its texts', async () => {
    const said = { name: 'now', description: 'a\u2028data: b\u2029c\u0085d' };
    const message = { ...list, result: { tools: [said, { name: 'rm' }] } };
    upstream.script = (_, res) => events(res, `data: ${JSON.stringify(message)}\n\n`);
    const { text } = await send(url, { as: 'some', body: ask });
    expect(text).not.toMatch(/[\u0085\u2028\u2029]/);
    expect(JSON.parse(text.replace('data: ', ''))).toMatchObject({ result: { tools: [said] } });
  });

  test('is filtered on a GET stream too, where it may be replayed', async () => {
    let stream: ServerResponse | undefined;
    upstream.script = (_, res) => {
      stream = res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.flushHeaders();
    };
    const answer = await open(url, { as: 'some', headers: { 'last-event-id': '1' } });
    expect(upstream.received[0]?.headers).toMatchObject({
      'last-event-id': '1',
      'accept-encoding': 'identity',
    });
    stream?.write(`id: 2\ndata: ${JSON.stringify(list)}\n\n`);
    expect(await answer.event()).toBe(`id: 2\ndata: ${JSON.stringify(pruned)}\n\n`);
    stream?.end();
  });

  test('follows a change of grants while the stream is open', async () => {
    const rules = ['* * *'];
    grants.changing = rules;
    let stream: ServerResponse | undefined;
    upstream.script = (_, res) => {
      stream = res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.flushHeaders();
    };
    const answer = await open(url, { as: 'changing' });
    stream?.write(`data: ${JSON.stringify(list)}\n\n`);
    expect(await answer.event()).toContain('rm');
    rules.splice(0, 1, ...(grants.some ?? []));
    stream?.write(`data: ${JSON.stringify(list)}\n\n`);
    expect(await answer.event()).not.toContain('rm');
    stream?.end();
  });
});

describe.each([
  ['prompts/list', 'prompts', 'name', 'prompts/get', ['review', 'deploy']],
  ['resources/list', 'resources', 'uri', 'resources/read', ['file:///a', 'file:///b']],
  ['resources/templates/list', 'resourceTemplates', 'uriTemplate', 'resources/read', ['x:{a}', 'y:{b}']],
  ['resources/directory/read', 'resources', 'uri', 'resources/read', ['skill://a', 'skill://b']],
] as const)('the answer to %s', (method, member, named, call, [shown, hidden]) => {
  const answer = (...names: string[]) => ({
    ...{ jsonrpc: '2.0', id: 1 },
    result: { [member]: names.map((name) => ({ [named]: name, x: 1 })), cacheScope: 'public' },
  });
  const own = answer(shown);
  Object.assign(own.result, { cacheScope: 'private' });

  test('shows exactly what may be had, as JSON and as an event', async () => {
    grants.having = [`time ${method}`, `time ${call} ${shown}`];
    upstream.script = (_, res) => sendJson(res, answer(shown, hidden));
    const asked = { as: 'having', body: rpc(method) };
    expect((await send(url, asked)).json()).toEqual(own);
    upstream.script = (_, res) => events(res, `data: ${JSON.stringify(answer(hidden, shown))}\n\n`);
    expect((await send(url, asked)).text).toBe(`data: ${JSON.stringify(own)}\n\n`);
  });

  test('shows nothing to who may have nothing, and everything to who may have everything', async () => {
    upstream.script = (_, res) => sendJson(res, answer(shown, hidden));
    grants.listing = [`time ${method}`];
    const empty = (await send(url, { as: 'listing', body: rpc(method) })).json();
    expect(empty).toMatchObject({ result: { [member]: [], cacheScope: 'private' } });
    grants.everything = [`time ${method}`, `time ${call} *`];
    const whole = (await send(url, { as: 'everything', body: rpc(method) })).json();
    expect(whole).toEqual(answer(shown, hidden));
  });

  test('is filtered on a stream as well', async () => {
    grants.streaming = ['time initialize', `time ${call} ${shown}`, 'time tools/call *'];
    upstream.script = (_, res) => events(res, `data: ${JSON.stringify(answer(hidden, shown))}\n\n`);
    expect(await (await open(url, { as: 'streaming' })).rest()).toBe(`data: ${JSON.stringify(own)}\n\n`);
  });
});

describe('what a result of 2026-07-28 lets caches keep for everybody, they keep for one', () => {
  const meta = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } };
  const text = '{"a":"\\"cacheScope\\":\\"public\\"","b":{"cacheScope" :\n"public"},"cacheScope":"publicity"';
  const [before, after] = ['public', 'private'].map(
    (scope) =>
      `{"jsonrpc":"2.0","id":1,"result":${text.replace('"public"', `"${scope}"`)}},"x":"cacheScope"}`,
  );
  const asked = (method: string, params: object = {}) => ({
    as: 'all',
    headers: {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...('uri' in params ? { 'mcp-name': 'a:b' } : {}),
    },
    body: rpc(method, { ...params, ...meta }),
  });

  test.each([
    ['tools/list', {}],
    ['resources/read', { uri: 'a:b' }],
    ['server/discover', {}],
  ])('%s, in pieces of any size, as JSON and as an event', async (method, params) => {
    grants.all = ['* * *'];
    for (const size of [1, 7, 40, 1000]) {
      upstream.script = (_, res) => {
        res.writeHead(200, {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(before ?? ''),
        });
        for (let from = 0; from < (before ?? '').length; from += size)
          res.write(before?.slice(from, from + size));
        res.end();
      };
      expect((await send(url, asked(method, params))).text).toBe(after);
    }
    upstream.script = (_, res) => events(res, `data: ${before?.replaceAll('\n', ' ')}\n\n`);
    expect((await send(url, asked(method, params))).text).toBe(`data: ${after?.replaceAll('\n', ' ')}\n\n`);
  });
});

test('other results may have members of that name', async () => {
  upstream.script = (_, res) => sendJson(res, list);
  expect((await send(url, { as: 'some', body: rpc('ping') })).json()).toEqual(list);
});
