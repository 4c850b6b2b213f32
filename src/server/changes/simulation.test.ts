import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openMemory } from '../db/open.ts';
import type { Db } from '../db/tables.ts';
import { type Feed, startFeed } from './feed.ts';

/** One step of what may happen to a database and the processes that follow it. */
type Step =
  | { readonly kind: 'write'; readonly key: number; readonly late: boolean }
  | { readonly kind: 'commit late ones' }
  | { readonly kind: 'notify' | 'crash' | 'fail'; readonly process: number }
  | { readonly kind: 'purge' };

const process = fc.integer({ min: 0, max: 2 });
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('write'),
        key: fc.integer({ min: 0, max: 5 }),
        late: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('commit late ones') }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constantFrom('notify', 'notify', 'crash', 'fail'), process }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('purge') }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 60 },
);

let time = 0;

/** A process with a cache of what is stored, told by the feed alone; it may fail to take a change in. */
async function start(db: Db) {
  const cache = new Map<string, number>();
  const log = { info() {}, error() {} };
  const feed: Feed = await startFeed({ db, log, pollMs: 0, now: () => time });
  const state = { feed, cache, fails: false };
  const read = async (key?: string) => {
    const all = db.selectFrom('leases').select(['name', 'fence']);
    for (const { name, fence } of await (key === undefined ? all : all.where('name', '=', key)).execute())
      cache.set(name, fence);
  };
  feed.follow(['server'], async ({ key }) => {
    if (state.fails) {
      state.fails = false;
      throw new Error('it could not be taken in');
    }
    await read(key ?? undefined);
  });
  await read();
  return state;
}

test('whatever is lost, late, doubled or crashes, every cache ends equal to the database', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const { db, close } = await openMemory();
      const processes = await Promise.all([start(db), start(db), start(db)]);
      let [seq, value] = [0, 0];
      const late: (() => Promise<void>)[] = [];
      const commit = async (number: number, key: string, fence: number) => {
        await db
          .insertInto('leases')
          .values({ name: key, holder: '', fence, expires_at: 0 })
          .onConflict((conflict) => conflict.column('name').doUpdateSet({ fence }))
          .execute();
        await db
          .insertInto('changes')
          .values({ seq: number, kind: 'server', key, at: new Date(time).toISOString() })
          .execute();
      };
      for (const step of script)
        if (step.kind === 'write') {
          // Its number is drawn now; what it changes is visible when it is committed.
          const [number, key, fence] = [++seq, String(step.key), ++value];
          if (step.late) late.push(() => commit(number, key, fence));
          else await commit(number, key, fence);
        } else if (step.kind === 'commit late ones') for (const one of late.splice(0)) await one();
        else if (step.kind === 'purge') {
          // What is older than a day goes; no transaction lasts as long.
          time += 25 * 3_600_000;
          for (const one of late.splice(0)) await one();
          const newest = await db
            .selectFrom('changes')
            .select('seq')
            .orderBy('seq', 'desc')
            .limit(1)
            .executeTakeFirst();
          await db
            .deleteFrom('changes')
            .where('seq', '<', newest?.seq ?? 0)
            .execute();
        } else if (step.kind === 'crash') {
          await processes[step.process]?.feed.close();
          processes[step.process] = await start(db);
        } else if (step.kind === 'fail') {
          const one = processes[step.process];
          if (one) one.fails = true;
        } else await processes[step.process]?.feed.caughtUp();
      for (const one of late.splice(0)) await one();
      const stored = await db.selectFrom('leases').select(['name', 'fence']).execute();
      for (const { feed, cache } of processes) {
        // What failed is tried again at the next poll.
        for (let polls = 0; polls < 3; polls += 1) await feed.caughtUp();
        expect(new Map([...cache].sort())).toEqual(
          new Map(stored.map(({ name, fence }) => [name, fence] as const).sort()),
        );
        await feed.close();
      }
      await close();
    }),
    { seed: 20261128, numRuns: 150 },
  );
});
