import type { Caller } from '../../access/caller.ts';
import type { ConnectionsEnded } from '../../egress/revoke.ts';
import { Failure } from '../../failure/errors.ts';
import type { Capabilities, Directory } from '../../iam/directory.ts';
import type { Identity } from '../../identity/identity.ts';
import type { ManagedWorld } from '../managed.ts';

/** What accounts are managed with. */
export interface UsersWorld extends ManagedWorld {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The directory behind the provider; undefined where none is set up. */
  readonly directory: Directory | undefined;
  /** Takes back at their services the credentials of a person that are deleted here. */
  readonly connectionsEnded: ConnectionsEnded;
}

/** Who changes accounts. */
export type AccountCaller = Caller<Identity>;

/** The directory, or the refusal that says how to get one. */
export function needDirectory({ directory }: Pick<UsersWorld, 'directory'>): Directory {
  if (directory) return directory;
  throw new Failure(
    'directory_refused',
    'No directory is set up: the provider has none that can be administered, or its settings are missing (docs/providers).',
  );
}

type Ability = Exclude<keyof Capabilities, 'missing'>;

/** Refuses what the gateway has no permission for in the directory, before anything is done there. */
export async function needAbility(directory: Directory, ability: Ability, words: string): Promise<void> {
  const able = await directory.capabilities();
  if (able[ability]) return;
  const missing = able.missing.length > 0 ? ` It lacks: ${able.missing.join(', ')}.` : '';
  throw new Failure(
    'directory_denied',
    `The gateway may not ${words} in ${directory.provider}.${missing} Consent to that, or do it in the provider's own portal.`,
  );
}
