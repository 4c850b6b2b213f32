import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { normalizePath } from '../servers/servers.ts';

/** Something that a person keeps at hand. */
const favourite = z.object({
  kind: z.enum(['server', 'agent']),
  /** Its path in the registry, with the leading slash. */
  path: z.string(),
});

/** How many a person may have. */
export const mostFavourites = 500;

const params = z.object({
  kind: favourite.shape.kind,
  path: z.string().min(1).max(400).transform(normalizePath),
});

/** The endpoints of favourites; each person has their own, and naming one says nothing about whether it exists. */
export const favouriteEndpoints = {
  'favourites.list': {
    method: 'GET',
    path: '/api/favourites',
    permission: 'identity',
    summary: "The caller's favourite servers and agents, newest first",
    output: z.object({ favourites: z.array(favourite) }),
  },
  'favourites.add': {
    method: 'PUT',
    path: '/api/favourites/{kind}/{path}',
    permission: 'identity',
    summary: `Keep a server or an agent as a favourite, ${mostFavourites} at most; adding one twice changes nothing`,
    params,
    output: z.undefined(),
    status: 204,
  },
  'favourites.remove': {
    method: 'DELETE',
    path: '/api/favourites/{kind}/{path}',
    permission: 'identity',
    summary: 'Remove a favourite; removing one that is not there changes nothing',
    params,
    output: z.undefined(),
    status: 204,
  },
} as const satisfies Endpoints;
