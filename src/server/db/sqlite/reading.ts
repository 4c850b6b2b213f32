import { Worker } from 'node:worker_threads';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { Question, Read } from './reading-thread.ts';

/**
 * Kysely's SQLite dialect that only reads, in a thread of its own with a connection of its own: a query over a long audit
 * trail takes hundreds of milliseconds, in which no call would go on. The thread starts with the first query. Each query
 * sees what was committed before it; there are no transactions.
 */
export function readingDialect(file: string, module: URL = threadModule()): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createDriver: () => new ReadingDriver(file, module),
  };
}

interface Waiting {
  done(rows: readonly unknown[]): void;
  failed(error: Error): void;
}

class ReadingDriver implements Driver {
  readonly #file: string;
  readonly #module: URL;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #last = 0;

  constructor(file: string, module: URL) {
    this.#file = file;
    this.#module = module;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return {
      executeQuery: async <R>({ sql, parameters }: CompiledQuery) => ({
        rows: (await this.#ask(sql, parameters)) as R[],
      }),
      // biome-ignore lint/correctness/useYield: there is nothing to yield
      streamQuery: async function* () {
        throw new Error('rows are not streamed from the reading thread');
      },
    };
  }

  async beginTransaction(): Promise<void> {
    throw new Error('the reading thread has no transactions');
  }
  async commitTransaction(): Promise<void> {}
  async rollbackTransaction(): Promise<void> {}
  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(sql: string, parameters: readonly unknown[]): Promise<readonly unknown[]> {
    const number = ++this.#last;
    const values = parameters.map((value) =>
      typeof value === 'boolean' ? Number(value) : value,
    ) as Question['values'];
    return new Promise((done, failed) => {
      const worker = this.#running();
      this.#waiting.set(number, { done, failed });
      worker.ref();
      worker.postMessage({ number, sql, values } satisfies Question);
    });
  }

  #running(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(this.#module, {
      workerData: { file: this.#file },
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 },
    });
    this.#worker = worker;
    worker.unref();
    worker.on('message', ({ number, rows, failure }: Read) => {
      const waiting = this.#waiting.get(number);
      this.#waiting.delete(number);
      if (this.#waiting.size === 0) worker.unref();
      if (failure) waiting?.failed(failure);
      else waiting?.done(rows ?? []);
    });
    const end = (error: Error): void => {
      // The next query starts another.
      if (this.#worker === worker) this.#worker = undefined;
      for (const { failed } of this.#waiting.values()) failed(error);
      this.#waiting.clear();
    };
    worker.on('error', end);
    worker.on('exit', (code) => end(new Error(`the thread that reads the database ended with code ${code}`)));
    return worker;
  }
}

/** The thread's module, from the source as well as from the bundle, where each entry is a file of its own. */
function threadModule(): URL {
  const here = import.meta.url;
  return new URL(here.endsWith('.ts') ? './reading-thread.ts' : './reading-thread.js', here);
}
