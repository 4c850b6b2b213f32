import { Agent, request } from 'node:http';

/** One call of a load and what became of it; times are of `performance.now()`. */
export interface Call {
  /** The trace that it belongs to: what is recorded of it has that id. */
  readonly trace: string;
  readonly begun: number;
  ended: number;
  /** `ok`, else the status or the error. */
  outcome: string;
  /** The replica that nginx gave it to. */
  servedBy: string;
}

/** Calls that come at a rate, whether or not earlier ones have ended. */
export interface Load {
  readonly calls: readonly Call[];
  /** Resolves when so many more have ended. */
  more(count: number): Promise<void>;
  /** Begins no more; resolves when all have ended. */
  stop(): Promise<readonly Call[]>;
}

/** Calls in flight at once, fewer than one identity may have; where more would be due, the rate is what the machine gives. */
const inFlightAtMost = 60;
/** Milliseconds between two looks at what is due. */
const look = 10;
/** After so many milliseconds a call counts as lost. */
const limit = 100_000;

/** Begins to call a tool of the server `quick`. */
export function startLoad(url: string, token: string, perSecond: number): Load {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: inFlightAtMost });
  const calls: Call[] = [];
  let [inFlight, credit, at, done] = [0, 0, performance.now(), (): void => {}];
  const body = JSON.stringify({
    ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
    params: { name: 'any', arguments: { tz_name: 'UTC' } },
  });
  const begin = (): void => {
    const trace = (calls.length + 1).toString(16).padStart(32, '0');
    const call: Call = { trace, begun: performance.now(), ended: 0, outcome: 'in flight', servedBy: '' };
    calls.push(call);
    inFlight += 1;
    const end = (outcome: string): void => {
      if (call.outcome !== 'in flight') return;
      Object.assign(call, { outcome, ended: performance.now() });
      inFlight -= 1;
      done();
    };
    const send = (): void => {
      const sent = request(
        {
          ...{ hostname, port, agent, path: '/quick/mcp', method: 'POST', timeout: limit },
          headers: {
            ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
            ...{ accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' },
            ...{ 'content-length': body.length, traceparent: `00-${trace}-00000000000000ab-01` },
          },
        },
        (answer) => {
          call.servedBy = String(answer.headers['x-served-by'] ?? '');
          let text = '';
          answer.on('data', (part: Buffer) => {
            text += part;
          });
          answer.on('error', (error) => end(error.message));
          answer.on('end', () =>
            end(
              answer.statusCode === 200 && text.includes('"result"')
                ? 'ok'
                : `${answer.statusCode} ${text.slice(0, 200)}`,
            ),
          );
        },
      );
      sent.on('timeout', () => sent.destroy(new Error('no answer')));
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // A kept connection that nginx closed (it does when it is reloaded) before this was sent: as every client does, once more.
        if (sent.reusedSocket && error.code === 'ECONNRESET' && call.servedBy === '') send();
        else end(error.message);
      });
      sent.end(body);
    };
    send();
  };
  const timer = setInterval(() => {
    const now = performance.now();
    credit = Math.min(credit + ((now - at) * perSecond) / 1000, perSecond / 4);
    at = now;
    for (; credit >= 1 && inFlight < inFlightAtMost; credit -= 1) begin();
  }, look);
  const until = (isDone: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      done = () => {
        if (isDone()) resolve();
      };
      done();
    });
  return {
    calls,
    more(count) {
      const target = calls.length - inFlight + count;
      return until(() => calls.length - inFlight >= target);
    },
    async stop() {
      clearInterval(timer);
      await until(() => inFlight === 0);
      agent.destroy();
      return calls;
    },
  };
}

/** How many calls were made, at what rate, and how many of them had which outcome. */
export function summaryOf(calls: readonly Call[]) {
  const outcomes: Record<string, number> = {};
  for (const { outcome } of calls)
    outcomes[outcome.slice(0, 140)] = (outcomes[outcome.slice(0, 140)] ?? 0) + 1;
  const [first, last] = [calls[0]?.begun ?? 0, calls.at(-1)?.begun ?? 0];
  const took = calls.map(({ begun, ended }) => ended - begun).sort((a, b) => a - b);
  return {
    calls: calls.length,
    perSecond: Math.round((calls.length * 1000) / Math.max(1, last - first)),
    outcomes,
    p50: Math.round(took[Math.floor(took.length / 2)] ?? 0),
    slowest: Math.round(took.at(-1) ?? 0),
  };
}
