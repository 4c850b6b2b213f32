import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Trail } from '../audit/event.ts';
import { ifLeased } from '../db/lease.ts';
import { directoryOf } from '../iam/index.ts';
import { createJobEngine, type JobEngine } from '../registry/jobs/engine.ts';
import type { JobEndpointsWorld } from '../registry/jobs/handlers.ts';
import { removeRetired } from '../registry/jobs/rotate.ts';
import { tidyJobs } from '../registry/jobs/store.ts';
import type { JobsWorld } from '../registry/jobs/world.ts';
import type { ManagedWorld } from '../registry/managed.ts';
import type { Base } from './base.ts';
import type { Ending } from './ending.ts';
import type { IdentityParts } from './identity.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

/** The directory behind the provider, and the jobs in it: those that an earlier process left go on. */
export function startAccounts(
  base: Base,
  { toProvider }: IdentityParts,
  trail: Trail,
  administrators: Omit<ManagedWorld, 'db'>,
  ending: Ending,
): JobEndpointsWorld {
  const { config, db, keys, now, log } = base;
  const pause = (milliseconds: number): Promise<void> => delay(milliseconds, undefined, { ref: false });
  const directory = directoryOf(config, { fetch: toProvider, now, pause, newId: randomUUID });
  const world: JobsWorld = {
    ...{ db, now, directory, newId: randomUUID, pause, trail, log },
    key: keys.of('job-secret'),
    mostSecretDays: config.iam.secretMaxDays,
  };
  const engine = createJobEngine(world);
  ending.defer(() => engine.close());
  ending.defer(tidy(world, engine));
  return { ...world, ...administrators, engine };
}

/** Every minute: jobs that another process left, secrets that nobody fetched, old jobs, and secrets whose overlap is over; returns how to stop. */
function tidy(world: JobsWorld, engine: JobEngine): () => void {
  const ago = (milliseconds: number): string => new Date(world.now() - milliseconds).toISOString();
  const run = (): void => {
    engine
      .resume()
      .then(() => tidyJobs(world.db, ago(day), ago(30 * day)))
      .then(() => ifLeased(world.db, 'retired secrets', () => removeRetired(world)))
      .catch((error: unknown) =>
        world.log.error({ err: error }, 'jobs cannot continue, or old jobs and secrets cannot be removed'),
      );
  };
  run();
  const timer = setInterval(run, minute).unref();
  return () => clearInterval(timer);
}
