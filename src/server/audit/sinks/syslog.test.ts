import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { tlsIdentity } from '../../../entra-emulator/keys/tls.ts';
import { trustAlso } from '../../net/connector.ts';
import { type Destination, openMessagesOut } from '../../net/messages-out.ts';
import type { AuditEvent } from '../event.ts';
import { createTrail } from '../trail.ts';
import { syslogSink } from './syslog.ts';

const event: AuditEvent = {
  kind: 'mcp',
  at: '2026-01-01T00:00:00.250Z',
  correlationId: '0123abcd-0123-4abc-8abc-0123456789ab',
  who: { provider: 'entra', subject: 's', username: 'alice@example.com', clientId: null, method: 'bearer' },
  clientIp: '127.0.0.1',
  action: 'tools/call',
  tool: 'now\n<134>1 forged',
  resource: 'currenttime',
  decision: 'deny',
  reason: 'users',
  status: 200,
  durationMs: 1.5,
  detail: { name: 'Zoë' },
};

/** Messages as a receiver finds them that counts octets (RFC 6587). */
function framesOf(bytes: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(' ', at);
    const length = Number(bytes.toString('latin1', at, space));
    frames.push(bytes.toString('utf8', space + 1, space + 1 + length));
    at = space + 1 + length;
  }
  return frames;
}

/** A receiver on loopback; what came on all its connections. */
async function receiver(protocol: 'tcp' | 'tls', port = 0) {
  let bytes = Buffer.alloc(0);
  const sockets = new Set<Socket>();
  const { key, cert, ca } = tlsIdentity(['localhost'], new Date());
  const server = protocol === 'tls' ? createTlsServer({ key, cert }) : createServer();
  if (protocol === 'tls') trustAlso(ca);
  server.on(protocol === 'tls' ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (part) => {
      bytes = Buffer.concat([bytes, part as Buffer]);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  onTestFinished(close);
  return { port: (server.address() as AddressInfo).port, frames: () => framesOf(bytes), close };
}

function sinkTo(protocol: Destination['protocol'], port: number) {
  const out = openMessagesOut({ protocol, host: protocol === 'tls' ? 'localhost' : '127.0.0.1', port });
  onTestFinished(() => out.close());
  return syslogSink({ protocol, out });
}

test.each(['tcp', 'tls'] as const)(
  'events go over %s, each with its length, in their order',
  async (protocol) => {
    const { port, frames } = await receiver(protocol);
    const sink = sinkTo(protocol, port);
    await sink.write([event, { ...event, decision: 'allow' }]);
    await sink.write([{ ...event, decision: 'error', kind: 'change' }]);
    await expect.poll(() => frames().length).toBe(3);
    const [first = '', second = '', third = ''] = frames();
    expect(first).toMatch(/^<108>1 2026-01-01T00:00:00\.250Z [\x21-\x7e]+ mcp-gateway \d+ mcp - \{/);
    // What a caller chose cannot begin a message of its own, also where a receiver cuts by lines.
    expect(first).not.toContain('\n');
    expect(JSON.parse(first.slice(first.indexOf('{')))).toMatchObject({
      ...{ username: 'alice@example.com', tool: event.tool, decision: 'deny', detail: { name: 'Zoë' } },
      correlation_id: event.correlationId,
    });
    expect([second, third].map((text) => text.slice(0, 6))).toEqual(['<110>1', '<107>1']);
  },
);

test('over UDP each event is a datagram', async () => {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const came = once(socket, 'message');
  await sinkTo('udp', socket.address().port).write([event]);
  expect(String(((await came) as [Buffer])[0])).toMatch(/^<108>1 /);
});

test('a receiver that nobody vouches for gets nothing', async () => {
  const { key, cert } = tlsIdentity(['localhost'], new Date());
  const server = createTlsServer({ key, cert })
    .on('tlsClientError', () => {})
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  await expect(sinkTo('tls', (server.address() as AddressInfo).port).write([event])).rejects.toThrow(
    /certificate/,
  );
});

test('what a receiver did not take waits for it, and nothing else does', async () => {
  const first = await receiver('tcp');
  await first.close();
  const stored: AuditEvent[] = [];
  const said: string[] = [];
  const trail = createTrail({
    sinks: [
      { name: 'stored', write: async (events) => void stored.push(...events) },
      sinkTo('tcp', first.port),
    ],
    log: { error: (_, text) => void said.push(text) },
  });
  for (let count = 0; count < 5; count += 1) trail.record(event);
  await trail.flush();
  expect(stored).toHaveLength(5);
  expect(trail.counts()).toEqual({ held: 5, lost: 0 });
  const again = await receiver('tcp', first.port);
  await expect.poll(() => again.frames().length, { timeout: 20_000 }).toBe(5);
  await expect.poll(() => trail.counts().held).toBe(0);
  // Once, however often it was tried.
  expect(said).toEqual(['audit events could not be written']);
  await trail.close();
});
