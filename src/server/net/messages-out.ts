import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Where messages go, one way: a listener of TCP, TLS or UDP. */
export interface Destination {
  readonly protocol: 'tcp' | 'tls' | 'udp';
  readonly host: string;
  readonly port: number;
}

/** A way for messages to one destination. */
export interface MessagesOut {
  /** Sends messages in their order; rejects when they could not be given to the network, and connects anew the next time. */
  send(messages: readonly Buffer[]): Promise<void>;
  close(): void;
}

/** How long a connection may take to be made, and what is sent to be taken, in milliseconds. */
const limitMs = 5_000;

/** Opens a way; it connects when there is something to send. */
export function openMessagesOut(destination: Destination): MessagesOut {
  return destination.protocol === 'udp' ? byDatagram(destination) : byStream(destination);
}

function byDatagram({ host, port }: Destination): MessagesOut {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4').unref();
  // An error of one that was sent belongs to nobody any more.
  socket.on('error', () => {});
  const one = (message: Buffer): Promise<void> =>
    new Promise((resolve, reject) =>
      socket.send(message, port, host, (error) => (error ? reject(error) : resolve())),
    );
  return {
    async send(messages) {
      for (const message of messages) await one(message);
    },
    close: () => void socket.close(),
  };
}

function byStream({ protocol, host, port }: Destination): MessagesOut {
  let open: Socket | undefined;
  const drop = (socket: Socket): void => {
    if (open === socket) open = undefined;
    socket.destroy();
  };
  const connection = (): Promise<Socket> =>
    new Promise((resolve, reject) => {
      if (open?.writable) return resolve(open);
      const isTls = protocol === 'tls';
      const socket = isTls
        ? connectTls({ host, port, servername: /^[\d.]+$|:/.test(host) ? '' : host })
        : connect({ host, port });
      socket.unref();
      const late = setTimeout(
        () => socket.destroy(new Error(`${host}:${port} did not accept in time`)),
        limitMs,
      );
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        clearTimeout(late);
        open = socket;
        resolve(socket);
      });
      socket.on('error', reject);
      socket.once('close', () => {
        clearTimeout(late);
        drop(socket);
        reject(new Error(`${host}:${port} closed the connection`));
      });
      // Nothing comes back; what does is not kept.
      socket.resume();
    });
  return {
    async send(messages) {
      const socket = await connection();
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => drop(socket), limitMs);
        const ended = (error?: Error | null): void => {
          clearTimeout(late);
          socket.off('close', closed);
          if (error) {
            drop(socket);
            reject(error);
          } else resolve();
        };
        const closed = (): void => ended(new Error(`${host}:${port} took nothing more`));
        socket.once('close', closed);
        socket.write(Buffer.concat(messages), ended);
      });
    },
    close: () => void open?.end(),
  };
}
