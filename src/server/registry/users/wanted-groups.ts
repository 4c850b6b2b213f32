import { asFailure, Failure, type Fault, invalidInput } from '../../failure/errors.ts';
import type { Directory, DirectoryGroup } from '../../iam/directory.ts';

/** A group that was asked for, and what it is. */
export interface WantedGroup {
  /** As it was asked for. */
  readonly asked: string;
  readonly group: DirectoryGroup;
}

/** A group that could not be assigned. */
export interface FailedGroup {
  readonly group: string;
  readonly reason: string;
}

/**
 * The groups of those names or ids, each once, before anything is changed. `invalid_input` says of every one that cannot be
 * taken why; several of one name are told with their ids.
 */
export async function wantedGroups(
  { groups }: Directory,
  names: readonly string[],
): Promise<readonly WantedGroup[]> {
  const wanted = new Map<string, WantedGroup>();
  const faults: Fault[] = [];
  for (const [index, asked] of names.entries()) {
    const fault = (message: string) => void faults.push({ at: `body.groups.${index}`, message });
    const found = await groups.find(asked).catch((error: unknown) => {
      const failure = asFailure(error);
      if (failure.code !== 'conflict') throw error;
      return failure;
    });
    if (found instanceof Failure) fault(found.message);
    else if (!found)
      fault(`the directory has no group '${asked}'; create it there first, or name a group that exists`);
    else if (!found.editable)
      fault(`the members of '${found.name}' are computed or come from elsewhere, so none can be added here`);
    else if (!wanted.has(found.id)) wanted.set(found.id, { asked, group: found });
  }
  if (faults.length === 0) return [...wanted.values()];
  const list = faults.map(({ message }) => message).join('; ');
  throw invalidInput(faults, { said: `Nothing was changed: ${list}.` });
}

/** What became of groups that a member was to be put into, or taken out of. */
export interface Assigned {
  readonly done: readonly WantedGroup[];
  readonly failed: readonly FailedGroup[];
  /** The failure of the last that failed. */
  readonly failure: Failure | undefined;
}

/** Does the same with each group, one after the other, whatever becomes of those before. */
export async function withEach(
  wanted: readonly WantedGroup[],
  work: (group: DirectoryGroup) => Promise<unknown>,
): Promise<Assigned> {
  const done: WantedGroup[] = [];
  const failed: FailedGroup[] = [];
  let failure: Failure | undefined;
  for (const one of wanted)
    try {
      await work(one.group);
      done.push(one);
    } catch (error) {
      failure = asFailure(error);
      failed.push({ group: one.asked, reason: failure.message });
    }
  return { done, failed, failure };
}
