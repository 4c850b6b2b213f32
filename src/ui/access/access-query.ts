import { queryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';
import { t } from '../words/words.ts';

/** The first part of the key of everything asked about scopes. */
export const scopesKey = 'scopes';

/** Scopes and groups of the directory as the list has them. */
export type ScopeList = Awaited<ReturnType<typeof api<'scopes.list'>>>;

/** One scope in full. */
export type ScopeInFull = Awaited<ReturnType<typeof api<'scopes.get'>>>;

/** Every scope, and the groups of the directory with what they give. */
export const scopesQuery = queryOptions({
  queryKey: [scopesKey, 'list'],
  queryFn: ({ signal }) => api('scopes.list', { signal }),
});

/** What the directory calls groups, by their mapping in small letters. */
export function groupNames(list: ScopeList | undefined): ReadonlyMap<string, string> {
  return new Map(list?.keycloak_groups.map(({ mapping, name }) => [mapping.toLowerCase(), name]));
}

/** One scope in full, by its name. */
export function scopeQuery(name: string) {
  return queryOptions({
    queryKey: [scopesKey, 'one', name],
    queryFn: ({ signal }) => api('scopes.get', { params: { name }, signal }),
  });
}

const objectId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * What is wrong with a group that a scope is to be assigned to, as far as the directory's list can say: without a directory,
 * or with one that lists only a part of its groups, anything can be right.
 */
export function unknownGroup(
  list: ScopeList | undefined,
): ((group: string) => string | undefined) | undefined {
  if (!list || list.directory === null || list.truncated) return undefined;
  const known = new Set(list.keycloak_groups.map(({ mapping }) => mapping.toLowerCase()));
  return (group) => {
    if (known.has(group.toLowerCase())) return undefined;
    return objectId.test(group)
      ? t('The directory has no group with the Object ID {group}.', { group })
      : t("The directory has no group called '{group}'. Choose one from the list.", { group });
  };
}
