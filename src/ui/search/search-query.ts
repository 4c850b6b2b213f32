import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';

/** What the search of the gateway finds for a text; nothing is asked for an empty one. */
export function searchQuery(q: string, kinds: string, limit: number) {
  const asked = q.trim().slice(0, 500);
  return queryOptions({
    queryKey: ['search', asked, kinds, limit],
    queryFn: ({ signal }) => api('search.find', { query: { q: asked, kinds, limit }, signal }),
    enabled: asked !== '',
    staleTime: 30_000,
    placeholderData: keepPreviousData,
  });
}
