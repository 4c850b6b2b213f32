import { queryOptions } from '@tanstack/react-query';
import { api } from '../api.ts';

/** A request for access as the list has it. */
export type AccessRequest = Awaited<ReturnType<typeof api<'accessRequests.list'>>>['requests'][number];

/** The first part of the key of every list of requests. */
export const requestsKey = 'access-requests';

/** Requests of the caller, or those of others that the caller may decide or has a say in. */
export function requestsQuery(
  of: 'mine' | 'decide',
  narrow: { readonly status?: AccessRequest['status']; readonly path?: string } = {},
) {
  return queryOptions({
    queryKey: [requestsKey, of, narrow.status ?? '', narrow.path ?? ''],
    queryFn: ({ signal }) => api('accessRequests.list', { query: { of, ...narrow, limit: 500 }, signal }),
    refetchInterval: 30_000,
  });
}

/** Whether requests are taken here, and the servers that may be asked for where the operator has them listed. */
export function requestableQuery(query = '') {
  return queryOptions({
    queryKey: [requestsKey, 'catalog', query],
    queryFn: ({ signal }) =>
      api('accessRequests.catalog', { query: { limit: 200, ...(query ? { query } : {}) }, signal }),
    staleTime: 30_000,
  });
}
