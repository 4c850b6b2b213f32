import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type AuditEventShown, api } from '../api.ts';
import { askedBy } from './audit-asked.ts';
import type { AuditSearch } from './audit-search.ts';

const key = 'audit';

/** The events of a view, page by page. */
export function auditEventsQuery({ open: _, ...search }: AuditSearch) {
  return infiniteQueryOptions({
    queryKey: [key, 'events', search],
    queryFn: ({ pageParam, signal }) =>
      api('audit.list', {
        query: { ...askedBy(search, Date.now()), ...(pageParam ? { cursor: pageParam } : {}) },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  });
}

/** Calls to a server, or changes of it, newest first, a few at a time. A look at its health changes nothing. */
export function auditOfServerQuery(path: string, kind: 'mcp' | 'change') {
  return infiniteQueryOptions({
    queryKey: [key, 'server', path, kind],
    queryFn: async ({ pageParam, signal }) => {
      const page = await api('audit.list', {
        query: { resource: path, kind, limit: 50, ...(pageParam ? { cursor: pageParam } : {}) },
        signal,
      });
      return { ...page, events: page.events.filter((event) => !isHousekeeping(event)) };
    },
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  });
}

/** What is of interest in the whole trail alone: a check of the health, and what the protocol does around calls that work. */
function isHousekeeping({ action, decision }: AuditEventShown): boolean {
  if (action === 'servers.health') return true;
  if (decision !== 'allow') return false;
  return /^\$|^notifications\/|^(?:ping|server\/discover)$/.test(action);
}

/** Counts over the time of a view, of what matches it. */
export function auditSummaryQuery({ open: _, ...search }: AuditSearch) {
  return queryOptions({
    queryKey: [key, 'summary', search],
    queryFn: ({ signal }) => api('audit.summary', { query: askedBy(search, Date.now()), signal }),
  });
}

/** Which values occur how often in a view. */
export function auditFacetsQuery({ open: _, ...search }: AuditSearch) {
  return queryOptions({
    queryKey: [key, 'facets', search],
    queryFn: ({ signal }) => api('audit.facets', { query: askedBy(search, Date.now()), signal }),
  });
}

/** One event in full; it never changes. */
export function auditEventQuery(id: string) {
  return queryOptions({
    queryKey: [key, 'event', id],
    queryFn: ({ signal }) => api('audit.get', { params: { id }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Asks anew for everything of the trail. */
export const auditKey = [key] as const;
