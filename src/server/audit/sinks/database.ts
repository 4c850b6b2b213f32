import { Worker } from 'node:worker_threads';
import { fileIn } from '../../db/sqlite/file.ts';
import { createIds } from '../../ids.ts';
import type { Sink } from '../event.ts';
import type { Batch, Written } from './database-thread.ts';
import { valuesOf } from './rows.ts';

/**
 * Writes events to the table `audit_events` of the database in a data directory, a batch in one transaction, in a thread
 * of its own: a commit and above all a checkpoint take milliseconds, in which no call would go on.
 */
export function databaseSink(directory: string, module: URL = threadModule()): Sink {
  const newId = createIds();
  let thread: WritingThread | undefined;
  // The ids of a batch that failed: when only its answer was lost, the next attempt must not write it twice.
  let unsettled: readonly string[] = [];
  return {
    name: 'database',
    async write(events) {
      const ids = events.map((_, at) => unsettled[at] ?? newId());
      unsettled = ids;
      if (!thread?.lives()) thread = startThread(module, fileIn(directory));
      await thread.write(JSON.stringify(events.map((event, at) => valuesOf(event, ids[at] ?? newId()))));
      unsettled = [];
    },
    async close() {
      await thread?.stop();
    },
  };
}

interface WritingThread {
  lives(): boolean;
  write(rows: string): Promise<void>;
  stop(): Promise<void>;
}

function startThread(module: URL, file: string): WritingThread {
  const worker = new Worker(module, {
    workerData: { file },
    resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
  });
  const waiting = new Map<number, { done(): void; failed(error: Error): void }>();
  let [lives, last] = [true, 0];
  worker.unref();
  worker.on('message', ({ number, failure }: Written) => {
    const batch = waiting.get(number);
    waiting.delete(number);
    if (waiting.size === 0) worker.unref();
    if (failure) batch?.failed(failure);
    else batch?.done();
  });
  const end = (error: Error): void => {
    lives = false;
    for (const { failed } of waiting.values()) failed(error);
    waiting.clear();
  };
  worker.on('error', end);
  worker.on('exit', (code) => end(new Error(`the thread that writes audit events ended with code ${code}`)));
  return {
    lives: () => lives,
    write(rows) {
      const number = ++last;
      return new Promise((done, failed) => {
        waiting.set(number, { done, failed });
        // What waits to be written keeps the process alive.
        worker.ref();
        worker.postMessage({ number, rows } satisfies Batch);
      });
    },
    async stop() {
      await worker.terminate();
    },
  };
}

/** The thread's module, from the source as well as from the bundle, where each entry is a file of its own. */
function threadModule(): URL {
  const here = import.meta.url;
  return new URL(here.endsWith('.ts') ? './database-thread.ts' : './audit-thread.js', here);
}
