import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivate } from '../keys/write-private.ts';
import type { Seed } from '../tenant/seed.ts';
import type { World } from '../world.ts';
import { restoreSnapshot, takeSnapshot } from './snapshot.ts';

/** Raise it when the shape of the state changes: state of another shape is left aside like that of another seed. */
const stateFormat = 2;

/** Keeps the state of a world in its data directory. */
export type Persistence = {
  /** Something may have changed: it is written within a second. */
  note(): void;
  /** Writes what is not written yet. */
  flush(): void;
};

/**
 * Restores the kept state of a data directory and keeps it from now on. State that grew from another seed is left
 * aside, so that a changed seed file takes effect. Without a directory nothing is kept.
 */
export function persist(world: World, seed: Seed, dataDir: string | undefined): Persistence {
  if (!dataDir) return { note: () => undefined, flush: () => undefined };
  const file = join(dataDir, 'entra-emulator-state.json');
  const origin = createHash('sha256')
    .update(JSON.stringify([stateFormat, seed]))
    .digest('base64url');
  restore(world, file, origin);
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    if (!timer) return;
    clearTimeout(timer);
    timer = undefined;
    writePrivate(file, JSON.stringify({ seed: origin, state: takeSnapshot(world) }));
  };
  return {
    note: () => {
      timer ??= setTimeout(flush, 1000).unref();
    },
    flush,
  };
}

function restore(world: World, file: string, origin: string): void {
  if (!existsSync(file)) return;
  try {
    const kept: { seed?: unknown; state?: unknown } = JSON.parse(readFileSync(file, 'utf8'));
    if (kept.seed === origin) restoreSnapshot(world, String(kept.state));
  } catch (error) {
    console.error(`entra-emulator: ${file} is not readable and is left aside`, error);
  }
}
