import { groupKey } from '../../access/names.ts';
import type { Directory, DirectoryGroup } from '../../iam/directory.ts';
import { allGroups } from './directory-group.ts';
import type { StoredScope, StoredScopes } from './store.ts';

/** Groups of the directory with the scopes that they hold. */
export interface SeenGroups {
  readonly groups: readonly { readonly group: DirectoryGroup; readonly scopes: readonly string[] }[];
  readonly truncated: boolean;
}

/** The groups of the directory, each with the names of its scopes. */
export async function lookAtGroups(directory: Directory, stored: StoredScopes): Promise<SeenGroups> {
  const { groups, truncated } = await allGroups(directory);
  const byGroup = new Map<string, string[]>();
  for (const { scope } of stored.values())
    for (const group of new Set(scope.groupMappings.map(groupKey)))
      byGroup.set(group, [...(byGroup.get(group) ?? []), scope.name]);
  return {
    groups: groups.map((group) => ({ group, scopes: byGroup.get(groupKey(group.mapping)) ?? [] })),
    truncated,
  };
}

/** The answer of the list of groups and scopes. */
export function listAnswer(
  stored: StoredScopes,
  seen: SeenGroups | undefined,
  provider: string | null,
  fault: string | null = null,
) {
  const held = new Set(seen?.groups.flatMap(({ scopes }) => scopes));
  const names = [...stored.keys()];
  return {
    keycloak_groups: (seen?.groups ?? []).map(({ group, scopes }) => ({ ...group, scopes: [...scopes] })),
    scopes_groups: Object.fromEntries(names.map((name) => [name, summaryOf(stored.get(name))])),
    synchronized: seen ? names.filter((name) => held.has(name)) : [],
    keycloak_only: (seen?.groups ?? [])
      .filter(({ scopes }) => scopes.length === 0)
      .map(({ group }) => group.name),
    scopes_only: seen ? names.filter((name) => !held.has(name)) : [],
    directory: seen ? provider : null,
    directory_fault: fault,
    truncated: seen?.truncated ?? false,
  };
}

function summaryOf(found: StoredScope | undefined) {
  return {
    description: found?.scope.description ?? '',
    source: found?.source ?? 'api',
    editable: found?.source === 'api',
    is_idp_managed: (found?.idpGroupId ?? null) !== null,
    group_mappings: [...(found?.scope.groupMappings ?? [])],
    servers: [...new Set(found?.scope.serverRules.map(({ server }) => server))],
  };
}
