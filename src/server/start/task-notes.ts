import type { Feed } from '../changes/feed.ts';
import { recordChange } from '../changes/record.ts';
import type { Db } from '../db/tables.ts';
import { type TaskNotes, tasksKnownAtMost } from '../gateway/sessions/tasks.ts';

/** What notes of tasks are kept with. */
interface NotesWorld {
  readonly db: Db;
  readonly feed: Pick<Feed, 'follow'>;
  readonly log: { warn(facts: object, message: string): void };
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Rows that are read at once, and tasks that a process tells of in a minute at most: each is a row. */
const [rowsAtOnce, toldAtMost] = [500, 1_200];

/** Tasks are told by the change feed, which keeps its rows for a day: for other processes, and for this one when it starts again. */
export function createTaskNotes({ db, feed, log, now }: NotesWorld): TaskNotes {
  let [minute, told] = [0, 0];
  const read = async (listener: (task: string) => void): Promise<void> => {
    const keys: string[] = [];
    for (let before = Number.MAX_SAFE_INTEGER; before > 0 && keys.length < tasksKnownAtMost; ) {
      const rows = await db
        .selectFrom('changes')
        .select(['seq', 'key'])
        .where('kind', '=', 'task')
        .where('seq', '<', before)
        .orderBy('seq', 'desc')
        .limit(rowsAtOnce)
        .execute();
      keys.push(...rows.map(({ key }) => key));
      before = rows.length < rowsAtOnce ? 0 : (rows.at(-1)?.seq ?? 0);
    }
    // The newest last: it is forgotten last.
    for (const key of keys.reverse()) listener(key);
  };
  const warn = (err: unknown): void =>
    log.warn({ err }, 'tasks of servers that other processes know are not known here');
  return {
    note(task) {
      const present = Math.floor(now() / 60_000);
      [minute, told] = [present, present === minute ? told + 1 : 1];
      if (told <= toldAtMost) void recordChange(db, 'task', task).catch(warn);
    },
    follow(listener) {
      const stop = feed.follow(['task'], ({ key }) => (key === null ? read(listener) : listener(key)));
      void read(listener).catch(warn);
      return stop;
    },
  };
}
