import type { Diagnosis } from '../../contract/doctor.ts';
import type { Log } from '../log.ts';

const minute = 60_000;
/** A secret that runs out is told of every day. */
const every = 24 * 60 * minute;

/** A doctor that looks at start and every day, and tells the log what is not well. */
export interface Watch {
  /** A diagnosis of the last minute, or a new one. */
  look(): Promise<Diagnosis>;
  close(): void;
}

/** Starts looking; what is found is only told, it never keeps the gateway from serving. */
export function watchProviders(
  run: () => Promise<Diagnosis>,
  { log, now }: { readonly log: Pick<Log, 'warn' | 'info'>; readonly now: () => number },
): Watch {
  let last: { at: number; diagnosis: Promise<Diagnosis> } | undefined;
  const look = (): Promise<Diagnosis> => {
    if (!last || now() - last.at > minute) last = { at: now(), diagnosis: run() };
    return last.diagnosis;
  };
  const tell = async (): Promise<void> => {
    const { findings } = await look();
    for (const { id, level, what, remedy } of findings)
      if (level !== 'ok') log.warn({ check: id, level, remedy }, `Identity provider: ${what}`);
  };
  const timer = setInterval(() => void tell(), every).unref();
  void tell();
  return { look, close: () => clearInterval(timer) };
}
