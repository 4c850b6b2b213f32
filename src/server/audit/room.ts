import { statfs } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { usedBytes } from '../db/dialect.ts';
import { ifLeased } from '../db/lease.ts';
import type { Db } from '../db/tables.ts';

/** How often the room is measured, in milliseconds, and how often an alarm is repeated in the log. */
const [measureEvery, repeatEvery] = [60_000, 3_600_000];
/** Events that one statement deletes, and statements of one measurement at most. */
const [deletedAtOnce, statementsAtOnce] = [500, 40];
/** How far below its limit the trail is brought, so that not every minute begins with deleting. */
const enough = 0.95;

/** Why there is too little room for the audit trail. */
export type TrailAlarm = 'size_limit' | 'low_disk';

/** How much room the trail takes and has, in bytes; null where that is not known. */
export interface TrailRoom {
  readonly bytes: number | null;
  readonly freeBytes: number | null;
  readonly alarm: TrailAlarm | null;
}

/** What watching over the room needs. */
export interface RoomWorld {
  readonly db: Db;
  /** The directory whose disk holds the trail; undefined where a database server holds it. */
  readonly directory: string | undefined;
  /** How large the trail may become, and how much of the disk has to stay free, in bytes; 0: no such limit. */
  readonly maxBytes: number;
  readonly minFreeBytes: number;
  readonly now: () => number;
  readonly log: {
    info(facts: object, message: string): void;
    error(facts: object, message: string): void;
  };
  /** How the room is measured; unless given, by asking the database and the disk. */
  readonly measure?: () => Promise<Omit<TrailRoom, 'alarm'>>;
}

/** The room of the trail, as last measured. */
export interface Room {
  current(): TrailRoom;
  /** Measures again, and makes room where there is too little. */
  measure(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Measures each minute how much room the trail takes and has. Where a limit is reached it raises an alarm and deletes
 * refusals of callers that nobody knows, the oldest first; what identified callers did goes with its retention time only,
 * since otherwise somebody could erase it by doing more.
 */
export function watchRoom(world: RoomWorld): Room {
  const { log, now } = world;
  const ending = new AbortController();
  let room: TrailRoom = { bytes: null, freeBytes: null, alarm: null };
  let saidAt = 0;
  let running: Promise<void> | undefined;

  const look = async (): Promise<TrailRoom> => {
    const measured = await (world.measure ?? (() => measureRoom(world)))();
    return { ...measured, alarm: alarmOf(measured, world) };
  };
  const say = (before: TrailAlarm | null): void => {
    const facts = { ...room, maxBytes: world.maxBytes, minFreeBytes: world.minFreeBytes };
    if (room.alarm === null) {
      if (before !== null) log.info(facts, 'there is room for the audit trail again');
      return;
    }
    if (room.alarm === before && now() - saidAt < repeatEvery) return;
    saidAt = now();
    log.error(facts, remedies[room.alarm]);
  };
  const run = async (): Promise<void> => {
    try {
      const before = room.alarm;
      room = await look();
      say(before);
      if (room.alarm !== null) {
        await ifLeased(world.db, 'audit purge', () => makeRoom(world, look, ending.signal));
        const during = room.alarm;
        room = await look();
        say(during);
      }
    } catch (error) {
      log.error({ err: error }, 'the room of the audit trail cannot be measured');
    }
    running = undefined;
  };
  const measure = (): Promise<void> => {
    running ??= run();
    return running;
  };
  void measure();
  const timer = setInterval(measure, measureEvery).unref();
  return {
    current: () => room,
    measure,
    async close() {
      clearInterval(timer);
      ending.abort();
      await running;
    },
  };
}

const counted =
  'Refusals of unknown callers are only counted now, and the oldest of these are deleted; what people and agents did is kept.';
const remedies: Record<TrailAlarm, string> = {
  size_limit: `the audit trail has reached AUDIT_MAX_MB. ${counted} Export what has to be kept and lower AUDIT_RETENTION_DAYS, or raise AUDIT_MAX_MB.`,
  low_disk: `the disk of DATA_DIR has less room than AUDIT_MIN_FREE_MB. ${counted} Free some space, or move DATA_DIR to a larger disk.`,
};

type RoomLimits = Pick<RoomWorld, 'maxBytes' | 'minFreeBytes'>;

function alarmOf(
  { bytes, freeBytes }: Omit<TrailRoom, 'alarm'>,
  { maxBytes, minFreeBytes }: RoomLimits,
): TrailAlarm | null {
  if (freeBytes !== null && minFreeBytes > 0 && freeBytes < minFreeBytes) return 'low_disk';
  return bytes !== null && maxBytes > 0 && bytes >= maxBytes ? 'size_limit' : null;
}

/** Deletes until there is room, nothing is left to delete, or the time of one measurement is used up. */
async function makeRoom(
  world: RoomWorld,
  look: () => Promise<TrailRoom>,
  signal: AbortSignal,
): Promise<void> {
  const { db, maxBytes } = world;
  for (let statement = 0; statement < statementsAtOnce && !signal.aborted; statement++) {
    const { numDeletedRows } = await db
      .deleteFrom('audit_events')
      .where('id', 'in', (e) =>
        e
          .selectFrom('audit_events')
          .select('id')
          .where('decision', '<>', 'allow')
          .where('subject', 'is', null)
          .orderBy('at')
          .limit(deletedAtOnce),
      )
      .executeTakeFirstOrThrow();
    if (Number(numDeletedRows) < deletedAtOnce) return;
    const { alarm, bytes } = await look();
    if (alarm === null && (maxBytes === 0 || bytes === null || bytes < maxBytes * enough)) return;
    await setTimeout(10, undefined, { ref: false });
  }
}

async function measureRoom({ db, directory }: RoomWorld): Promise<Omit<TrailRoom, 'alarm'>> {
  const bytes = await usedBytes(db, 'audit_events');
  if (directory === undefined) return { bytes, freeBytes: null };
  const { bavail, bsize } = await statfs(directory);
  return { bytes, freeBytes: bavail * bsize };
}
