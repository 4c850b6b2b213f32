import type { Diagnosis, EndingCredential } from '../../contract/diagnosis/doctor.ts';
import type { Log } from '../log.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

/** A doctor that looks at start and every day, and tells the log what is not well. */
export interface Watch {
  /** A diagnosis that is at most `maxAge` milliseconds old (a minute unless given), or a new one. */
  look(maxAge?: number): Promise<Diagnosis>;
  /** How many days each of the gateway's own credentials has left, as last seen; below zero when it has ended. */
  daysLeft(): ReadonlyMap<EndingCredential['kind'], number>;
  close(): void;
}

/** What a watch needs. */
export interface WatchWorld {
  readonly log: Pick<Log, 'warn' | 'info'>;
  readonly now: () => number;
  /** Whether it is this process, of several on one database, that looks today. */
  isOurTurn(): Promise<boolean>;
}

/** Starts looking, at the start in each process and then one of them each day; what is found is only told, it never keeps the gateway from serving. */
export function watchProviders(run: () => Promise<Diagnosis>, { log, now, isOurTurn }: WatchWorld): Watch {
  let last: { at: number; diagnosis: Promise<Diagnosis> } | undefined;
  let pending: Promise<Diagnosis> | undefined;
  // Stays when a later look cannot see it: a credential ends also while Microsoft Graph is away.
  const ends = new Map<EndingCredential['kind'], number>();
  const examine = async (): Promise<Diagnosis> => {
    const diagnosis = await run();
    for (const { kind, expires_at } of diagnosis.credentials) ends.set(kind, Date.parse(expires_at));
    return diagnosis;
  };
  const look = (maxAge = minute): Promise<Diagnosis> => {
    if (pending) return pending;
    if (last && now() - last.at <= maxAge && maxAge > 0) return last.diagnosis;
    const diagnosis = examine().finally(() => {
      pending = undefined;
    });
    pending = diagnosis;
    last = { at: now(), diagnosis };
    diagnosis.catch(() => {
      last = undefined;
    });
    return diagnosis;
  };
  let isClosed = false;
  const tell = async (): Promise<void> => {
    try {
      const { findings } = await look();
      // What was under way when the gateway ended says nothing about the provider.
      if (isClosed) return;
      for (const { id, level, what, remedy } of findings)
        if (level !== 'ok') log.warn({ check: id, level, remedy }, `Doctor: ${what}`);
    } catch (error) {
      if (isClosed) return;
      log.warn({ err: error }, 'the identity provider could not be examined; it is tried again tomorrow');
    }
  };
  const tellInTurn = async (): Promise<void> => {
    // Who cannot tell looks: twice is better than not at all.
    if (await isOurTurn().catch(() => true)) await tell();
  };
  const timer = setInterval(() => void tellInTurn(), day).unref();
  void tell();
  return {
    look,
    daysLeft: () => new Map([...ends].map(([kind, at]) => [kind, (at - now()) / day])),
    close() {
      isClosed = true;
      clearInterval(timer);
    },
  };
}
