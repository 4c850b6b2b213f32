import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  routeOf,
  rpc,
  type ScriptedUpstream,
  send,
  sendJson,
  sessionOf,
  startGateway,
  startUpstream,
  type TestGateway,
} from './gateway.test-support.ts';

let upstream: ScriptedUpstream;
let house: TestGateway;
let url: string;

beforeAll(async () => {
  upstream = await startUpstream();
  house = await startGateway(
    { alice: ['time *', 'time tools/call now', 'off *', 'gone *'], bob: ['other *'], none: [] },
    { limits: { bodyBytes: 10_000, batchMessages: 5 } },
  );
  house.routes.set('time', routeOf('time', upstream.url));
  house.routes.set('off', routeOf('off', upstream.url, { enabled: false }));
  url = `${house.origin}/time/mcp`;
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});
beforeEach(() => {
  upstream.received.length = 0;
  house.events.length = 0;
  upstream.script = (_, res) => sendJson(res, { jsonrpc: '2.0', id: 1, result: {} });
});

describe('who is asked first', () => {
  test('nobody gets 401 with the way to sign in, whatever the server', async () => {
    for (const server of ['time', 'off', 'unknown']) {
      const answer = await send(`${house.origin}/${server}/mcp`, { body: rpc('ping') });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe(
        `Bearer resource_metadata="https://gateway.example/.well-known/oauth-protected-resource/${server}/mcp", scope="mcp:read mcp:call"`,
      );
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(answer.json()).toMatchObject({ status: 401, code: 'credential_missing' });
    }
    expect(upstream.received).toEqual([]);
  });

  test('a bad credential is called invalid', async () => {
    const answer = await send(url, { as: 'mallory', body: rpc('ping') });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain(', error="invalid_token"');
  });

  test('when nobody can tell, the answer is 503 and not a call to sign in', async () => {
    const answer = await send(url, { as: 'outage', body: rpc('ping') });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('5');
    expect(answer.headers['www-authenticate']).toBeUndefined();
    expect(answer.json()).toMatchObject({ code: 'identity_unavailable' });
  });

  test('an unidentified body is not read', async () => {
    const answer = await send(url, { body: 'x'.repeat(100_000) });
    expect(answer.status).toBe(401);
  });
});

describe('what is allowed passes', () => {
  test('the body goes on byte for byte and the answer comes back as it is', async () => {
    const body =
      '{ "params":{"name":"now","arguments":{"x":1.0,"big":12345678901234567890}},\n"method":"tools/call", "id":"a","jsonrpc":"2.0"}';
    upstream.script = (_, res) => {
      res.writeHead(418, 'Odd', {
        'content-type': 'application/json',
        'Mcp-Known': 'yes',
        'mcp-session-id': 's1',
      });
      res.end('{"odd" : 1.0}');
    };
    const answer = await send(`${url}?debug=1`, { as: 'alice', body });
    expect(upstream.received).toMatchObject([{ method: 'POST', url: '/mcp', body }]);
    expect(answer).toMatchObject({ status: 418, text: '{"odd" : 1.0}' });
    expect(answer.res.statusMessage).toBe('Odd');
    expect(answer.headers).toMatchObject({
      ...{ 'mcp-known': 'yes', 'mcp-session-id': expect.stringMatching(/^[\w-]{20,}$/) },
      'x-content-type-options': 'nosniff',
    });
  });

  test.each([202, 204, 400, 404, 405, 500])('status %i passes untouched', async (status) => {
    upstream.script = (_, res) => res.writeHead(status).end(status === 204 ? undefined : 'body');
    const answer = await send(url, { as: 'alice', body: rpc('ping') });
    expect(answer).toMatchObject({ status, text: status === 204 ? '' : 'body' });
  });

  test('GET and DELETE reach the server without a body', async () => {
    upstream.script = (_, res) => res.writeHead(405, { allow: 'POST' }).end();
    const session = sessionOf('alice', 'time', upstream.url, 's');
    for (const method of ['GET', 'DELETE']) {
      const answer = await send(url, { as: 'alice', method, headers: { 'mcp-session-id': session } });
      expect(answer).toMatchObject({ status: 405, text: '' });
      expect(answer.headers.allow).toBe('POST');
    }
    expect(upstream.received).toMatchObject([
      { method: 'GET', body: '', headers: { 'mcp-session-id': 's' } },
      { method: 'DELETE', body: '' },
    ]);
  });

  test('what is neither protocol, content nor tracing stays behind, whatever it is called', async () => {
    await send(url, {
      as: 'alice',
      body: rpc('tools/call', { name: 'now' }),
      headers: {
        ...{
          'x-authorization': 'Bearer x',
          cookie: 'a=b',
          'x-user': 'root',
          'X-Scopes': 'all',
          'x-groups': 'g',
        },
        ...{ 'x-forwarded-for': '1.2.3.4', te: 'trailers', connection: 'keep-alive, x-hop', 'x-hop': '1' },
        ...{
          'mcp-param-region': 'eu',
          'x-unknown': ['a', 'b'],
          ...{ X_User: 'root', mcp_session_id: 's', 'remote-user': 'root', 'cf-access-jwt-assertion': 'x' },
          ...{ 'x-amzn-oidc-data': 'x', 'x-goog-iap-jwt-assertion': 'x', 'x-ms-client-principal': 'x' },
          'mcp-method': 'tools/call',
          'proxy-authorization': 'x',
        },
        ...{
          'accept-encoding': 'gzip',
          'last-event-id': '7',
          traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        },
      },
    });
    const { headers } = upstream.received[0] ?? { headers: {} };
    expect(headers).toMatchObject({
      ...{
        'mcp-param-region': 'eu',
        'mcp-method': 'tools/call',
        'accept-encoding': 'gzip',
      },
      ...{
        'last-event-id': '7',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        host: upstream.url.host,
        'content-type': 'application/json',
      },
      'x-correlation-id': expect.stringMatching(/^id-/),
    });
    for (const name of [
      'authorization',
      'x-authorization',
      'cookie',
      'x-user',
      'x-scopes',
      'x-groups',
      'te',
      'x-hop',
      'x-forwarded-for',
      'proxy-authorization',
      'x-unknown',
      ...['x_user', 'mcp_session_id', 'remote-user', 'cf-access-jwt-assertion', 'x-amzn-oidc-data'],
      ...['x-goog-iap-jwt-assertion', 'x-ms-client-principal'],
    ])
      expect(headers).not.toHaveProperty(name);
  });

  test('what an operator lets through goes to that server, and to no other', async () => {
    const credentials = { headers: [], names: new Set<string>(), forwardAuthorization: false };
    const passes = new Set(['x-region']);
    house.routes.set('more', routeOf('more', upstream.url, { credentials: { ...credentials, passes } }));
    house.rules.carol = ['* *'];
    for (const server of ['more', 'time'])
      await send(`${house.origin}/${server}/mcp`, {
        ...{ as: 'carol', body: rpc('ping'), headers: { 'X-Region': 'eu', 'x-other': '1' } },
      });
    expect(upstream.received.map(({ headers }) => [headers['x-region'], headers['x-other']])).toEqual([
      ['eu', undefined],
      [undefined, undefined],
    ]);
  });

  test('words for our own origin, for the browser and for caches stay behind', async () => {
    const hostile = {
      ...{ 'set-cookie': ['session=evil'], 'clear-site-data': '"*"', refresh: '0;url=https://evil.example' },
      ...{ link: '<https://evil.example>; rel=preload', 'alt-svc': 'h3=":443"', 'x-hop': '1' },
      ...{ 'strict-transport-security': 'max-age=0', 'access-control-allow-origin': '*', location: '/x' },
      ...{
        'access-control-allow-credentials': 'true',
        'www-authenticate': 'Basic',
        'x-frame-options': 'ALLOW',
      },
      ...{
        'proxy-authenticate': 'Basic',
        'cache-control': 'public, s-maxage=9',
        'service-worker-allowed': '/',
      },
      ...{ 'content-disposition': 'attachment', 'public-key-pins': 'x', 'report-to': '{}', nel: '{}' },
      ...{ sourcemap: '/x', 'content-security-policy': 'default-src *', 'x-content-type-options': 'none' },
    };
    const connection =
      'x-hop, x-content-type-options, content-security-policy, x-correlation-id, content-type';
    upstream.script = (_, res) => {
      res.writeHead(200, { ...hostile, 'content-type': 'text/html', connection }).end('<script>');
    };
    const { headers } = await send(url, { as: 'alice', body: rpc('ping') });
    expect(headers).toMatchObject({
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'x-correlation-id': expect.stringMatching(/^id-/),
    });
    const ours = ['x-content-type-options', 'content-security-policy'];
    for (const name of Object.keys(hostile).filter((one) => !ours.includes(one)))
      expect(headers).not.toHaveProperty(name);
  });

  test.each([
    [401, 'upstream_auth'],
    [407, 'upstream_auth'],
    [300, 'upstream_invalid'],
    [302, 'upstream_invalid'],
    [305, 'upstream_invalid'],
    [308, 'upstream_invalid'],
  ])('a server that answers %i does not speak for the gateway', async (status, code) => {
    upstream.script = (_, res) =>
      res
        .writeHead(status, {
          'www-authenticate': 'Bearer resource_metadata="https://evil.example"',
          ...{ location: 'https://evil.example', 'proxy-authenticate': 'Basic' },
        })
        .end('{"error":"invalid_token"}');
    for (const method of ['POST', 'GET', 'DELETE']) {
      const body = method === 'POST' ? { body: rpc('ping', {}, 4) } : {};
      const answer = await send(url, { as: 'alice', method, ...body });
      expect(answer).toMatchObject({ status: 502 });
      expect(answer.json()).toMatchObject({ error: { data: { code } } });
      expect(answer.text).not.toContain('evil');
      for (const name of ['www-authenticate', 'proxy-authenticate', 'location'])
        expect(answer.headers).not.toHaveProperty(name);
    }
  });
});

describe('what is refused', () => {
  test('a refusal is a JSON-RPC error with the id of the request and a correlation id', async () => {
    const answer = await send(url, { as: 'alice', body: rpc('tools/call', { name: 'rm' }, 'q7') });
    // The status that SDKs take for an error of the call; the audit says what it amounts to.
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    const id = answer.headers['x-correlation-id'];
    expect(answer.json()).toMatchObject({
      jsonrpc: '2.0',
      id: 'q7',
      error: { code: 403, data: { code: 'not_allowed', correlation_id: id } },
    });
    expect(upstream.received).toEqual([]);
    expect(await house.audited(1)).toMatchObject([
      {
        correlationId: id,
        decision: 'deny',
        reason: 'tool',
        action: 'tools/call',
        tool: 'rm',
        resource: 'time',
        status: 403,
      },
    ]);
  });

  test.each([
    ['tools/list', 'tools'],
    ['prompts/list', 'prompts'],
    ['resources/list', 'resources'],
    ['resources/templates/list', 'resourceTemplates'],
  ])('%s without the right to it is an empty list in either era, and no error', async (method, member) => {
    house.rules.pinger = ['time ping'];
    const legacy = await send(url, { as: 'pinger', body: rpc(method, {}, 'a') });
    expect(legacy.status).toBe(200);
    expect(legacy.json()).toEqual({ jsonrpc: '2.0', id: 'a', result: { [member]: [] } });
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
    const modern = await send(url, {
      as: 'pinger',
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method },
      body: rpc(method, { _meta }, 2),
    });
    expect(modern.json()).toEqual({
      ...{ jsonrpc: '2.0', id: 2 },
      result: { [member]: [], resultType: 'complete', ttlMs: 0, cacheScope: 'private' },
    });
    expect(upstream.received).toEqual([]);
    expect(await house.audited(2)).toMatchObject([
      { action: method, decision: 'deny' },
      { decision: 'deny' },
    ]);
  });

  test('unknown, disabled and forbidden servers look alike without a grant', async () => {
    const texts = [];
    for (const server of ['time', 'off', 'unknown']) {
      const answer = await send(`${house.origin}/${server}/mcp`, { as: 'bob', body: rpc('ping') });
      expect(answer.status).toBe(403);
      texts.push(answer.text.replace(server, 'S').replace(/id-\d+/, 'I'));
    }
    expect(new Set(texts).size).toBe(1);
  });

  test('with a grant, an unknown server is 404 and a disabled one 503', async () => {
    const gone = await send(`${house.origin}/gone/mcp`, { as: 'alice', body: rpc('ping', {}, 5) });
    expect(gone).toMatchObject({ status: 404 });
    expect(gone.json()).toMatchObject({ id: 5, error: { code: 404, data: { code: 'not_found' } } });
    const off = await send(`${house.origin}/off/mcp`, { as: 'alice', body: rpc('ping') });
    expect(off).toMatchObject({ status: 503 });
    expect(off.json()).toMatchObject({ error: { data: { code: 'server_disabled' } } });
  });

  test('one refused element refuses the batch, and each request in it is told', async () => {
    const body = [
      rpc('tools/call', { name: 'now' }, 1),
      rpc('tools/call', { name: 'rm' }, 2),
      { jsonrpc: '2.0', method: 'notifications/initialized' },
    ];
    const answer = await send(url, { as: 'alice', body });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject([
      { id: 1, error: { code: 403 } },
      { id: 2, error: { code: 403 } },
    ]);
    expect(upstream.received).toEqual([]);
    expect(await house.audited(1)).toMatchObject([
      {
        action: 'batch',
        decision: 'deny',
        detail: { batch: [{ tool: 'now' }, { tool: 'rm' }, { method: 'notifications/initialized' }] },
      },
    ]);
  });

  test('an allowed batch passes where the era has batches, and only there', async () => {
    const body = [rpc('ping', {}, 1), rpc('tools/call', { name: 'now' }, 2)];
    expect(await send(url, { as: 'alice', body })).toMatchObject({ status: 200 });
    const later = await send(url, { as: 'alice', body, headers: { 'mcp-protocol-version': '2025-06-18' } });
    expect(later.status).toBe(400);
    expect(later.json()).toMatchObject([{ id: 1, error: { code: -32600 } }, { id: 2 }]);
  });

  test.each([
    ['an empty body', '', -32700],
    ['broken JSON', '{"jsonrpc"', -32700],
    ['no message', '{}', -32600],
    ['the method twice', '{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping"}', -32600],
    ['a call without a tool', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}', -32602],
  ])('%s is 400', async (_, body, code) => {
    const answer = await send(url, { as: 'alice', method: 'POST', body });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: { code } });
  });

  test('headers that contradict the body are 400 with -32020', async () => {
    const body = rpc('tools/call', { name: 'now' }, 9);
    const answer = await send(url, { as: 'alice', body, headers: { 'mcp-name': 'rm' } });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ id: 9, error: { code: -32020 } });
    const bare = await send(url, { as: 'alice', body, headers: { 'mcp-protocol-version': '2026-07-28' } });
    expect(bare).toMatchObject({ status: 400 });
  });

  test('a body above the limit is 413, announced or not', async () => {
    const body = JSON.stringify(rpc('tools/call', { name: 'now', arguments: { x: 'y'.repeat(20_000) } }));
    const announced = await send(url, { as: 'alice', body });
    expect(announced).toMatchObject({ status: 413 });
    const chunked = await send(url, { as: 'alice', body, headers: { 'transfer-encoding': 'chunked' } });
    expect(chunked).toMatchObject({ status: 413 });
    expect(upstream.received).toEqual([]);
  });

  test('bodies in a coding or charset that another parser would read differently are 415', async () => {
    for (const headers of [
      { 'content-encoding': 'gzip' },
      { 'content-type': 'application/json; charset=utf-7' },
      { 'content-type': 'text/plain' },
    ] as Record<string, string>[])
      expect(await send(url, { as: 'alice', body: rpc('ping'), headers })).toMatchObject({ status: 415 });
    const utf8 = { 'content-type': 'application/json; charset=UTF-8' };
    expect(await send(url, { as: 'alice', body: rpc('ping'), headers: utf8 })).toMatchObject({ status: 200 });
  });

  test('another host, another origin, another method and an odd address are refused', async () => {
    const ping = { as: 'alice', body: rpc('ping') };
    expect(await send(url, { ...ping, headers: { host: 'evil.example' } })).toMatchObject({ status: 421 });
    expect(await send(url, { ...ping, headers: { origin: 'https://evil.example' } })).toMatchObject({
      status: 403,
    });
    expect(await send(url, { ...ping, headers: { origin: 'null' } })).toMatchObject({ status: 403 });
    expect(await send(url, { ...ping, headers: { origin: 'https://allowed.example' } })).toMatchObject({
      status: 200,
    });
    const put = await send(url, { ...ping, method: 'PUT' });
    expect(put).toMatchObject({ status: 405 });
    expect(put.headers.allow).toBe('GET, POST, DELETE');
    expect(await send(`${house.origin}/a%2ftime/mcp`, ping)).toMatchObject({ status: 400 });
    expect(upstream.received).toHaveLength(1);
  });

  test('a response that answers the server is decided on too', async () => {
    const body = { jsonrpc: '2.0', id: 1, result: {} };
    expect(await send(url, { as: 'alice', body })).toMatchObject({ status: 200 });
    expect(await send(url, { as: 'bob', body })).toMatchObject({ status: 403 });
  });
});

test('every request leaves exactly one audit record, whatever became of it', async () => {
  const asks = [
    { as: 'alice', body: rpc('tools/call', { name: 'now' }) },
    { as: 'alice', body: '{' },
    { as: 'alice' },
    { as: 'none', body: rpc('ping') },
    { body: rpc('ping') },
    { as: 'outage', body: rpc('ping') },
    { as: 'alice', method: 'PUT' },
  ];
  for (const ask of asks) await send(url, ask);
  const events = await house.audited(asks.length);
  expect(events).toMatchObject([
    {
      action: 'tools/call',
      tool: 'now',
      decision: 'allow',
      reason: 'time tools/call now',
      status: 200,
      who: { subject: 'alice' },
    },
    { action: 'POST', decision: 'error', reason: 'invalid_json', status: 400 },
    { action: '$stream', decision: 'allow', status: 200 },
    // Refused by its head alone: what it asked was not read.
    { action: 'POST', decision: 'deny', reason: 'no-scopes', status: 403 },
    { action: 'POST', decision: 'deny', reason: 'credential_missing', status: 401, who: null },
    { decision: 'error', reason: 'identity_unavailable', status: 503 },
    { action: 'PUT', decision: 'error', reason: 'method_not_allowed', status: 405 },
  ]);
  expect(events).toHaveLength(asks.length);
  for (const event of events)
    expect(event).toMatchObject({ kind: 'mcp', resource: 'time', clientIp: '127.0.0.1' });
});
