import { queryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';

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
