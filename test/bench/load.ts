import { connect, type Socket } from 'node:net';

/*
 * The load generator, a process of its own on another core. Plain sockets: a request's bytes are made once, and of an
 * answer only the status and the end are looked for, so that the generator is not what is measured.
 */

/** What to send, and how. */
export interface Job {
  readonly port: number;
  /** Requests as text, taken in turn. */
  readonly requests: readonly string[];
  readonly connections: number;
  readonly milliseconds: number;
  /** Requests a second in all; as fast as answers come when absent. */
  readonly rate?: number;
}

/** What came of it; times in milliseconds. */
export interface Outcome {
  readonly requests: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly broken: number;
}

const lastChunk = Buffer.from('0\r\n\r\n');
const headEnd = Buffer.from('\r\n\r\n');

class Line {
  readonly #socket: Socket;
  readonly #done: (status: string) => void;
  #missing = 0;
  #chunked = false;
  #inBody = false;
  #status = '';
  #tail: Buffer = Buffer.alloc(0);

  constructor(port: number, done: (status: string) => void, broken: () => void) {
    this.#done = done;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (bytes) => this.#read(bytes));
    this.#socket.on('error', () => undefined);
    this.#socket.once('close', broken);
  }

  send(request: Buffer): void {
    this.#socket.write(request);
  }

  end(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    let body = bytes;
    if (!this.#inBody) {
      const all = this.#tail.length > 0 ? Buffer.concat([this.#tail, bytes]) : bytes;
      const at = all.indexOf(headEnd);
      if (at < 0) {
        this.#tail = all;
        return;
      }
      const head = all.toString('latin1', 0, at);
      this.#status = head.slice(9, 12);
      this.#missing = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? -1);
      this.#chunked = this.#missing < 0;
      this.#inBody = true;
      this.#tail = Buffer.alloc(0);
      body = all.subarray(at + 4);
    }
    if (this.#chunked) {
      this.#tail =
        this.#tail.length < 16 ? Buffer.concat([this.#tail, body]).subarray(-5) : body.subarray(-5);
      if (!this.#tail.equals(lastChunk)) return;
    } else {
      this.#missing -= body.length;
      if (this.#missing > 0) return;
    }
    this.#inBody = false;
    this.#tail = Buffer.alloc(0);
    this.#done(this.#status);
  }
}

/** Sends a job's requests until its time is over and every answer has come. */
function run(job: Job): Promise<Outcome> {
  const requests = job.requests.map((text) => Buffer.from(text));
  const statuses: Record<string, number> = {};
  const times: number[] = [];
  let [next, broken, open] = [0, 0, job.connections];
  return new Promise((resolve) => {
    const begun = performance.now();
    const end = begun + job.milliseconds;
    const gap = job.rate ? (1000 * job.connections) / job.rate : 0;
    const finish = (): void => {
      open -= 1;
      if (open > 0) return;
      times.sort((a, b) => a - b);
      const quantile = (part: number): number => times[Math.floor(times.length * part)] ?? 0;
      const seconds = (performance.now() - begun) / 1000;
      const [p50, p95, p99] = [quantile(0.5), quantile(0.95), quantile(0.99)];
      resolve({ requests: times.length, seconds, p50, p95, p99, statuses, broken });
    };
    for (let at = 0; at < job.connections; at += 1) {
      let sent = 0;
      let due = begun + (gap * at) / job.connections;
      const line = new Line(
        job.port,
        (status) => {
          statuses[status] = (statuses[status] ?? 0) + 1;
          const now = performance.now();
          // With a rate, from when it was due: a late answer must not hide those that wait behind it.
          times.push(now - (gap ? due : sent));
          due += gap;
          if (now >= end) {
            line.end();
            finish();
          } else if (due > now) setTimeout(go, due - now);
          else go();
        },
        () => {
          broken += 1;
          finish();
        },
      );
      const go = (): void => {
        sent = performance.now();
        if (gap) due = Math.max(due, sent - 2);
        line.send(requests[next++ % requests.length] as Buffer);
      };
      setTimeout(go, gap ? due - begun : 0);
    }
  });
}

const held: Socket[] = [];

/** Opens streams and keeps them; answers how many have begun. */
async function hold(port: number, request: string, count: number): Promise<number> {
  let begun = 0;
  for (let from = 0; from < count; from += 100)
    await Promise.all(
      Array.from({ length: Math.min(100, count - from) }, () => {
        const socket = connect({ port, host: '127.0.0.1' });
        held.push(socket);
        return new Promise<void>((resolve) => {
          socket.once('data', (bytes) => {
            if (bytes.toString('latin1', 9, 12) === '200') begun += 1;
            resolve();
          });
          socket.once('error', () => resolve());
          socket.once('close', () => resolve());
          socket.write(request);
        });
      }),
    );
  return begun;
}

process.on('message', (asked: { id: number; job?: Job; hold?: [number, string, number] }) => {
  const { id, job, hold: streams } = asked;
  if (job) void run(job).then((outcome) => process.send?.({ id, outcome }));
  else if (streams) void hold(...streams).then((outcome) => process.send?.({ id, outcome }));
  else {
    for (const socket of held.splice(0)) socket.destroy();
    process.send?.({ id, outcome: 0 });
  }
});
process.on('disconnect', () => process.exit(0));
