import { accessEndpoints } from './access.ts';
import { agentEndpoints } from './agents.ts';
import { auditEndpoints } from './audit.ts';
import { connectionEndpoints } from './connections.ts';
import { favouriteEndpoints } from './favourites.ts';
import { groupEndpoints } from './groups.ts';
import { jobEndpoints } from './jobs.ts';
import { m2mClientEndpoints } from './m2m-clients.ts';
import { oauthEndpoints } from './oauth.ts';
import { scopeEndpoints } from './scopes.ts';
import { searchEndpoints } from './search.ts';
import { serverEgressEndpoints } from './server-egress.ts';
import { serverEndpoints } from './servers.ts';
import { sessionEndpoints } from './sessions.ts';
import { signInEndpoints } from './sign-in.ts';
import { systemEndpoints } from './system.ts';
import { tokenEndpoints } from './tokens.ts';
import { usageEndpoints } from './usage.ts';
import { userEndpoints } from './users.ts';
import { virtualServerEndpoints } from './virtual-servers.ts';
import { wellKnownEndpoints } from './well-known.ts';

/** Every endpoint of the API; order matters where one path pattern contains another. */
export const endpoints = {
  ...systemEndpoints,
  ...signInEndpoints,
  ...sessionEndpoints,
  ...tokenEndpoints,
  ...oauthEndpoints,
  ...favouriteEndpoints,
  ...connectionEndpoints,
  ...accessEndpoints,
  ...groupEndpoints,
  // Before servers: `/api/servers/groups` would be a server's path.
  ...scopeEndpoints,
  // Before servers: both end in a word that could be the end of a path.
  ...serverEgressEndpoints,
  ...serverEndpoints,
  // Before agents: `/api/agents/discover` would be an agent's path.
  ...searchEndpoints,
  ...agentEndpoints,
  ...virtualServerEndpoints,
  ...userEndpoints,
  ...jobEndpoints,
  ...m2mClientEndpoints,
  ...auditEndpoints,
  ...wellKnownEndpoints,
  ...usageEndpoints,
} as const;

/** The id of an endpoint, such as `servers.list`. */
export type EndpointId = keyof typeof endpoints;
