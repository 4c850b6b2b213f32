import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { endUnread } from './unread.ts';

const megabyte = 1024 * 1024;

test('of many bodies that are refused at once only so much is read, and each sender gets to read why', async () => {
  let read = 0;
  const server = createServer((req, res) => {
    const { socket } = req;
    socket.once('close', () => (read += socket.bytesRead));
    res.writeHead(403, ['Content-Length', '2', 'Connection', 'close']);
    endUnread(req, res, 'no');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const body = 'x'.repeat(2 * megabyte);
  const begun = performance.now();
  const [senders, each] = [80, 1.1];
  const answers = await Promise.all(
    Array.from({ length: senders }, async () => {
      const socket = connect(port, '127.0.0.1');
      socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      let text = '';
      socket.on('data', (chunk) => {
        text += String(chunk);
      });
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.once('close', resolve));
      return text;
    }),
  );
  for (const text of answers) expect(text).toMatch(/^HTTP\/1\.1 403 .*\r\n\r\nno$/s);
  await new Promise((resolve) => server.close(resolve));
  const seconds = (performance.now() - begun) / 1000;
  // In each second 16 MiB, and what had come with the head.
  const most = Math.min(16 * Math.ceil(seconds + 1), senders * each) + senders / 4;
  expect(read / megabyte).toBeLessThan(most);
});
