import type { OpenDatabase } from '../db/open.ts';
import { type Feed, startFeed } from './feed.ts';

/** The changes of a database of a test, delivered at each commit; whoever needs them there waits for `caughtUp`. */
export function followed({ db, hint }: Pick<OpenDatabase, 'db' | 'hint'>): Promise<Feed> {
  return startFeed({ db, hint, pollMs: 0, log: { info() {}, error() {} } });
}
