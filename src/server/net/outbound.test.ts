import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { Failure } from '../failure/errors.ts';
import {
  assertReachableUrl,
  isManagedIdentityEndpoint,
  type Outbound,
  type OutboundOptions,
  outbound,
  wayToManagedIdentity,
} from './outbound.ts';

const open = { allowPrivate: true };
const closed = { allowPrivate: false };
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function make(options: Partial<OutboundOptions> = {}): Outbound {
  const send = outbound({ policy: open, ...options });
  ends.push(() => send.close());
  return send;
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => expect.fail('it did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Failure);
  return error as Failure;
}

test('an answer comes through with status, headers and body', async () => {
  const url = await serve((req, res) => {
    res.writeHead(201, { 'x-said': String(req.headers['x-asked']), 'content-type': 'application/json' });
    req.pipe(res);
  });
  const response = await make()(url, { method: 'POST', headers: { 'x-asked': 'yes' }, body: '{"a":1}' });
  expect([response.status, response.headers.get('x-said'), response.url]).toEqual([201, 'yes', `${url}/`]);
  expect(response).toBeInstanceOf(Response);
  expect(await response.json()).toEqual({ a: 1 });
});

test('an answer without a body comes through', async () => {
  const url = await serve((_, res) => res.writeHead(204).end());
  expect((await make({ maxBytes: 10 })(url)).status).toBe(204);
});

test('redirects are answered, not followed, even when asked to', async () => {
  const url = await serve((_, res) => res.writeHead(302, { location: 'http://169.254.169.254/' }).end());
  const response = await make()(url, { redirect: 'follow' });
  expect([response.status, response.headers.get('location')]).toEqual([302, 'http://169.254.169.254/']);
});

test('a server that accepts and says nothing ends at the limit for headers', async () => {
  const url = await serve(() => {});
  const failure = await failureOf(make({ headersMs: 40 })(url));
  expect([failure.code, failure.message]).toEqual(['upstream_timeout', 'It did not answer within 0.04 s.']);
});

test('the limit for headers does not end a stream that has begun', async () => {
  let more = (): void => {};
  const url = await serve((_, res) => {
    res.write('first');
    more = () => res.end(' second');
  });
  const response = await make({ headersMs: 5000 })(url);
  const text = response.text();
  more();
  expect(await text).toBe('first second');
});

test('the limit for the whole ends an answer that never finishes', async () => {
  const url = await serve((_, res) => res.write('first'));
  const response = await make({ totalMs: 60 })(url);
  expect((await failureOf(response.text())).code).toBe('upstream_timeout');
});

test('a longer body than allowed is cut off, also when it is small on the wire', async () => {
  const url = await serve((req, res) => {
    if (req.url === '/plain') res.end('x'.repeat(2000));
    else res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(500_000)));
  });
  const send = make({ maxBytes: 1000 });
  for (const path of ['/plain', '/packed']) {
    const failure = await failureOf((await send(url + path)).text());
    expect([failure.code, failure.message]).toEqual([
      'upstream_invalid',
      'Its answer is longer than 1000 bytes.',
    ]);
  }
});

test("the caller's own signal ends the request with the caller's reason", async () => {
  const url = await serve(() => {});
  const caller = new AbortController();
  const reason = new Error('enough');
  const answer = make()(url, { signal: caller.signal });
  caller.abort(reason);
  await expect(answer).rejects.toBe(reason);
});

test('failures say what happened and name neither host nor port', async () => {
  const url = await serve((_, res) => res.end());
  await ends.pop()?.();
  const refused = await failureOf(make()(url));
  expect(refused.code).toBe('upstream_unreachable');
  expect(refused.message).toBe('The connection was refused; nothing listens there.');
  const unknown = await failureOf(make()('http://no-such-host.invalid/'));
  expect(unknown.message).toMatch(/^Its name .*\(DNS\)\.$/);
});

test('a peer that does not speak HTTP is told apart', async () => {
  const tcp = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  ends.push(() => tcp.close());
  const failure = await failureOf(make()(`http://127.0.0.1:${(tcp.address() as AddressInfo).port}`));
  expect(failure.message).toBe('It does not speak HTTP.');
});

test.each([
  'http://127.0.0.1:1/',
  'http://[::1]:1/',
  'http://[::ffff:127.0.0.1]:1/',
  'http://2130706433:1/',
  'http://localhost:1/',
  'http://a.localhost.:1/',
])('%s is refused before a connection is made when private addresses are not allowed', async (url) => {
  expect((await failureOf(make({ policy: closed })(url))).message).toContain('private or loopback');
});

test.each(['http://169.254.169.254/latest/meta-data/', 'http://[fe80::1]/', 'http://[::ffff:a9fe:a9fe]/'])(
  '%s is refused although private addresses are allowed',
  async (url) => {
    expect((await failureOf(make()(url))).message).toContain('never connects');
  },
);

test.each(['file:///etc/passwd', 'ftp://host/', 'http://user:secret@host/', 'nonsense'])(
  '%s is refused as a URL',
  async (url) => {
    expect((await failureOf(make()(url))).code).toBe('upstream_unreachable');
    expect(() => assertReachableUrl(url, open)).toThrow(Failure);
  },
);

test('the address connected to decides, not what the name said before', async () => {
  const url = new URL(await serve((_, res) => res.end('inside')));
  url.hostname = 'rebinding.example';
  const asked: string[] = [];
  const send = make({
    policy: closed,
    resolve: async (hostname) => {
      asked.push(hostname);
      return [{ address: '127.0.0.1', family: 4 }];
    },
  });
  expect((await failureOf(send(url))).message).toContain('private or loopback');
  expect(asked).toEqual(['rebinding.example']);
});

test('of several addresses only the allowed ones are tried', async () => {
  const url = new URL(await serve((_, res) => res.end('inside')));
  url.hostname = 'both.example';
  const send = make({
    resolve: async () => [
      { address: '169.254.169.254', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ],
  });
  expect(await (await send(url)).text()).toBe('inside');
});

test('a listed private range is reached', async () => {
  const url = await serve((_, res) => res.end('listed'));
  const send = make({ policy: { allowPrivate: false, allow: ['127.0.0.0/8'] } });
  expect(await (await send(url)).text()).toBe('listed');
});

test('registration names the field and the fault', () => {
  const check = (url: string, policy = open) =>
    failureOf(Promise.resolve().then(() => assertReachableUrl(url, policy, 'body.proxy_pass_url')));
  expect(() => assertReachableUrl('http://10.0.0.5:8000/mcp', open)).not.toThrow();
  expect(() => assertReachableUrl('http://intranet.example/mcp', closed)).not.toThrow();
  return Promise.all([
    expect(check('http://169.254.169.254/')).resolves.toMatchObject({
      faults: [{ at: 'body.proxy_pass_url', message: expect.stringContaining('never connects') }],
    }),
    expect(check('http://10.0.0.5/', closed)).resolves.toMatchObject({ code: 'invalid_input' }),
  ]);
});

test('the way to a managed identity endpoint carries GET to it with any query, and its answer back', async () => {
  const url = await serve((req, res) => res.end(`${req.url} ${req.headers.metadata} ${req.headers.host}`));
  const send = wayToManagedIdentity(`${url}/metadata/token`);
  ends.push(() => send.close());
  const answer = await send(`${url}/metadata/token?resource=api`, { headers: { metadata: 'true' } });
  expect(await answer.text()).toBe(`/metadata/token?resource=api true ${new URL(url).host}`);
  const named = wayToManagedIdentity(`${url.replace('127.0.0.1', 'localhost')}/metadata/token`);
  ends.push(() => named.close());
  expect((await named(`${url.replace('127.0.0.1', 'localhost')}/metadata/token`)).status).toBe(200);
});

test('nothing else gets through it: no other host, port, path or method', async () => {
  let asked = 0;
  const count: RequestListener = (_, res) => {
    asked++;
    res.end();
  };
  const [url, other] = [await serve(count), await serve(count)];
  const send = wayToManagedIdentity(`${url}/metadata/token`);
  ends.push(() => send.close());
  const { port } = new URL(url);
  for (const elsewhere of [
    `${other}/metadata/token`,
    `${url}/metadata`,
    `${url}/metadata/token/`,
    `${url}/metadata/instance`,
    `${url}/metadata/token/../instance`,
    `http://localhost:${port}/metadata/token`,
    `http://user@127.0.0.1:${port}/metadata/token`,
    `https://127.0.0.1:${port}/metadata/token`,
    'http://169.254.169.254/metadata/token',
    'http://example.com/metadata/token',
    'not a url',
  ])
    expect((await failureOf(send(elsewhere))).code, elsewhere).toBe('upstream_unreachable');
  for (const method of ['POST', 'PUT', 'DELETE'])
    expect((await failureOf(send(`${url}/metadata/token`, { method }))).code).toBe('upstream_unreachable');
  expect(asked).toBe(0);
});

test('it follows no redirect', async () => {
  let stolen = 0;
  const thief = await serve((_, res) => {
    stolen++;
    res.end();
  });
  const url = await serve((_, res) => res.writeHead(302, { location: `${thief}/t` }).end());
  const send = wayToManagedIdentity(`${url}/t`);
  ends.push(() => send.close());
  expect((await send(`${url}/t`, { redirect: 'follow' })).status).toBe(302);
  expect(stolen).toBe(0);
});

test.each([
  ['http://169.254.169.254/metadata/identity/oauth2/token', true],
  ['http://169.254.129.3:8081/msi/token', true],
  ['http://127.0.0.1:41056/MSI/token/', true],
  ['http://localhost:42356/msi/token', true],
  ['https://169.254.169.254/metadata/identity/oauth2/token', false],
  ['http://10.0.0.1/msi/token', false],
  ['http://169.254.169.254.example.com/token', false],
  ['http://localhost.example.com/token', false],
  ['http://168.63.129.16/token', false],
  ['http://127.0.0.1/token?x=1', false],
  ['http://user:pw@127.0.0.1/token', false],
  ['http://[fe80::1]/token', false],
  ['', false],
])('%s as a managed identity endpoint: %s', async (url, isOne) => {
  expect(isManagedIdentityEndpoint(url)).toBe(isOne);
  if (!isOne && url) expect(() => wayToManagedIdentity(url)).toThrow(Failure);
});

test('the exemption opens nothing for other ways out: link-local stays forbidden', async () => {
  const send = make();
  const failure = await failureOf(send('http://169.254.169.254/metadata/identity/oauth2/token'));
  expect(failure.message).toContain('link-local');
});
