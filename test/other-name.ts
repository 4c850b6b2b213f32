import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tlsIdentity } from '../src/entra-emulator/keys/tls.ts';

/**
 * An https address in front of an http one that leaves the emulator's own header out. Production refuses an emulator by
 * that header, and rightly; a test of production with an emulator has to take it off.
 */
export async function openOtherName(): Promise<{
  origin: string;
  ca: string;
  to(target: string): void;
  close(): void;
}> {
  const { key, cert, ca } = tlsIdentity(['localhost'], new Date());
  let target = '';
  const server = createServer({ key, cert }, (req, res) => {
    const inner = request(`${target}${req.url}`, { method: req.method, headers: req.headers }, (answer) => {
      const { 'x-entra-emulator': _own, ...headers } = answer.headers;
      res.writeHead(answer.statusCode ?? 502, headers);
      answer.pipe(res);
    });
    inner.on('error', () => res.destroy());
    req.pipe(inner);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    ca,
    to(found) {
      target = found;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
