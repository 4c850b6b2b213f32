import { strict as assert } from 'node:assert';
import { Duplex } from 'node:stream';
import { Failure } from '../../src/server/failure/errors.ts';
import { routeOf, startGateway, type TestGateway } from '../../src/server/gateway/gateway.test-support.ts';
import type { Target } from './engine.ts';

/** What of a gateway's world a run asks for. */
interface House {
  readonly gateway: TestGateway;
  readonly host: string;
  /** Hosts of servers that a connection was asked for. */
  readonly reached: string[];
}

/** Stands for the gateway's own host and port in inputs, since the port differs from run to run. */
const hostMark = 'HOST';

/** A connection without a network: the bytes of a client go in, what comes back is kept. */
class Wire extends Duplex {
  readonly said: Buffer[] = [];
  override _read(): void {}
  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.said.push(chunk);
    done();
  }
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
}

let starting: Promise<House> | undefined;

async function start(): Promise<House> {
  const reached: string[] = [];
  const gateway = await startGateway(
    { alice: ['* * *'], bob: ['open ping', 'open tools/call now'] },
    {
      connect({ hostname }, callback) {
        reached.push(hostname);
        // As far as it goes: whether a server is reached is decided before this.
        setImmediate(callback, new Failure('upstream_unreachable', 'There is no network here.'), null);
      },
      limits: { breakerFailures: 0, bodyMs: 50 },
    },
  );
  for (const name of ['open', 'secret'])
    gateway.routes.set(name, routeOf(name, new URL(`http://${name}.example/mcp`)));
  gateway.server.unref();
  return { gateway, host: new URL(gateway.origin).host, reached };
}

/** Says bytes on a connection, ends it, and gives what came back until the gateway ended it, too. */
async function say({ gateway }: House, bytes: Buffer): Promise<string> {
  const wire = new Wire({ allowHalfOpen: true });
  const closed = new Promise<void>((resolve) => wire.once('close', resolve));
  wire.on('error', () => undefined);
  gateway.server.emit('connection', wire);
  wire.push(bytes);
  // A request may be whole or not; its end would abort what is under way, so that gets some turns first.
  for (let turn = 0; turn < 20 && !wire.closed; turn += 1)
    await new Promise((resolve) => setImmediate(resolve));
  wire.push(null);
  await closed;
  return Buffer.concat(wire.said).toString('latin1');
}

const usual = (
  more: readonly string[],
  body = '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  path = '/open/mcp',
) =>
  [
    ...[`POST ${path} HTTP/1.1`, `Host: ${hostMark}`, 'Authorization: Bearer bob'],
    ...['Content-Type: application/json', ...more, '', body],
  ].join('\r\n');
const length = 'Content-Length: 40';

/**
 * Whatever a client says before the body of its request: it gets an answer or is cut off, never a 500, and no server is
 * reached that is forbidden to whoever's token is in the bytes, which is bob's or none.
 */
export const head: Target = {
  name: 'head',
  seeds: [
    usual([length]),
    usual([length], undefined, '/secret/mcp'),
    usual([length]) + usual([length], undefined, '/secret/mcp'),
    usual(['Transfer-Encoding: chunked'], '28\r\n{"jsonrpc":"2.0","id":1,"method":"ping"}\r\n0\r\n\r\n'),
    usual(['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\nPOST /secret/mcp HTTP/1.1\r\n\r\n'),
    `GET /open/mcp HTTP/1.1\r\nHost: ${hostMark}\r\nX-Authorization: Bearer bob\r\nLast-Event-ID: 7\r\n\r\n`,
    `DELETE /open/mcp HTTP/1.1\r\nHost: ${hostMark}\r\nAuthorization: Bearer bob\r\nMcp-Session-Id: a\r\n\r\n`,
    `GET http://${hostMark}/secret/sse HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer bob\r\n\r\n`,
    `POST /open/messages?session=a HTTP/1.0\r\nHost: ${hostMark}\r\nAuthorization: Bearer bob\r\n\r\n`,
  ],
  words: [
    ...['\r\n', '\r\n\r\n', '\n', '\r', '\0', ' ', '\t', ':', ',', ';', '%', '/', '\\', '?', '#', '..', '//'],
    ...[
      'GET ',
      'POST ',
      'DELETE ',
      'OPTIONS * ',
      'HEAD ',
      'PUT ',
      'CONNECT ',
      'TRACE ',
      ' HTTP/1.1',
      ' HTTP/1.0',
    ],
    ...['/secret/mcp', '/open/mcp', '/%73ecret/mcp', '/open/../secret/mcp', '/open%2f..%2fsecret/mcp'],
    ...['/secret/mcp/', '/Secret/mcp', '/secret;x/mcp', '/messages?session=', '/sse', '/virtual/a/mcp'],
    ...[
      `Host: ${hostMark}`,
      'Host: evil.example',
      'Host:',
      'X-Forwarded-Host: secret',
      'Forwarded: host=secret',
    ],
    ...['Authorization: Bearer bob', 'X-Authorization: Bearer bob', 'Authorization: Basic Ym9i', 'Bearer '],
    ...['X_Authorization: Bearer bob', 'Proxy-Authorization: Bearer bob', 'Cookie: a=b', '\r\n folded'],
    ...['Content-Length: 0', 'Content-Length: 40', 'Content-Length: +40', 'Content-Length: 4e1', length],
    ...['Transfer-Encoding: chunked', 'Transfer-Encoding: gzip, chunked', 'Transfer_Encoding: chunked'],
    ...['Expect: 100-continue', 'Connection: close', 'Connection: keep-alive, authorization', 'Upgrade: h2c'],
    ...[
      'Content-Type: application/json',
      'Content-Type: text/plain',
      'Content-Encoding: gzip',
      'Origin: null',
    ],
    ...['Mcp-Session-Id: a', 'Mcp-Method: ping', 'Mcp-Name: x', 'MCP-Protocol-Version: 2026-07-28'],
    ...[
      'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    ],
    ...[
      '__proto__: a',
      'constructor: a',
      'ÿ',
      '\u0001',
      'X-HTTP-Method-Override: DELETE',
      '0\r\n\r\n',
      '28\r\n',
    ],
  ],
  async run(input) {
    starting ??= start();
    const house = await starting;
    const before = house.reached.length;
    const text = input.toString('latin1').replaceAll(hostMark, house.host);
    const said = await say(house, Buffer.from(text, 'latin1'));
    assert.ok(!/^HTTP\/1\.1 500 /m.test(said), 'a 500');
    for (const host of house.reached.slice(before)) assert.equal(host, 'open.example');
    if (!text.includes('Bearer bob')) assert.equal(house.reached.length, before);
    house.reached.splice(0);
    house.gateway.events.splice(0);
  },
  async close() {
    await (await starting)?.gateway.close();
    starting = undefined;
  },
};
