import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  watch as watchDirectory,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FileWatch, fingerprint, watchFile } from './file-watch.ts';

let directory: string;
let file: string;
let watch: FileWatch | undefined;
let warnings: object[];

beforeEach(() => {
  // The file is a link into another directory, so that the watch on its own directory stays silent: what follows is polling.
  directory = mkdtempSync(join(tmpdir(), 'gateway-watch-'));
  mkdirSync(join(directory, 'v1'));
  mkdirSync(join(directory, 'v2'));
  mkdirSync(join(directory, 'here'));
  writeFileSync(join(directory, 'v1/scopes.yml'), 'one');
  writeFileSync(join(directory, 'v2/scopes.yml'), 'two');
  symlinkSync(join(directory, 'v1'), join(directory, 'data'));
  file = join(directory, 'here/scopes.yml');
  symlinkSync(join(directory, 'data/scopes.yml'), file);
  warnings = [];
});
afterEach(() => {
  watch?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Timers by hand: `tick` runs the one that is set and answers how long the next one is, which is set when the look is over. */
function byHand() {
  let run: (() => void) | undefined;
  let set: (milliseconds: number) => void = () => {};
  return {
    after(milliseconds: number, planned: () => void) {
      run = planned;
      set(milliseconds);
      return () => {
        run = undefined;
      };
    },
    tick(): Promise<number> {
      const next = new Promise<number>((resolve) => {
        set = resolve;
      });
      run?.();
      return next;
    },
    isSet: () => run !== undefined,
  };
}

async function watching(changed: () => Promise<unknown>) {
  const timer = byHand();
  const log = {
    info() {},
    warn: (detail: object) => void warnings.push(detail),
    error: (detail: object) => void warnings.push(detail),
  };
  watch = watchFile({ file, since: await fingerprint(file), changed, log, after: timer.after });
  return timer;
}

function swap(): void {
  symlinkSync(join(directory, 'v2'), join(directory, 'data.new'));
  renameSync(join(directory, 'data.new'), join(directory, 'data'));
}

test('nothing is told while nothing changes', async () => {
  let told = 0;
  const { tick } = await watching(async () => told++);
  expect([await tick(), await tick()]).toEqual([5000, 5000]);
  expect(told).toBe(0);
});

test('a link swapped elsewhere, as Kubernetes does it, is told once it is settled', async () => {
  let told = 0;
  const { tick } = await watching(async () => told++);
  swap();
  expect(await tick()).toBe(100);
  expect(told).toBe(0);
  expect(await tick()).toBe(5000);
  expect(told).toBe(1);
  expect(await tick()).toBe(5000);
  expect(told).toBe(1);
});

test('a file still being written is left alone until it is not', async () => {
  let told = 0;
  const { tick } = await watching(async () => told++);
  for (const text of ['a', 'ab', 'abc']) {
    writeFileSync(join(directory, 'v1/scopes.yml'), text);
    expect(await tick()).toBe(100);
  }
  expect(told).toBe(0);
  expect(await tick()).toBe(5000);
  expect(told).toBe(1);
});

test('disappearing and coming back are changes', async () => {
  let told = 0;
  const { tick } = await watching(async () => told++);
  rmSync(join(directory, 'data'));
  await tick();
  await tick();
  expect(told).toBe(1);
  symlinkSync(join(directory, 'v1'), join(directory, 'data'));
  await tick();
  await tick();
  expect(told).toBe(2);
});

test('a change that could not be taken over is told again', async () => {
  let told = 0;
  const { tick } = await watching(async () => {
    told++;
    if (told === 1) throw new Error('the database is busy');
  });
  swap();
  await tick();
  await tick();
  await tick();
  await tick();
  expect(told).toBe(2);
  expect(warnings).toHaveLength(1);
});

test('a directory that cannot be watched is polled, with a warning', async () => {
  file = join(directory, 'later/scopes.yml');
  let told = 0;
  const { tick } = await watching(async () => told++);
  expect(warnings).toHaveLength(1);
  mkdirSync(join(directory, 'later'));
  writeFileSync(file, 'late');
  await tick();
  await tick();
  expect(told).toBe(1);
});

test('what is written beside the file is no reason to look, what happens to the file is', async () => {
  const planned: number[] = [];
  const after = (milliseconds: number) => {
    planned.push(milliseconds);
    return () => {};
  };
  const log = { info() {}, warn() {}, error() {} };
  watch = watchFile({ file, since: await fingerprint(file), changed: async () => {}, log, after });
  // Started after it, so that what this one was told, the other was told before.
  const told: (string | null)[] = [];
  const own = watchDirectory(join(directory, 'here'), (_, name) => void told.push(name));
  for (const name of ['gateway.db-wal', 'scopes.yml.swp', 'last'])
    writeFileSync(join(directory, 'here', name), 'x');
  await expect.poll(() => told.includes('last')).toBe(true);
  own.close();
  expect(planned).toEqual([5000]);
  rmSync(file);
  writeFileSync(file, 'new');
  await expect.poll(() => planned.length).toBe(2);
  expect(planned[0]).toBe(5000);
  expect(planned[1]).toBeLessThan(5000);
});

test('closing leaves no timer', async () => {
  const { isSet } = await watching(async () => {});
  expect(isSet()).toBe(true);
  watch?.close();
  expect(isSet()).toBe(false);
});
