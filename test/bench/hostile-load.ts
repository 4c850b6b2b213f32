import { connect, type Socket } from 'node:net';

/*
 * Connections of accounts without rights, a process of its own: each sends one sort of request that costs its sender little,
 * and comes back when it was cut off. The parent sends where to and as whom; it is told how often which status came.
 */

/** Where to, with which tokens, how many connections at once. */
export interface Attack {
  readonly port: number;
  readonly tokens: readonly string[];
  readonly connections: number;
}

/** What came of it so far. */
export interface Attacked {
  readonly open: number;
  readonly opened: number;
  readonly statuses: Readonly<Record<string, number>>;
}

/** How long one that was cut off stays away on average, in milliseconds. */
const away = 500;

const megabyte = Buffer.alloc(1 << 20, '{"a":');
const statuses: Record<string, number> = {};
const open = new Set<Socket>();
let opened = 0;

type Sort = (socket: Socket, head: readonly string[]) => void;
const end = '\r\n\r\n';

/** Sends as fast as it is taken. */
function pour(socket: Socket, bytes: string | Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.writable && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

const sorts: readonly Sort[] = [
  // Bodies as large as may be announced, sent without waiting for an answer.
  (socket, head) => {
    socket.write([...head, 'Content-Length: 4000000'].join('\r\n') + end);
    for (let at = 0; at < 4; at += 1) socket.write(megabyte);
  },
  (socket, head) => {
    socket.write([...head, 'Transfer-Encoding: chunked'].join('\r\n') + end);
    pour(socket, `100000\r\n${megabyte.toString('latin1')}\r\n`);
  },
  // A byte now and then.
  (socket, head) => {
    socket.write([...head, 'Content-Length: 100000'].join('\r\n') + end);
    const timer = setInterval(() => socket.write(' '), 100);
    socket.once('close', () => clearInterval(timer));
  },
  // Begun and never gone on with.
  (socket, head) => void socket.write(`${[...head, 'Content-Length: 4000000'].join('\r\n') + end}{"a":[`),
  (socket, head) =>
    void socket.write([...head, 'Content-Length: 9', 'Expect: 100-continue'].join('\r\n') + end),
  // Headers: very many, very large, without end, one at a time.
  (socket, head) => {
    const many = Array.from({ length: 1_500 }, (_, at) => `X-${at}: y`);
    socket.write([...head, ...many].join('\r\n') + end);
  },
  (socket, head) => {
    socket.write(head.join('\r\n'));
    pour(socket, `\r\nX-Large: ${'y'.repeat(60_000)}`);
  },
  (socket, head) => {
    socket.write(head.join('\r\n'));
    const timer = setInterval(() => socket.write('\r\nX-Slow: y'), 100);
    socket.once('close', () => clearInterval(timer));
  },
];

function attack(at: number, { port, tokens, connections }: Attack): void {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  open.add(socket);
  opened += 1;
  socket.on('data', (bytes) => {
    const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(bytes.toString('latin1', 0, 12)) ?? [];
    if (status) statuses[status] = (statuses[status] ?? 0) + 1;
  });
  socket.on('error', () => undefined);
  socket.once('close', () => {
    open.delete(socket);
    setTimeout(() => attack(at + connections, { port, tokens, connections }), away * (0.5 + Math.random()));
  });
  socket.once('connect', () => {
    const head = [
      ...['POST /json/mcp HTTP/1.1', `Host: localhost:${port}`, 'Content-Type: application/json'],
      `Authorization: Bearer ${tokens[at % tokens.length] ?? ''}`,
    ];
    sorts[at % sorts.length]?.(socket, head);
  });
}

process.on('message', (asked: Attack | 'how') => {
  if (asked === 'how') process.send?.({ open: open.size, opened, statuses } satisfies Attacked);
  else for (let at = 0; at < asked.connections; at += 1) attack(at, asked);
});
