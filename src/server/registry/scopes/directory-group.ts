import type { IdpSkipReason } from '../../../contract/people/groups.ts';
import type { Caller } from '../../access/caller.ts';
import { groupKey } from '../../access/names.ts';
import { asFailure, Failure, type FailureCode, invalidInput } from '../../failure/errors.ts';
import type { Directory, DirectoryGroup } from '../../iam/directory.ts';
import type { Identity } from '../../identity/identity.ts';

/** A group of the directory that stands for a scope. */
export interface EnsuredGroup {
  readonly group: DirectoryGroup;
  /** Whether it was made just now, and not found. */
  readonly created: boolean;
}

/** Why a directory was not told of something that it should have been told. */
export type SkipReason = IdpSkipReason;

/**
 * Finds the group of exactly that name, or by the id that was stored with the scope, or makes it. Several of that name are a
 * `conflict` that lists them.
 */
export async function ensureGroup(
  directory: Directory | undefined,
  { name, description, knownId }: { name: string; description: string; knownId: string | null },
): Promise<EnsuredGroup> {
  if (!directory)
    throw invalidInput([{ at: 'body.create_in_idp', message: 'no directory is set up' }], {
      said: 'No directory is set up, so create_in_idp cannot be: leave it out, or set the provider up (docs/providers).',
    });
  const { groups } = directory;
  const known = knownId === null ? undefined : await groups.find(knownId);
  const found = known ?? (await groups.find(name));
  if (found && (found === known || found.name === name)) return { group: found, created: false };
  if (found?.name.toLowerCase() === name.toLowerCase())
    throw new Failure(
      'conflict',
      `The directory has the group '${found.name}' (${found.id}), which differs from '${name}' only in case. Use that name, or map its id.`,
    );
  const { writeGroups, missing } = await directory.capabilities();
  if (!groups.create || !writeGroups)
    throw new Failure(
      'directory_denied',
      `The gateway is not allowed to create groups in ${directory.provider}${missing.length > 0 ? ` (missing: ${missing.join(', ')})` : ''}. Consent to that, or create the group there and map it.`,
    );
  return { group: await groups.create({ name, description }), created: true };
}

/**
 * Goes on with a group that was ensured; when that fails, a group made just now is removed again. The failure says which:
 * compensated, or what is left to finish.
 */
export async function orUndo<T>(
  directory: Directory | undefined,
  { group, created }: EnsuredGroup,
  caller: Caller<Identity>,
  goOn: () => Promise<T>,
): Promise<T> {
  try {
    return await goOn();
  } catch (error) {
    if (!created) throw error;
    const left = await takenBack(directory, group.id);
    caller.note({ idp_group_id: group.id, idp_compensated: left === undefined });
    const failure = asFailure(error);
    const rest = left
      ? `The group '${group.name}' (${group.id}) was created in the directory. Removing it again failed: ${left.message} Repeat this, which finds it again, or remove it there.`
      : `The group '${group.name}' that was created in the directory for it was removed again; nothing has changed.`;
    throw new Failure(failure.code, `${failure.message} ${rest}`, { cause: error, faults: failure.faults });
  }
}

/** Removes it; answers why it may still be there. */
async function takenBack(directory: Directory | undefined, id: string): Promise<Failure | undefined> {
  if (!directory?.groups.remove)
    return new Failure('directory_refused', 'The directory has no way to do that.');
  return directory.groups.remove(id).then(() => undefined, asFailure);
}

/** Why a failure of the directory does not stop what is done here; any other failure is thrown on. */
const skippable: Partial<Record<FailureCode, SkipReason>> = {
  directory_denied: 'forbidden',
  not_found: 'not_found',
};

/** Does something to a group of the directory; answers why it was not done, or null when it was. */
export async function unlessSkipped(
  directory: Directory | undefined,
  id: string | null,
  work: (groups: Directory['groups'], id: string) => Promise<void> | undefined,
): Promise<SkipReason | null> {
  if (!directory || id === null) return 'local_only';
  try {
    const done = work(directory.groups, id);
    if (!done) return 'forbidden';
    await done;
    return null;
  } catch (error) {
    const reason = skippable[asFailure(error).code];
    if (!reason) throw error;
    return reason;
  }
}

/** The group; undefined also where the gateway may not read groups, and so cannot remove any. */
export async function findUnlessDenied(
  directory: Directory | undefined,
  id: string,
): Promise<DirectoryGroup | undefined> {
  try {
    return await directory?.groups.find(id);
  } catch (error) {
    if (asFailure(error).code === 'directory_denied') return undefined;
    throw error;
  }
}

/** The id of a group that somebody asks to remove with its scope though it was not made with it: of its name, and mapped. */
export async function mappedGroupOf(
  directory: Directory | undefined,
  name: string,
  groupMappings: readonly string[],
): Promise<string | null> {
  const found = await directory?.groups.find(name);
  const mapped = found && groupMappings.some((group) => groupKey(group) === groupKey(found.mapping));
  return mapped && found.name === name ? found.id : null;
}

/** How many groups are asked for at a time, and shown at most. */
const [pageSize, mostGroups] = [500, 5000];

/** The groups of the directory, up to a bound. */
export async function allGroups(
  directory: Directory,
): Promise<{ groups: readonly DirectoryGroup[]; truncated: boolean }> {
  const groups: DirectoryGroup[] = [];
  let from: string | null = null;
  do {
    const page: Awaited<ReturnType<Directory['groups']['list']>> = await directory.groups.list({
      limit: pageSize,
      from,
    });
    groups.push(...page.items);
    from = page.next;
  } while (from !== null && groups.length < mostGroups);
  return { groups, truncated: from !== null };
}
