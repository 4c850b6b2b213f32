import { accessEndpoints } from './access.ts';
import { agentEndpoints } from './agents/agents.ts';
import { auditEndpoints } from './audit.ts';
import { oauthEndpoints } from './oauth.ts';
import { accessRequestEndpoints } from './people/access-requests.ts';
import { favouriteEndpoints } from './people/favourites.ts';
import { groupEndpoints } from './people/groups.ts';
import { jobEndpoints } from './people/jobs.ts';
import { m2mClientEndpoints } from './people/m2m-clients.ts';
import { sessionEndpoints } from './people/sessions.ts';
import { signInEndpoints } from './people/sign-in.ts';
import { tokenEndpoints } from './people/tokens.ts';
import { userEndpoints } from './people/users.ts';
import { scopeEndpoints } from './scopes.ts';
import { searchEndpoints } from './search.ts';
import { connectionEndpoints } from './servers/connections.ts';
import { serverEgressEndpoints } from './servers/server-egress.ts';
import { serverFormEndpoints } from './servers/server-forms.ts';
import { serverEndpoints } from './servers/servers.ts';
import { virtualServerEndpoints } from './servers/virtual-servers.ts';
import { wellKnownEndpoints } from './servers/well-known.ts';
import { systemEndpoints } from './system.ts';
import { usageEndpoints } from './usage.ts';

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
  ...accessRequestEndpoints,
  ...groupEndpoints,
  // Before servers: `/api/servers/groups` would be a server's path.
  ...scopeEndpoints,
  // Before servers: both end in a word that could be the end of a path.
  ...serverEgressEndpoints,
  // Before servers: `/api/servers/health` would be a server's path.
  ...serverFormEndpoints,
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
