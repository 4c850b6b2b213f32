import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { createThread, type Thread, threadModule } from '../../thread.ts';
import { assertStorable } from '../dialect.ts';
import type { Question } from './reading-thread.ts';

/**
 * Kysely's SQLite dialect that only reads, in a thread of its own with a connection of its own: a query over a long audit
 * trail takes hundreds of milliseconds, in which no call would go on. The thread starts with the first query. Each query
 * sees what was committed before it; there are no transactions.
 */
export function readingDialect(
  file: string,
  module: URL = threadModule(import.meta.url, 'reading-thread'),
): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createDriver: () => new ReadingDriver(file, module),
  };
}

class ReadingDriver implements Driver {
  readonly #thread: Thread<Question, readonly unknown[]>;

  constructor(file: string, module: URL) {
    this.#thread = createThread({
      ...{ module, workerData: { file }, name: 'reads the database' },
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 },
    });
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return {
      executeQuery: async <R>({ sql, parameters }: CompiledQuery) => {
        assertStorable(parameters);
        return { rows: (await this.#thread.ask({ sql, values: parameters.map(bound) })) as R[] };
      },
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
    await this.#thread.end();
  }
}

function bound(value: unknown): Question['values'][number] {
  return (typeof value === 'boolean' ? Number(value) : value) as Question['values'][number];
}
