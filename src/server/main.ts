import cluster from 'node:cluster';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { type Config, ConfigFault, readConfig, readEnvironment, readerOf } from './config/config.ts';
import { databaseOf } from './config/config-database.ts';
import { type Moved, moveRows } from './db/move.ts';
import { openDatabase } from './db/open.ts';
import { migratePostgres, openPostgres } from './db/postgres/open.ts';
import { fileIn } from './db/sqlite/file.ts';
import type { Log } from './log.ts';
import { trustAlso } from './net/connector.ts';
import { openBase } from './start/base.ts';
import { createEnding, type Ending, startedUnlessAsked, untilAsked } from './start/ending.ts';
import { buildIdentity } from './start/identity.ts';
import { buildInventory } from './start/inventory.ts';
import { buildPlanes } from './start/planes.ts';
import { type Rotated, rotateStored } from './start/rotate.ts';
import { buildSearch } from './start/search.ts';
import { serve } from './start/serve.ts';
import { runWorkers, workersOf } from './start/workers.ts';

/**
 * Keeps the space for young objects at the size it has: a call's objects die within milliseconds, so a larger space only
 * makes each collection longer (measured: 20 to 70 ms at 64 MiB) and the process larger. Call it before the load comes.
 */
export function keepYoungSpaceSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

import packageJson from '../../package.json' with { type: 'json' };

export { backupDatabase, restoreDatabase } from './start/backup.ts';

/** How `mcp-gateway start` is called; what is given goes before the environment. */
export interface StartOptions {
  readonly evaluation?: boolean | undefined;
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly dataDir?: string | undefined;
}

/** A gateway that runs. */
export interface RunningGateway {
  readonly url: string;
  /** Tells load balancers that it is ending, and serves on until they have heard it. */
  leave(): Promise<void>;
  /** Refuses new calls, lets those in flight finish, writes what is held, closes everything. Never rejects. */
  stop(): Promise<void>;
  /** Logs an error that escaped from where it happened. */
  failed(error: unknown): void;
}

/** How long a start that was asked to end may take to become what can be stopped in order, in milliseconds. */
const startGraceMs = 10_000;

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/** Runs until SIGINT, SIGTERM or SIGHUP; resolves to the exit code, which is 1 after an error that nothing caught. Throws a ConfigFault when the settings cannot be used. */
export async function startServer(options: StartOptions = {}): Promise<number> {
  keepYoungSpaceSmall();
  const directory = process.cwd();
  const environment = {
    ...readEnvironment(directory),
    ...(options.evaluation ? { EVALUATION: 'true' } : {}),
    ...(options.port === undefined ? {} : { PORT: String(options.port) }),
    ...(options.host === undefined ? {} : { HOST: options.host }),
    ...(options.dataDir === undefined ? {} : { DATA_DIR: options.dataDir }),
  };
  const config = readConfig(environment, directory);
  const print = (text: string): void => void process.stdout.write(text);
  const exit = (code: number): never => process.exit(code);
  const { count, because } = workersOf(config);
  if (because) print(`One worker: ${because}.\n`);
  if (count > 1 && cluster.isPrimary) {
    // Once, before the workers, so that none of them waits for another.
    await migrateDatabase();
    const asked = untilAsked(process, { exit, told: (error) => print(`${String(error)}\n`) });
    return runWorkers(count, { print, asked, metricsPort: config.metrics.port });
  }
  // Before anything is opened: who sees the line that it serves may end it at once.
  let gateway: RunningGateway | undefined;
  const asked = untilAsked(process, {
    exit: cluster.isWorker ? undefined : exit,
    told: (error) => (gateway ? gateway.failed(error) : print(`${textOf(error)}\n`)),
  });
  gateway = await startedUnlessAsked(start(config, print), asked, startGraceMs);
  const reason = await asked;
  if (!gateway) return exit('signal' in reason ? 0 : 1);
  const why = 'signal' in reason ? reason.signal : 'an error that nothing caught';
  // Who stops it at a terminal, or by a fault, waits for nothing.
  if (why === 'SIGTERM') await gateway.leave();
  process.stdout.write(`\n${why}: finishing what is in flight ...\n`);
  await gateway.stop();
  // The channel to the first process would keep a worker alive.
  cluster.worker?.disconnect();
  return 'signal' in reason ? 0 : 1;
}

/**
 * Wraps the data keys anew and seals with the present one whatever in the database is sealed with another; with
 * `newDataKey` that is a new one. Throws a ConfigFault when the settings cannot be used.
 */
export async function rotateSecrets(
  options: { dataDir?: string | undefined; newDataKey?: boolean | undefined } = {},
): Promise<Rotated> {
  const directory = process.cwd();
  const environment = {
    ...readEnvironment(directory),
    ...(options.dataDir === undefined ? {} : { DATA_DIR: options.dataDir }),
  };
  const config = readConfig(environment, directory);
  trustAlso(config.extraCa);
  if (!config.secretKey)
    throw new ConfigFault([
      'SECRET_KEY: is missing; give the secret of the gateway, and the one before in SECRET_KEY_PREVIOUS where it was changed',
    ]);
  const { db, close } = await (config.database
    ? openPostgres(config.database)
    : openDatabase(config.dataDir));
  try {
    return await rotateStored(
      { db, config, print: (text) => void process.stderr.write(`${text}\n`) },
      options,
    );
  } finally {
    await close();
  }
}

/** Brings the database of the settings to the newest version; returns the names of the steps taken. */
export async function migrateDatabase(): Promise<readonly string[]> {
  const directory = process.cwd();
  const { dataDir, database } = readConfig(readEnvironment(directory), directory);
  if (database) return migratePostgres(database);
  const { migrated, close } = await openDatabase(dataDir);
  await close();
  return migrated;
}

/**
 * Carries everything of the embedded database in a data directory into an empty database on PostgreSQL; returns how many
 * rows of each table. No gateway may have the directory open. The password of the URL may be in DATABASE_PASSWORD_FILE.
 */
export async function moveDatabase(options: { from: string; to: string }): Promise<Moved> {
  const directory = process.cwd();
  const faults: string[] = [];
  const environment = { ...readEnvironment(directory), DATABASE_URL: options.to };
  const target = databaseOf(readerOf(environment, faults), directory, faults);
  if (!target || faults.length > 0) throw new ConfigFault(faults);
  if (!existsSync(fileIn(options.from)))
    throw new ConfigFault([
      `--from: there is no embedded database in ${options.from}; name its data directory`,
    ]);
  const source = await openDatabase(options.from);
  try {
    const { db, close } = await openPostgres(target);
    try {
      return await moveRows(source.db, db);
    } finally {
      await close();
    }
  } finally {
    await source.close();
  }
}

/** Builds the world and listens; resolves once requests are served. */
export async function start(config: Config, print: (text: string) => void): Promise<RunningGateway> {
  let log: Log | undefined;
  const failed = (error: unknown): void => {
    if (log) log.error({ err: error }, 'an error was caught by nothing else');
    else print(`${textOf(error)}\n`);
  };
  const ending = createEnding(failed);
  try {
    const leaving = { asked: false };
    const url = await build({ given: config, leaving }, print, ending, (made) => {
      log = made;
    });
    const leave = async (): Promise<void> => {
      leaving.asked = true;
      await delay(config.shutdownDelaySeconds * 1000);
    };
    return { url, failed, leave, stop: ending.end };
  } catch (error) {
    await ending.end();
    throw error;
  }
}

/** The world in the order in which one part needs the other; returns the public URL. */
async function build(
  { given, leaving }: { given: Config; leaving: { readonly asked: boolean } },
  print: (text: string) => void,
  ending: Ending,
  logs: (log: Log) => void,
): Promise<string> {
  const { version } = packageJson;
  trustAlso(given.extraCa);
  const base = await openBase(given, version, print, ending);
  const { config, feed, log, evaluation } = base;
  logs(log);
  const identity = await buildIdentity(base, ending);
  const inventory = await buildInventory(base, version, ending);
  const search = buildSearch(base, inventory.scopes.grants, ending);
  const isLeaving = () => leaving.asked;
  const planes = buildPlanes({ base, identity, inventory, search, version, isLeaving }, ending);
  await serve({ ...planes, isLeaving }, inventory, config, ending);
  if (evaluation) {
    await evaluation.startSamples({ ...inventory.servers, log }, ending);
    await feed.caughtUp();
    print(evaluation.banner(config));
  } else log.info({ url: config.registryUrl, host: config.host, port: config.port }, 'the gateway serves');
  const { intervalSeconds } = config.health;
  if (intervalSeconds > 0) inventory.watch.start(Math.min(intervalSeconds * 1000, 500));
  return config.registryUrl;
}
