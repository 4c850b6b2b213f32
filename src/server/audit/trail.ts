import { boundedEvent } from './bounded-event.ts';
import type { AuditEvent, Sink, Trail } from './event.ts';
import { createMerger } from './merge.ts';

/** How many events are held before they are written out whatever the timer says. */
const batchSize = 2048;
/** How long an event waits at most before it is written, in milliseconds. */
const writeEvery = 200;
/** How long a sink that fails is left alone at most before it is tried again, and how often that is said, in milliseconds. */
const [longestRest, sayEvery] = [1_000, 60_000];
/** Events held while a sink fails; beyond this the gateway says so loudly, and still keeps the newest. */
const heldAtMost = 100_000;

/** What a trail needs from its surroundings. */
export interface TrailWorld {
  readonly sinks: readonly Sink[];
  readonly log: { error(facts: object, message: string): void };
  /** Whether there is so little room that refusals of unknown callers are only counted. */
  readonly isTight?: () => boolean;
}

/** A trail with what it holds. */
export interface HeldTrail extends Trail {
  /** Events that wait to be written, of the sink that is furthest behind, and events that could not be kept. */
  counts(): { readonly held: number; readonly lost: number };
  close(): Promise<void>;
}

/**
 * Collects events in memory and writes them to every sink in batches, off the path of the request. `close` writes what is
 * left; an event is at most `writeEvery` old before it is on disk.
 */
export function createTrail(world: TrailWorld): HeldTrail {
  const queues = world.sinks.map((sink) => ({
    sink,
    held: [] as AuditEvent[],
    lost: 0,
    writing: Promise.resolve(),
    /** How many of the first were offered in vain; 0 for none. */
    again: 0,
    /** When it may be tried again, how long it rests then, and when its failing was said; of a clock that nobody sets. */
    ...{
      from: sink.gather ? performance.now() + sink.gather.ms : 0,
      rest: 0,
      saidAt: Number.NEGATIVE_INFINITY,
    },
  }));
  let timer: NodeJS.Timeout | undefined;

  /** Writes what is held now. What comes meanwhile waits for its own turn: a batch costs more than what is in it. */
  const drain = async (queue: (typeof queues)[number]): Promise<void> => {
    const { gather } = queue.sink;
    for (let left = queue.held.length; left > 0; ) {
      // What a sink did not take is offered as it was: it may have been stored all the same, and is then replaced.
      const batch = queue.held.slice(0, queue.again || Math.min(left, gather?.atMost ?? batchSize));
      const before = queue.lost;
      try {
        await queue.sink.write(batch);
      } catch (error) {
        const now = performance.now();
        queue.again = Math.max(0, batch.length - (queue.lost - before));
        queue.rest = Math.min(2 * queue.rest || writeEvery, longestRest);
        queue.from = now + queue.rest;
        if (now - queue.saidAt < sayEvery) return;
        queue.saidAt = now;
        world.log.error(
          { err: error, sink: queue.sink.name, held: queue.held.length },
          'audit events could not be written',
        );
        return;
      }
      [queue.again, queue.rest, queue.from] = [0, 0, gather ? performance.now() + gather.ms : 0];
      // The oldest were left out meanwhile where too many waited; they were of this batch.
      queue.held.splice(0, Math.max(0, batch.length - (queue.lost - before)));
      left -= batch.length;
    }
  };
  const isDue = ({ from, rest, sink, held }: (typeof queues)[number]): boolean =>
    performance.now() >= from ||
    (rest === 0 && sink.gather !== undefined && held.length >= sink.gather.atMost);
  const write = (isAsked: (queue: (typeof queues)[number]) => boolean = () => false): void => {
    clearTimeout(timer);
    timer = undefined;
    // One drain after the other: a sink gets its events in order and one batch at a time, and waits for no other sink.
    for (const queue of queues)
      queue.writing = queue.writing.then(async () => {
        if (isAsked(queue) || isDue(queue)) await drain(queue);
        if (queue.held.length > 0) wait();
      });
  };
  const wait = (): void => {
    timer ??= setTimeout(write, writeEvery).unref();
  };

  const hold = (event: AuditEvent): void => {
    // Before it is held: what waits is bounded as what is written.
    const kept = boundedEvent(event);
    for (const queue of queues) {
      queue.held.push(kept);
      if (queue.held.length > heldAtMost) {
        queue.held.shift();
        queue.lost += 1;
        if (queue.lost % 1000 === 1)
          world.log.error({ sink: queue.sink.name, lost: queue.lost }, 'audit events lost');
      }
    }
    if ((queues[0]?.held.length ?? 0) === batchSize) write();
    else wait();
  };
  const merger = createMerger(hold, world.isTight ?? (() => false));

  return {
    record: merger.take,
    // Who reads the record waits for it, not for whoever else is told.
    async flush() {
      write((queue) => queue === queues[0]);
      await queues[0]?.writing;
    },
    counts: () => ({
      // What is gathered waits on purpose, until a sink fails.
      held: Math.max(
        0,
        ...queues.map(({ held, sink, rest }) => (sink.gather && rest === 0 ? 0 : held.length)),
      ),
      lost: queues.reduce((sum, { lost }) => sum + lost, 0),
    }),
    async close() {
      merger.flush();
      write(() => true);
      await Promise.all(queues.map(({ writing }) => writing));
      clearTimeout(timer);
      for (const { close } of world.sinks) await close?.();
    },
  };
}
