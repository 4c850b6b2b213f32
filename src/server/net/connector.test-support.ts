import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { makeCertificate, toPem } from '../../entra-emulator/keys/certificate.ts';

/** A certificate and its key, as PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority that nobody trusts, and what it issues. */
export interface Authority {
  readonly ca: string;
  issue(subject: string, names?: readonly string[]): Pair;
}

const hour = 3_600_000;

/** Makes an authority with a key of its own. */
export function createAuthority(name: string): Authority {
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [from, to] = [new Date(Date.now() - hour), new Date(Date.now() + hour)];
  const sign = (
    subject: string,
    publicKey: KeyObject,
    more: { authority?: true; names?: readonly string[] },
  ) =>
    toPem(
      makeCertificate({ subject, publicKey, issuer: name, signWith: root.privateKey, from, to, ...more }),
    );
  return {
    ca: sign(name, root.publicKey, { authority: true }),
    issue(subject, names) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
      return { cert: sign(subject, publicKey, names ? { names } : {}), key };
    },
  };
}

/** A forward proxy that knows names which nobody else does. */
export interface TestProxy {
  readonly url: URL;
  /** What it was asked to connect to, with the credentials that came along. */
  readonly asked: { readonly authority: string; readonly credentials: string | undefined }[];
  /** Connections through it that are open. */
  readonly open: Set<Socket>;
  /** What it says instead of connecting; 0: nothing at all. */
  answer: number | undefined;
  close(): Promise<void>;
}

/** Starts a real CONNECT proxy on loopback that finds every name on this machine, at the port asked for. */
export async function startProxy(): Promise<TestProxy> {
  const server: Server = createServer((_, res) => res.writeHead(405).end());
  const open = new Set<Socket>();
  const asked: { authority: string; credentials: string | undefined }[] = [];
  const proxy = { asked, open, answer: undefined as number | undefined };
  server.on('connect', (req: IncomingMessage, client: Socket, head: Buffer) => {
    open.add(client);
    client.on('error', () => undefined).once('close', () => open.delete(client));
    asked.push({ authority: req.url ?? '', credentials: req.headers['proxy-authorization'] });
    if (proxy.answer === 0) return;
    if (proxy.answer !== undefined) return void client.end(`HTTP/1.1 ${proxy.answer} No\r\n\r\n`);
    const target = connect(Number(/:(\d+)$/.exec(req.url ?? '')?.[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      target.write(head);
      target.pipe(client).pipe(target);
    });
    target.on('error', () => client.destroy());
    client.once('close', () => target.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(proxy, {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    async close() {
      for (const socket of open) socket.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}
