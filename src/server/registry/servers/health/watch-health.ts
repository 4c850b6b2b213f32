import type { Tool } from '../../../../contract/servers/servers.ts';
import { ifLeased } from '../../../db/lease.ts';
import type { Db } from '../../../db/tables.ts';
import type { Routes } from '../routes.ts';
import { find, type ServerRow } from '../store.ts';
import type { LookAfter } from './look-after.ts';

/** How long the first repeat after a failure waits, as a part of the interval; each further one waits twice as long. */
const firstRepeat = 1 / 16;
/** How far from the interval a check may be, so that servers which were registered together are not checked together. */
const jitter = 0.1;

/** How young the last check of a server that is new here must be to stand for the first, in milliseconds. */
const justChecked = 30_000;

/** Milliseconds between two checks of a server that says that its tools changed, when they did. */
const leastApart = 5000;

/** Milliseconds between two checks of a server that calls find in another state than its last check. */
const leastApartAfterCalls = 1000;

/** How many servers are checked right after the start. */
const checkedAtStart = 32;
/** Where there are more than so many, calls come first right after the start, and the first checks so much later. */
const [many, laterMs] = [500, 3_000];

/** What the watch works with. */
export interface HealthWatchWorld {
  readonly db: Db;
  readonly routes: Pick<Routes, 'all' | 'find'>;
  readonly lookAfter: Pick<LookAfter, 'one'>;
  readonly log: { info(facts: object, message: string): void; error(facts: object, message: string): void };
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Milliseconds between two checks of a server that is well. */
  readonly intervalMs: number;
  /** Checks at the same time; 8 unless given. */
  readonly atOnce?: number;
}

/** Checks the enabled servers again and again, each in its own time. */
export interface HealthWatch {
  /** Checks the servers whose time has come; resolves when that is done. */
  tick(): Promise<void>;
  /**
   * Looks at the server called `name` before its time, as it is said that its tools changed: at once, or 5 s after the
   * check before. Where nothing had changed, the wait doubles each time up to the interval. Does nothing until the start.
   */
  soon(name: string): void;
  /**
   * Notes how a call to the server called `name` went: whether it was reached. Where that is not what its last check found,
   * the server is checked again at once, or 1 s after the check before. Does nothing until the start.
   */
  met(name: string, reached: boolean): void;
  /** Ticks every `everyMs` from now on, and now. */
  start(everyMs: number): void;
  /** Begins no more checks; resolves when those under way have ended. */
  close(): Promise<void>;
}

interface Turn {
  dueAt: number;
  failures: number;
  /** When its last check began. */
  checkedAt: number;
  /** It was said since then that its tools changed. */
  isTold: boolean;
  /** How long after a check the next may come when that is said. */
  apartMs: number;
}

/**
 * Makes the watch over the servers' health. A server that is well is checked once an interval; one that fails sooner, then
 * less and less often up to the interval, so that a short outage shows briefly and a long one costs nothing.
 */
export function createHealthWatch(world: HealthWatchWorld): HealthWatch {
  const { db, routes, lookAfter, log, now, atOnce = 8 } = world;
  const turns = new Map<string, Turn>();
  let [closed, running] = [false, Promise.resolve()];
  let timer: NodeJS.Timeout | undefined;

  const checkOne = async (name: string, turn: Turn, isNew: boolean): Promise<void> => {
    const before = await find(db, `/${name}`);
    if (!before?.isEnabled) return;
    // Registering a server and switching it on check it already.
    if (isNew && before.health && now() - Date.parse(before.health.checkedAt) < justChecked) {
      turn.failures = before.health.status === 'healthy' ? 0 : 1;
      turn.checkedAt = Date.parse(before.health.checkedAt);
      return;
    }
    if (wasCheckedElsewhere(before.health, turn)) return;
    // One process checks a server; the others find what it found.
    await ifLeased(db, `health ${name}`, () => examine(name, turn, before));
  };
  /** Another process has checked it since this one did, so recently that it is not due: takes its finding over. */
  const wasCheckedElsewhere = (health: ServerRow['health'], turn: Turn): boolean => {
    if (turn.isTold || !health) return false;
    const at = Date.parse(health.checkedAt);
    const failures = health.status === 'healthy' ? 0 : Math.max(1, turn.failures);
    const wait = waitAfter(failures, { ...world, random: () => 0.5 });
    if (at <= turn.checkedAt || now() - at >= wait * (1 - 2 * jitter)) return false;
    Object.assign(turn, { failures, checkedAt: at, dueAt: at + waitAfter(failures, world) });
    return true;
  };
  const examine = async (name: string, turn: Turn, before: ServerRow): Promise<void> => {
    const wasTold = turn.isTold;
    Object.assign(turn, { isTold: false, checkedAt: now() });
    const { found } = await lookAfter.one(before);
    turn.failures = found.status === 'healthy' ? 0 : turn.failures + 1;
    const isVain = wasTold && isSame(before.tools?.tools, found.tools);
    turn.apartMs = isVain ? Math.min(2 * turn.apartMs, world.intervalMs) : leastApart;
    turn.dueAt = now() + waitAfter(turn.failures, world);
    if (turn.isTold) hurry(turn);
    const from = before.health?.status ?? 'unknown';
    if (from !== found.status)
      log.info({ server: name, from, to: found.status, detail: found.detail }, "a server's health changed");
  };
  const due = (): string[] => {
    const names: string[] = [];
    for (const { name, enabled } of routes.all()) {
      if (!enabled) turns.delete(name);
      else if ((turns.get(name)?.dueAt ?? 0) <= now()) names.push(name);
    }
    for (const name of turns.keys()) if (!routes.find(name)) turns.delete(name);
    return names;
  };
  const round = async (): Promise<void> => {
    const waiting = due();
    const worker = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined && !closed; name = waiting.shift()) {
        const known = turns.get(name);
        const turn = known ?? newTurn();
        // Its turn is over even if the check fails here, for instance because the database cannot be read.
        turn.dueAt = now() + waitAfter(0, world);
        turns.set(name, turn);
        await checkOne(name, turn, !known).catch((error: unknown) =>
          log.error({ err: error, server: name }, 'a server could not be checked'),
        );
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  };
  // One round after the other: the bound on checks at the same time holds across rounds.
  let waitingRounds = 0;
  const tick = (): Promise<void> => {
    if (closed || waitingRounds > 1) return running;
    waitingRounds += 1;
    running = running.then(round).finally(() => {
      waitingRounds -= 1;
    });
    return running;
  };
  const soon = (name: string): void => {
    if (!timer) return;
    const turn = turns.get(name) ?? newTurn();
    turns.set(name, turn);
    turn.isTold = true;
    hurry(turn);
    if (turn.dueAt <= now()) void tick();
  };
  const met = (name: string, reached: boolean): void => {
    const turn = turns.get(name);
    if (!timer || !turn || reached === (turn.failures === 0)) return;
    turn.dueAt = Math.min(turn.dueAt, turn.checkedAt + leastApartAfterCalls);
    if (turn.dueAt <= now()) void tick();
  };
  return {
    tick,
    soon,
    met,
    start(everyMs) {
      // Thousands of servers at once would keep a core busy: after the first few, checks spread over the interval.
      const enabled = [...routes.all()].filter((route) => route.enabled && !turns.has(route.name));
      const [from, soonest] = enabled.length > many ? [0, laterMs] : [checkedAtStart, 0];
      const span = Math.max(0, world.intervalMs - soonest);
      for (const { name } of enabled.slice(from))
        turns.set(name, { ...newTurn(), dueAt: now() + soonest + world.random() * span });
      timer = setInterval(tick, everyMs).unref();
      void tick();
    },
    async close() {
      closed = true;
      clearInterval(timer);
      await running;
    },
  };
}

function newTurn(): Turn {
  return { dueAt: 0, failures: 0, checkedAt: 0, isTold: false, apartMs: leastApart };
}

function hurry(turn: Turn): void {
  turn.dueAt = Math.min(turn.dueAt, turn.checkedAt + turn.apartMs);
}

function isSame(before: readonly Tool[] | undefined, found: readonly Tool[] | null): boolean {
  return found === null || JSON.stringify(before) === JSON.stringify(found);
}

function waitAfter(failures: number, { intervalMs, random }: HealthWatchWorld): number {
  const part = failures === 0 ? 1 : Math.min(1, firstRepeat * 2 ** (failures - 1));
  return intervalMs * part * (1 + jitter * (2 * random() - 1));
}
