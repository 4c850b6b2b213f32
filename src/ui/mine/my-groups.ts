import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, type Me } from '../api.ts';

const myGroupsQuery = queryOptions({
  queryKey: ['my-groups'],
  queryFn: ({ signal }) => api('groups.mine', { signal }),
  staleTime: 600_000,
});

/** The caller's groups by what the directory calls them, with their ids; by their ids where it does not say. */
export function useMyGroups(
  me: Me,
  wanted = true,
): readonly { readonly id: string; readonly name: string }[] {
  const { data } = useQuery({ ...myGroupsQuery, enabled: wanted && me.groups.length > 0 });
  const names = new Map(data?.groups.map(({ id, name }) => [id, name]));
  return me.groups
    .map((id) => ({ id, name: names.get(id) ?? id }))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}
