import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../api.ts';
import { saidBy } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { t } from '../words/words.ts';

/** The caller's favourites. */
const favouritesQuery = queryOptions({
  queryKey: ['favourites'],
  queryFn: ({ signal }) => api('favourites.list', { signal }),
  staleTime: 300_000,
});

interface Change {
  readonly path: string;
  readonly name: string;
  readonly add: boolean;
}

/** The paths of favourite servers, newest first, and a way to add and remove one; shown before it is confirmed. */
export function useFavourites() {
  const queries = useQueryClient();
  const { data } = useQuery(favouritesQuery);
  const change = useMutation({
    mutationFn: ({ path, add }: Change) =>
      api(add ? 'favourites.add' : 'favourites.remove', { params: { kind: 'server', path } }),
    onMutate: ({ path, add }) => {
      queries.setQueryData(favouritesQuery.queryKey, (list) => {
        const others = (list?.favourites ?? []).filter((one) => one.kind !== 'server' || one.path !== path);
        return { favourites: add ? [{ kind: 'server' as const, path }, ...others] : others };
      });
    },
    onSuccess: (_, { path, add, name }) => {
      if (add) return;
      announce('done', t('{name} is no favourite any more.', { name }), {
        words: t('Undo'),
        about: `favourite ${path}`,
        run: () => change.mutate({ path, name, add: true }),
      });
    },
    onError: (error) => {
      announce('failed', t('The favourite could not be saved. {why}', { why: saidBy(error).detail }));
      void queries.invalidateQueries({ queryKey: favouritesQuery.queryKey });
    },
  });
  const paths = (data?.favourites ?? []).filter(({ kind }) => kind === 'server').map(({ path }) => path);
  return { paths, change: change.mutate };
}

const stored = 'mcp-gateway-recent';
const most = 8;

/** The paths of the servers last opened on this device, newest first. */
export function recentServers(): string[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(stored) ?? '[]');
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string').slice(0, most) : [];
  } catch {
    return [];
  }
}

/** Keeps on this device that a server was opened. */
export function rememberServer(path: string): void {
  try {
    const others = recentServers().filter((one) => one !== path);
    localStorage.setItem(stored, JSON.stringify([path, ...others].slice(0, most)));
  } catch {
    // Storage is switched off: nothing is remembered.
  }
}
