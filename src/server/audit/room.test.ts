import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { usedBytes } from '../db/dialect.ts';
import { type OpenDatabase, openDatabase } from '../db/open.ts';
import { type Room, type RoomWorld, watchRoom } from './room.ts';
import { columns, valuesOf } from './sinks/rows.ts';

let directory: string;
let database: OpenDatabase;
let rooms: Room[];
let logged: [string, string][];
let clock: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'audit-room-'));
  database = await openDatabase(directory);
  [rooms, logged, clock] = [[], [], Date.parse('2026-01-01T00:00:00Z')];
});
afterEach(async () => {
  for (const room of rooms) await room.close();
  await database.close();
  rmSync(directory, { recursive: true });
});

function watch(more: Partial<RoomWorld>): Room {
  const room = watchRoom({
    ...{ db: database.db, directory, maxBytes: 0, minFreeBytes: 0, now: () => clock },
    log: {
      info: (_, message) => void logged.push(['info', message]),
      error: (_, message) => void logged.push(['error', message]),
    },
    ...more,
  });
  rooms.push(room);
  return room;
}

const alice = { provider: 'entra', subject: 's', username: 'alice', clientId: null, method: 'bearer' };

/** Rows of the three sorts that matter: refused strangers, refused people, and what was allowed without anybody. */
async function fill(count: number): Promise<void> {
  const sorts = [
    ['stranger', null, 'deny'],
    ['person', alice, 'deny'],
    ['process', null, 'allow'],
  ] as const;
  const rows = Array.from({ length: count }, (_, index) =>
    sorts.map(([resource, who, decision]) => {
      const values = valuesOf(
        {
          ...{ kind: 'mcp', at: new Date(clock + index).toISOString(), correlationId: 'c', who, decision },
          ...{ clientIp: '10.0.0.1', action: 'POST', resource, status: 401, durationMs: 1 },
          detail: { filler: 'x'.repeat(200) },
        },
        `${resource}-${String(index).padStart(6, '0')}`,
      );
      return Object.fromEntries(columns.map((column, place) => [column, values[place] ?? null]));
    }),
  ).flat();
  for (let at = 0; at < rows.length; at += 500)
    await database.db
      .insertInto('audit_events')
      .values(rows.slice(at, at + 500) as never)
      .execute();
}

async function left(): Promise<Record<string, number>> {
  const rows = await database.db
    .selectFrom('audit_events')
    .select((e) => ['resource', e.fn.countAll<number>().as('number')])
    .groupBy('resource')
    .execute();
  return Object.fromEntries(rows.map(({ resource, number }) => [resource, Number(number)]));
}

const perRow = 1_000;
/** A size that follows the number of rows, in whichever database. */
const byRows = async () => {
  const rows = Object.values(await left()).reduce((sum, number) => sum + number, 0);
  return { bytes: rows * perRow, freeBytes: null };
};

test('past its size there is an alarm, and only refused strangers go, the oldest first, until there is room', async () => {
  await fill(2_000);
  const room = watch({ maxBytes: 5_500 * perRow, measure: byRows });
  await room.measure();
  expect(await left()).toEqual({ stranger: 1_000, person: 2_000, process: 2_000 });
  const oldest = await database.db
    .selectFrom('audit_events')
    .select('id')
    .where('resource', '=', 'stranger')
    .orderBy('at')
    .limit(1)
    .executeTakeFirst();
  expect(oldest?.id).toBe('stranger-001000');
  expect(room.current().alarm).toBeNull();
  expect(logged.map(([level]) => level)).toEqual(['error', 'info']);
  expect(logged[0]?.[1]).toMatch(/AUDIT_MAX_MB/);
});

test('what people did stays whatever the size, and the alarm with it, said once an hour', async () => {
  await fill(600);
  const room = watch({ maxBytes: perRow, measure: byRows });
  await room.measure();
  await room.measure();
  expect(await left()).toEqual({ person: 600, process: 600 });
  expect(room.current().alarm).toBe('size_limit');
  expect(logged.map(([level]) => level)).toEqual(['error']);
  clock += 3_600_001;
  await room.measure();
  expect(logged).toHaveLength(2);
});

test('a disk that runs full is an alarm, and over when there is room', async () => {
  let freeBytes = 10;
  const room = watch({ minFreeBytes: 100, measure: async () => ({ bytes: 1, freeBytes }) });
  await room.measure();
  expect(room.current()).toEqual({ bytes: 1, freeBytes: 10, alarm: 'low_disk' });
  freeBytes = 1_000;
  await room.measure();
  expect(room.current().alarm).toBeNull();
  expect(logged.map(([level]) => level)).toEqual(['error', 'info']);
});

test('the real measure sees the database grow, and the disk', async () => {
  const before = await usedBytes(database.db, 'audit_events');
  await fill(2_000);
  const room = watch({});
  await room.measure();
  const { bytes, freeBytes } = room.current();
  // PostgreSQL's statistics come later; what is measured there is tried with them in place.
  if (bytes !== 0) expect(bytes).toBeGreaterThan(before + 6_000 * 200);
  expect(freeBytes).toBeGreaterThan(0);
});

test('a measure that fails is said and harms nothing', async () => {
  const room = watch({
    maxBytes: 1,
    measure: async () => {
      throw new Error('no such disk');
    },
  });
  await room.measure();
  expect(room.current().alarm).toBeNull();
  expect(logged).toEqual([['error', 'the room of the audit trail cannot be measured']]);
});
