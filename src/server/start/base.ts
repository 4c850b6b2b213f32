import { randomUUID } from 'node:crypto';
import { purgeEveryHour } from '../audit/purge.ts';
import { watchRoom } from '../audit/room.ts';
import { sinksOf } from '../audit/sinks/index.ts';
import type { OtlpWorld } from '../audit/sinks/otlp.ts';
import type { S3World } from '../audit/sinks/s3.ts';
import type { SyslogWorld } from '../audit/sinks/syslog.ts';
import { createTrail } from '../audit/trail.ts';
import { startFeed } from '../changes/feed.ts';
import type { Config } from '../config/config.ts';
import { createAllow } from '../db/allowance.ts';
import { createDatabaseClock } from '../db/clock.ts';
import { lastUsesOf } from '../db/last-uses.ts';
import { openDatabase } from '../db/open.ts';
import { openPostgres } from '../db/postgres/open.ts';
import type { Db } from '../db/tables.ts';
import { tidyDatabase } from '../db/tidy.ts';
import { dropUnusedRefreshTokens } from '../identity/people.ts';
import { createLog, type Log } from '../log.ts';
import { openMessagesOut } from '../net/messages-out.ts';
import { outbound } from '../net/outbound.ts';
import type { Ending } from './ending.ts';
import { followKeys, openKeys } from './keys.ts';
import { announceProcess } from './overview.ts';

/** The ground everything stands on: database, log, trail and clock; in evaluation mode also the emulator. */
export type Base = Awaited<ReturnType<typeof openBase>>;

/** Opens the database, starts the emulator where there is one, and begins the log and the audit trail. */
export async function openBase(
  given: Config,
  version: string,
  print: (text: string) => void,
  ending: Ending,
) {
  const { db, reads, migrated, hint, history, close } = await (given.database
    ? openPostgres(given.database)
    : openDatabase(given.dataDir));
  ending.defer(close);
  const evaluation = given.mode === 'evaluation' ? await import('./evaluation.ts') : undefined;
  const prepared = await evaluation?.prepareEvaluation(given);
  if (prepared) ending.defer(() => prepared.emulator.close());
  const config = prepared?.config ?? given;
  const log = createLog(config.log, print);
  for (const warning of config.warnings) log.warn({}, warning);
  if (migrated.length > 0) log.info({ migrations: migrated }, 'the database was brought up to date');
  const feed = await startFeed({ db, hint, log, ...(history ? { history } : {}) });
  ending.defer(() => feed.close());
  const { keys, close: closeKeys } = await openKeys({ db, config, log, now: Date.now });
  ending.defer(closeKeys);
  ending.defer(followKeys(keys, (changed) => feed.follow(['data_key'], changed), log));
  const otlp = otlpOf(config, version, log, ending);
  // Sessions, tokens and what ends them go by one clock in all processes: that of the database.
  const clock = createDatabaseClock();
  const { now } = clock;
  const room = watchRoom({
    ...{ db, now, log, ...config.auditRoom },
    directory: given.database ? undefined : given.dataDir,
  });
  ending.defer(() => room.close());
  const trail = createTrail({
    sinks: sinksOf(
      given.database ? { postgres: db } : { directory: given.dataDir },
      otlp,
      syslogOf(config),
      s3Of(config, now, ending),
    ),
    log,
    isTight: () => room.current().alarm !== null,
  });
  ending.defer(() => trail.close());
  ending.defer(tidyEveryHour(db, now, log));
  ending.defer(
    lastUsesOf(db).start((error) =>
      log.warn(
        { err: error },
        'when things were last used cannot be written now and is kept for the next minute',
      ),
    ),
  );
  ending.defer(
    await announceProcess({ db, log, clock }, { version, startedAt: new Date(now()).toISOString() }),
  );
  ending.defer(purgeEveryHour({ db, now, days: config.auditRetentionDays, log }));
  // One process counts in memory; several have to count together.
  const allow = createAllow(now, given.database ? db : undefined);
  return { db, reads, feed, keys, config, log, trail, trailRoom: room.current, now, allow, evaluation };
}

/** The way to the collector; the operator names it, so it may be anywhere. */
function otlpOf({ otlp, proxy }: Config, version: string, log: Log, ending: Ending): OtlpWorld | undefined {
  if (!otlp) return undefined;
  const fetch = outbound({ proxy, policy: { allowPrivate: true }, totalMs: 5_000, maxBytes: 64 << 10 });
  ending.defer(() => fetch.close());
  return { ...otlp, version, fetch, log };
}

/** The way to the storage, of which the same holds. */
function s3Of({ s3, proxy }: Config, now: () => number, ending: Ending): S3World | undefined {
  if (!s3) return undefined;
  const fetch = outbound({ proxy, policy: { allowPrivate: true }, totalMs: 30_000, maxBytes: 64 << 10 });
  ending.defer(() => fetch.close());
  return { ...s3, fetch, now, newId: randomUUID };
}

function syslogOf({ syslog }: Config): SyslogWorld | undefined {
  return syslog ? { protocol: syslog.protocol, out: openMessagesOut(syslog) } : undefined;
}

/** Deletes what is of no use any more, now and every hour; returns how to stop. */
function tidyEveryHour(db: Db, now: () => number, log: Log): () => void {
  const run = (): void => {
    const tidied = tidyDatabase(db, now());
    const dropped = () => dropUnusedRefreshTokens(db, new Date(now()).toISOString());
    tidied
      .then(dropped)
      .catch((error: unknown) =>
        log.warn({ err: error }, 'rows that are of no use any more cannot be deleted'),
      );
  };
  run();
  const timer = setInterval(run, 3_600_000).unref();
  return () => clearInterval(timer);
}
