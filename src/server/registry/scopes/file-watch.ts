import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Logger } from './logger.ts';

/** Runs something once, later; answers how to call it off. */
export type After = (milliseconds: number, run: () => void) => () => void;

/** A timer that does not keep the process alive. */
export const afterUnref: After = (milliseconds, run) => {
  const timer = setTimeout(run, milliseconds).unref();
  return () => clearTimeout(timer);
};

/** A file being watched. */
export interface FileWatch {
  close(): void;
}

/** How often the file is looked at when nothing says that it changed. */
const pollMs = 5_000;
/** A change counts once the file looks the same for this long: a file half written may be valid, and grant something else. */
const settleMs = 100;

/**
 * Calls `changed` after each change of a file, its appearance and its disappearance; when that fails, again at the next
 * look. Watches the directory, since editors replace files and Kubernetes swaps a symlink beside them, and looks at the
 * file every 5 s, since some file systems report nothing.
 */
export function watchFile(options: {
  readonly file: string;
  /** The file's fingerprint before it was last read: a change since then counts. */
  readonly since: string;
  readonly changed: () => Promise<unknown>;
  readonly log: Logger;
  readonly after: After;
}): FileWatch {
  const { file, changed, log, after } = options;
  let told = options.since;
  let seen = told;
  let soon = false;
  let closed = false;
  let cancel = (): void => {};

  const plan = (milliseconds: number): void => {
    cancel();
    if (!closed) cancel = after(milliseconds, () => void look());
  };
  const lookSoon = (): void => {
    // A plan is not put off by further events, or a busy directory would put it off for ever.
    if (soon) return;
    soon = true;
    plan(settleMs);
  };
  const look = async (): Promise<void> => {
    soon = false;
    const found = await fingerprint(file);
    if (closed) return;
    if (found !== told && found === seen) {
      told = found;
      await changed().catch((error: unknown) => {
        told = 'not told';
        log.error({ err: error, file }, 'the changed scope file could not be taken over; trying again');
      });
    } else if (found !== told) lookSoon();
    seen = found;
    if (!soon) plan(pollMs);
  };

  // A database in the same directory is written to all the time. Kubernetes swaps the link `..data` beside the file.
  const noticed = (_: string, name: string | null): void => {
    if (name === null || name === basename(file) || name.startsWith('..')) lookSoon();
  };
  const watcher = watchDirectory(dirname(file), noticed, log);
  plan(pollMs);
  return {
    close() {
      closed = true;
      cancel();
      watcher?.close();
    },
  };
}

function watchDirectory(
  directory: string,
  event: (kind: string, name: string | null) => void,
  log: Logger,
): FSWatcher | undefined {
  const failed = (error: unknown): void =>
    log.warn({ err: error, directory }, 'changes in this directory are noticed by polling only');
  try {
    return watch(directory, { persistent: false }, event).on('error', failed);
  } catch (error) {
    failed(error);
    return undefined;
  }
}

/** A text that differs whenever the file does: replaced, written to, or gone. */
export async function fingerprint(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return `unreadable: ${(error as NodeJS.ErrnoException).code}`;
  }
}
