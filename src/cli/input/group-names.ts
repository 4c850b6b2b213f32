import type { Run } from '../command.ts';
import { misuse } from '../trouble.ts';

/** Group names that an option lists with commas between them; without any it is a misuse, unless none may be. */
export function namesIn(text: string, least: 'one' | 'none' = 'one'): string[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))].filter(Boolean);
  if (names.length === 0 && least === 'one')
    throw misuse('--groups names no group.', 'Run `mcp-gateway group list` to see the groups.');
  return names;
}

/** Says which groups an account could not be put into; the exit code is 1 when there are any: part of the work failed. */
export function warnOfGroups({ output }: Run, failed: readonly { group: string; reason: string }[]): 0 | 1 {
  if (!output.json)
    for (const { group, reason } of failed) output.warn(`not in the group '${group}': ${reason}`);
  return failed.length === 0 ? 0 : 1;
}
