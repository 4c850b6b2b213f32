import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort, type ResourceLimits, Worker } from 'node:worker_threads';

/** A question on its way to a thread, or what came of it. */
interface Message {
  readonly number: number;
  readonly content?: unknown;
  readonly failure?: Error;
}

interface Waiting {
  done(answer: unknown): void;
  failed(error: Error): void;
}

/** A thread of its own for work that would hold up calls. */
export interface Thread<Question, Answer> {
  /** Sends a question; rejects with what the thread threw, or when the thread ends before it has answered. */
  ask(question: Question): Promise<Answer>;
  /** Starts the thread before the first question, which then does not wait for it. */
  start(): void;
  /** Ends the thread; what waits fails. */
  end(): Promise<void>;
}

/** How a thread is started. */
export interface ThreadOptions {
  /** Its entry; calls `answerQuestions`. */
  readonly module: URL;
  readonly workerData: unknown;
  readonly resourceLimits: ResourceLimits;
  /** What messages call it. */
  readonly name: string;
}

/** Makes a thread that starts with the first question, and anew with the next one if it ended. It keeps no process alive that has nothing to ask. */
export function createThread<Question, Answer>(options: ThreadOptions): Thread<Question, Answer> {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let last = 0;
  const start = (): Worker => {
    const started = new Worker(options.module, {
      workerData: options.workerData,
      resourceLimits: options.resourceLimits,
    });
    started.unref();
    started.on('message', ({ number, content, failure }: Message) => {
      const asked = waiting.get(number);
      waiting.delete(number);
      if (waiting.size === 0) started.unref();
      if (failure) asked?.failed(failure);
      else asked?.done(content);
    });
    const ended = (error: Error): void => {
      if (worker !== started) return;
      worker = undefined;
      for (const { failed } of waiting.values()) failed(error);
      waiting.clear();
    };
    started.on('error', ended);
    started.on('exit', (code) => ended(new Error(`the thread that ${options.name} ended with code ${code}`)));
    return started;
  };
  return {
    ask(question) {
      const number = ++last;
      return new Promise((done, failed) => {
        worker ??= start();
        // What cannot be sent throws here, and nothing waits for it.
        worker.postMessage({ number, content: question } satisfies Message);
        waiting.set(number, { done: done as Waiting['done'], failed });
        worker.ref();
      });
    },
    start() {
      worker ??= start();
    },
    async end() {
      await worker?.terminate();
    },
  };
}

/** In the thread: answers each question with what `answer` gives, or the error it throws. */
export function answerQuestions<Question, Answer>(
  answer: (question: Question) => Answer | Promise<Answer>,
): void {
  parentPort?.on('message', async ({ number, content }: Message) => {
    try {
      const given = await answer(content as Question);
      parentPort?.postMessage({ number, content: given } satisfies Message);
    } catch (failure) {
      parentPort?.postMessage({ number, failure: failure as Error } satisfies Message);
    }
  });
}

/**
 * In the thread: lets the other threads of the process have a core first, where the system knows how (Linux, where each
 * thread has a priority of its own: setpriority(2), "C library/kernel differences").
 */
export function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    const id = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(id, Math.min(getPriority(id) + 10, 19));
  } catch {
    // Without /proc it runs like the others.
  }
}

/** The entry of a thread: `source.ts` seen from the importer, or `bundled.js` in the bundle, where each entry is a file of its own. */
export function threadModule(importer: string, source: string, bundled = source): URL {
  return new URL(importer.endsWith('.ts') ? `${source}.ts` : `${bundled}.js`, importer);
}
