import { accessEndpoints } from './access.ts';
import { agentEndpoints } from './agents.ts';
import { groupEndpoints } from './groups.ts';
import { scopeEndpoints } from './scopes.ts';
import { serverEndpoints } from './servers.ts';
import { sessionEndpoints } from './sessions.ts';
import { signInEndpoints } from './sign-in.ts';
import { systemEndpoints } from './system.ts';
import { tokenEndpoints } from './tokens.ts';

/** Every endpoint of the API; order matters where one path pattern contains another. */
export const endpoints = {
  ...systemEndpoints,
  ...signInEndpoints,
  ...sessionEndpoints,
  ...tokenEndpoints,
  ...accessEndpoints,
  ...groupEndpoints,
  // Before servers: `/api/servers/groups` would be a server's path.
  ...scopeEndpoints,
  ...serverEndpoints,
  ...agentEndpoints,
} as const;

/** The id of an endpoint, such as `servers.list`. */
export type EndpointId = keyof typeof endpoints;
