import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDatabaseClock } from '../db/clock.ts';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import { announceProcess, overview } from './overview.ts';

let database: OpenDatabase;
beforeEach(async () => {
  database = await openMemory();
});
afterEach(() => database.close());

const log = { warn() {} } as never;
const startedAt = '2026-01-01T00:00:00.000Z';
const look = () =>
  overview({
    reads: database.db,
    config: { auditRoom: { maxBytes: 0, minFreeBytes: 0 }, auditRetentionDays: 90 } as never,
    trailRoom: () => ({ bytes: 4096, freeBytes: null, alarm: null }),
    now: () => Date.now(),
  });

test('every process that serves is listed until it ends, and how much there is of each thing', async () => {
  const { db } = database;
  const ends = [
    await announceProcess({ db, log, clock: createDatabaseClock() }, { version: '1', startedAt }),
    await announceProcess({ db, log, clock: createDatabaseClock() }, { version: '2', startedAt }),
  ];
  expect(await look()).toMatchObject({
    processes: [
      { version: expect.any(String), started_at: startedAt },
      { version: expect.any(String), started_at: startedAt },
    ],
    database: { bytes: expect.any(Number) },
    audit: { bytes: 4096, max_bytes: null, events: 0, oldest: null, retention_days: 90 },
    counts: { servers: 0, people: 0, sessions: 0, tokens: 0, requests_waiting: 0 },
  });
  await ends[0]?.();
  expect((await look()).processes.map(({ version }) => version)).toEqual(['2']);
  await ends[1]?.();
});

test('a process that was killed is gone a minute later', async () => {
  const { db } = database;
  const end = await announceProcess({ db, log, clock: createDatabaseClock() }, { version: '1', startedAt });
  await db.updateTable('processes').set({ seen_at: 1 }).execute();
  expect((await look()).processes).toEqual([]);
  await end();
});

test('a clock that is far from that of the database is said once', async () => {
  const said: string[] = [];
  const clock = createDatabaseClock();
  const told = { warn: (_: object, text: string) => void said.push(text) } as never;
  const announce = async () =>
    (await announceProcess({ db: database.db, log: told, clock }, { version: '1', startedAt }))();
  await announce();
  expect(said).toEqual([]);
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    for (const off of [120_000, -120_000]) {
      vi.setSystemTime(performance.timeOrigin + performance.now() + off);
      await announce();
      expect(said.splice(0)).toEqual([expect.stringContaining('set both by NTP')]);
      // What tokens are ended by is the database's time, not that of this machine.
      expect(Math.abs(clock.now() + off - Date.now())).toBeLessThan(60_000);
    }
  } finally {
    vi.useRealTimers();
  }
});
