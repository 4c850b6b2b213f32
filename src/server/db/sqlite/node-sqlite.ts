import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { assertStorable } from '../dialect.ts';

/** How long a statement waits while another connection writes, in milliseconds: at first as long, then longer each time. */
const patience = { first: 1, longest: 50, all: 30_000 };

/**
 * Kysely's SQLite dialect over Node's own `node:sqlite`; statements are prepared once and kept, up to a bound. `changed`
 * is called right after each commit of a row of the change feed. While another connection holds the lock for writing (the
 * audit trail's thread, another program), a statement waits without holding up the thread: calls and reads go on.
 */
export function nodeSqliteDialect(database: DatabaseSync, changed: () => void = () => {}): Dialect {
  database.exec('PRAGMA busy_timeout = 0');
  return {
    createAdapter: () => new Adapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createDriver: () => new NodeSqliteDriver(database, changed),
  };
}

/** The driver itself keeps what is done at once apart. */
class Adapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/** One statement at a time, and nobody else's while a transaction is open: all share one connection of SQLite. */
class NodeSqliteDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #changed: () => void;
  readonly #prepared = new Map<string, StatementSync>();
  /** Whose transaction is open. */
  #holder: DatabaseConnection | undefined;
  #waiting: (() => void)[] = [];
  #isWritten = false;

  constructor(database: DatabaseSync, changed: () => void) {
    this.#database = database;
    this.#changed = changed;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const connection: DatabaseConnection = {
      executeQuery: async <R>({ sql, parameters }: CompiledQuery) =>
        (this.#holder === connection
          ? this.#run(sql, parameters)
          : await this.#inTurn(() => this.#run(sql, parameters))) as QueryResult<R>,
      // biome-ignore lint/correctness/useYield: there is nothing to yield
      streamQuery: async function* () {
        throw new Error('rows of the embedded database are not streamed');
      },
    };
    return connection;
  }

  /** A transaction that reads before it writes would be refused when another connection wrote in between: it begins as a writer. */
  beginTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#inTurn(() => {
      this.#run('begin immediate', []);
      this.#holder = connection;
    });
  }

  async commitTransaction(): Promise<void> {
    this.#run('commit', []);
    this.#release();
  }

  async rollbackTransaction(): Promise<void> {
    try {
      // SQLite may have rolled back by itself, as when the disk is full.
      if (this.#database.isTransaction) this.#run('rollback', []);
      this.#isWritten = false;
    } finally {
      this.#release();
    }
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#database.close();
  }

  #release(): void {
    this.#holder = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const goOn of waiting) goOn();
  }

  /** Does something once no transaction is open here and no other connection is in the way. */
  async #inTurn<T>(act: () => T): Promise<T> {
    for (let [pause, waited] = [patience.first, 0]; ; pause = Math.min(2 * pause, patience.longest)) {
      while (this.#holder) await new Promise<void>((goOn) => void this.#waiting.push(goOn));
      try {
        return act();
      } catch (error) {
        if (!isBusy(error) || waited >= patience.all) throw error;
      }
      await delay(pause);
      waited += pause;
    }
  }

  #run(sql: string, parameters: readonly unknown[]): QueryResult<unknown> {
    const statement = this.#prepare(sql);
    const given = values(parameters);
    // What returns rows may have written as well.
    if (statement.columns().length > 0) return { rows: statement.all(...given) };
    const { changes, lastInsertRowid } = statement.run(...given);
    this.#tell(sql);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known) return known;
    if (this.#prepared.size >= 500) this.#prepared.clear();
    const statement = this.#database.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }

  #tell(sql: string): void {
    if (sql.startsWith('insert into "changes"')) this.#isWritten = true;
    if (!this.#isWritten || this.#database.isTransaction) return;
    this.#isWritten = false;
    this.#changed();
  }
}

/** SQLITE_BUSY with its extended codes: another connection has the lock, and nothing was done. */
function isBusy(error: unknown): boolean {
  const { code, errcode = 0 } = error as { code?: string; errcode?: number };
  return code === 'ERR_SQLITE_ERROR' && (errcode & 0xff) === 5;
}

function values(parameters: readonly unknown[]): SQLInputValue[] {
  assertStorable(parameters);
  return parameters.map((value) => (typeof value === 'boolean' ? Number(value) : (value as SQLInputValue)));
}
