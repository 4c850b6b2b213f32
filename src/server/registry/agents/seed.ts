import type { Db } from '../../db/tables.ts';
import { readDescription } from './description.ts';
import { find, insert } from './store.ts';

/** What seeding works with. */
export interface SeedWorld {
  readonly db: Db;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
}

/** An agent to have in the registry: its path, its card and its tags. */
export interface Seed {
  readonly path: string;
  readonly card: Readonly<Record<string, unknown>>;
  readonly tags: readonly string[];
}

/** Registers an agent, switched on, in the name of `registeredBy`, unless something is registered at its path. */
export async function ensureAgent(
  { db, now, newId }: SeedWorld,
  seed: Seed,
  registeredBy: string,
): Promise<void> {
  const { path, description } = readDescription({ ...seed }, JSON.stringify(seed, null, 2));
  if (await find(db, path)) return;
  const at = new Date(now()).toISOString();
  await insert(db, { id: newId(), path, description, isEnabled: true, registeredBy, at });
}
