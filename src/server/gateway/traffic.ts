import { Failure } from '../failure/errors.ts';
import type { Exchange } from './exchange.ts';
import { refuse } from './refuse.ts';

/** The exchanges in flight, and the way to bring them to an end. */
export interface Traffic {
  readonly size: number;
  readonly calls: number;
  readonly streams: number;
  add(exchange: Exchange): void;
  remove(exchange: Exchange): void;
  /** Visits what is in flight; the visitor may end it. */
  each(visit: (exchange: Exchange) => void): void;
  /**
   * While draining: the last answer on its connection, and no new streams. A call that came on a connection from before is
   * served: whoever sent it could not know, and may not send it twice.
   */
  checkDraining(exchange: Exchange): void;
  /** Answers when the calls have ended, or after `limitMs`, and all else was ended too. */
  drain(limitMs: number): Promise<void>;
}

/** Nothing is in flight yet. */
export function createTraffic(): Traffic {
  // Not a Set: one that is added to and deleted from all the time keeps, by the chain of its outgrown tables, what it
  // held alive through many collections of V8's young generation. This halves what collecting garbage costs.
  const open: Exchange[] = [];
  let draining = false;
  let onRemove: (() => void) | undefined;
  const streams = (): Exchange[] => open.filter((exchange) => exchange.longLived);
  const until = (done: () => boolean, timer: Promise<void>): Promise<void> =>
    Promise.race([
      timer,
      new Promise<void>((resolve) => {
        onRemove = () => done() && resolve();
        onRemove();
      }),
    ]);
  return {
    get size() {
      return open.length;
    },
    get calls() {
      return open.length - streams().length;
    },
    get streams() {
      return streams().length;
    },
    add(exchange) {
      exchange.seat = open.push(exchange) - 1;
    },
    remove(exchange) {
      const last = open.pop();
      if (last && last !== exchange) {
        open[exchange.seat] = last;
        last.seat = exchange.seat;
      }
      onRemove?.();
    },
    each(visit) {
      for (const exchange of open) visit(exchange);
    },
    checkDraining({ res, longLived }) {
      if (!draining) return;
      res.setHeader('connection', 'close');
      if (longLived) throw shuttingDown();
    },
    async drain(limitMs) {
      draining = true;
      for (const { res } of open) if (!res.headersSent) res.setHeader('connection', 'close');
      const timer = delay(limitMs);
      // Streams last: what a call asks of its client while it runs may travel on one of them.
      await until(() => streams().length === open.length, timer.done);
      for (const exchange of streams()) endStream(exchange);
      await until(() => open.length === 0, timer.done);
      timer.cancel();
      for (const exchange of [...open]) breakOff(exchange);
    },
  };
}

function delay(ms: number): { done: Promise<void>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const done = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return { done, cancel: () => clearTimeout(timer) };
}

function endStream(exchange: Exchange): void {
  exchange.passage?.hangUp();
  if (exchange.res.headersSent) exchange.res.end();
  else breakOff(exchange);
}

function breakOff(exchange: Exchange): void {
  exchange.passage?.hangUp();
  if (exchange.res.headersSent) exchange.res.destroy();
  else refuse(exchange, shuttingDown());
}

function shuttingDown(): Failure {
  return new Failure('shutting_down', 'The gateway is shutting down; try again.');
}
