import type { Db } from './tables.ts';
import { inTransaction } from './transaction.ts';

/** The rows that show when they were last used: by which column one is found, and where the time stands. */
const columns = {
  tokens: { id: 'id', at: 'last_used_at' },
  sessions: { id: 'id_hash', at: 'last_seen_at' },
  oauth_grants: { id: 'id', at: 'last_used_at' },
  oauth_clients: { id: 'client_id', at: 'last_used_at' },
  connections: { id: 'id', at: 'last_used_at' },
} as const;

/** What shows when it was last used. */
export type Used = keyof typeof columns;

interface Use {
  /** In milliseconds. */
  readonly at: number;
  /** What a connection was used for. */
  readonly what: string | undefined;
}

/** How often uses are written, and how soon the first of a thing is, for people who look whether it works; in milliseconds. */
const every = 60_000;
const soon = 1000;
/** Rows in one statement. */
const mostAtOnce = 100;

/** When things were last used, as far as this process knows and the database does not yet. */
export class LastUses {
  readonly #db: Db;
  #uses = new Map<Used, Map<string, Use>>();
  #first: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #write: (() => void) | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  /**
   * Notes a use at a time in milliseconds, which costs nothing now: a minute's uses are written together. What was never used
   * before (`isFirst`) does not wait that long.
   */
  note(
    kind: Used,
    id: string,
    now: number,
    { isFirst = false, what }: { isFirst?: boolean; what?: string } = {},
  ) {
    const uses = this.#uses.get(kind) ?? new Map<string, Use>();
    this.#uses.set(kind, uses);
    keepLater(uses, id, { at: now, what });
    if (isFirst && this.#write) this.#first ??= setTimeout(this.#write, soon).unref();
  }

  /** When it was used last, as far as that is noted and not yet written: milliseconds; undefined otherwise. */
  noted(kind: Used, id: string): number | undefined {
    return this.#uses.get(kind)?.get(id)?.at;
  }

  /** Writes what is noted, in one transaction; a time that another process wrote stays where it is later. */
  flush(): Promise<void> {
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#flush());
    return this.#writing;
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#first);
    this.#first = undefined;
    const taken = this.#uses;
    if (taken.size === 0) return;
    this.#uses = new Map();
    try {
      await inTransaction(this.#db, async (trx) => {
        for (const [kind, uses] of taken) await write(trx, kind, uses);
      });
    } catch (error) {
      for (const [kind, uses] of taken) {
        const later = this.#uses.get(kind) ?? new Map<string, Use>();
        this.#uses.set(kind, later);
        for (const [id, use] of uses) keepLater(later, id, use);
      }
      throw error;
    }
  }

  /** Writes once a minute from now on; returns how to write for the last time and stop. */
  start(failed: (error: unknown) => void): () => Promise<void> {
    const run = (): void => void this.flush().catch(failed);
    this.#write = run;
    const timer = setInterval(run, every).unref();
    return async () => {
      clearInterval(timer);
      this.#write = undefined;
      await this.flush();
    };
  }
}

function keepLater(uses: Map<string, Use>, id: string, use: Use): void {
  const known = uses.get(id);
  if (!known || known.at <= use.at) uses.set(id, use);
}

const all = new WeakMap<Db, LastUses>();

/** The uses that belong to a database; the same for each who asks. */
export function lastUsesOf(db: Db): LastUses {
  const known = all.get(db) ?? new LastUses(db);
  all.set(db, known);
  return known;
}

/** In the order of the ids, so that two processes do not wait for each other. */
async function write(trx: Db, kind: Used, uses: ReadonlyMap<string, Use>): Promise<void> {
  const { id: key, at: column } = columns[kind] as { id: 'id'; at: 'last_used_at' };
  const rows = [...uses].sort(([a], [b]) => (a < b ? -1 : 1));
  for (let from = 0; from < rows.length; from += mostAtOnce) {
    const some = rows.slice(from, from + mostAtOnce);
    // The tables differ in what they call the columns; the types are those of connections, which has them all.
    await trx
      .updateTable(kind as 'connections')
      .set(({ and, or, eb, case: cases, ref }) => {
        const first = (name: 'last_used_at' | 'last_used_for', show: (use: Use) => string | null) => {
          let each = cases() as unknown as Cases;
          for (const [id, use] of some)
            each = each
              .when(and([eb(key, '=', id), or([eb(column, 'is', null), eb(column, '<', timeOf(use))])]))
              .then(show(use));
          return each.else(ref(name)).end();
        };
        const time = { [column]: first(column, timeOf) };
        return kind === 'connections'
          ? { ...time, last_used_for: first('last_used_for', ({ what = '' }) => what.slice(0, 200)) }
          : time;
      })
      .where(
        key,
        'in',
        some.map(([id]) => id),
      )
      .execute();
  }
}

const timeOf = ({ at }: Use): string => new Date(at).toISOString();

/** As much of Kysely's CASE as is used here: its own types grow with each WHEN. */
interface Cases {
  when(condition: unknown): { then(value: string | null): Cases };
  else(value: unknown): { end(): never };
}
