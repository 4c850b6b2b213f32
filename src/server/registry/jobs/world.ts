import type { Trail } from '../../audit/event.ts';
import type { Db } from '../../db/tables.ts';
import type { Directory } from '../../iam/directory.ts';
import type { SealingKeys } from '../../identity/keys.ts';

/** What jobs work with. */
export interface JobsWorld {
  readonly db: Db;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly directory: Directory | undefined;
  /** Encrypts secrets until they are handed out. */
  readonly key: Buffer | SealingKeys;
  readonly newId: () => string;
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly trail: Pick<Trail, 'record'>;
  readonly log: { error(facts: object, message: string): void };
  /** Days that a secret is valid at most. */
  readonly mostSecretDays: number;
}
