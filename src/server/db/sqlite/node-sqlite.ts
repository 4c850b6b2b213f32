import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { type Dialect, SqliteDialect } from 'kysely';
import { assertStorable } from '../dialect.ts';

/**
 * Kysely's SQLite dialect over Node's own `node:sqlite`; statements are prepared once and kept, up to a bound. `changed`
 * is called right after each commit of a row of the change feed.
 */
export function nodeSqliteDialect(database: DatabaseSync, changed: () => void = () => {}): Dialect {
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql);
    if (known) return known;
    if (prepared.size >= 500) prepared.clear();
    const statement = database.prepare(sql);
    prepared.set(sql, statement);
    return statement;
  };
  let isWritten = false;
  const ran = (sql: string): void => {
    if (sql.startsWith('insert into "changes"')) isWritten = true;
    else if (sql === 'rollback') isWritten = false;
    if (!isWritten || database.isTransaction) return;
    isWritten = false;
    changed();
  };
  return new SqliteDialect({
    database: {
      close: () => database.close(),
      prepare(sql) {
        // A transaction that reads before it writes would be refused when the audit trail's thread wrote in between.
        const statement = prepare(sql === 'begin' ? 'begin immediate' : sql);
        return {
          reader: statement.columns().length > 0,
          all: (parameters) => statement.all(...values(parameters)),
          run(parameters) {
            const { changes, lastInsertRowid } = statement.run(...values(parameters));
            ran(sql);
            return { changes: BigInt(changes), lastInsertRowid: BigInt(lastInsertRowid) };
          },
          iterate: (parameters) => statement.iterate(...values(parameters)) as IterableIterator<unknown>,
        };
      },
    },
  });
}

function values(parameters: readonly unknown[]): SQLInputValue[] {
  assertStorable(parameters);
  return parameters.map((value) => (typeof value === 'boolean' ? Number(value) : (value as SQLInputValue)));
}
