import type { Trail } from '../audit/event.ts';
import type { Config } from '../config/config.ts';
import type { Db } from '../db/tables.ts';
import type { ConnectionsEnded } from '../egress/revoke.ts';
import type { Directory } from '../iam/directory.ts';
import type { Identity } from '../identity/identity.ts';
import type { PersonalTokens } from '../identity/personal-token.ts';
import type { Finder } from '../search/finder.ts';
import { type AccessWorld, accessHandlers } from './access/handlers.ts';
import { accessRequestHandlers } from './access-requests/handlers.ts';
import { agentHandlers } from './agents/handlers.ts';
import { auditEventHandlers } from './audit-events/handlers.ts';
import { type ConnectionsWorld, connectionHandlers } from './connections/handlers.ts';
import { favouriteHandlers } from './favourites/handlers.ts';
import { groupHandlers } from './groups/handlers.ts';
import { type JobEndpointsWorld, jobHandlers } from './jobs/handlers.ts';
import { m2mClientHandlers } from './m2m-clients/handlers.ts';
import { oauthClientHandlers } from './oauth-clients/handlers.ts';
import { scopeHandlers } from './scopes/handlers.ts';
import type { ScopesApiWorld } from './scopes/write.ts';
import { searchHandlers } from './search/handlers.ts';
import { serverFormHandlers } from './servers/forms.ts';
import { type ServersWorld, serverHandlers } from './servers/handlers.ts';
import { sessionHandlers } from './sessions/handlers.ts';
import { tokenHandlers } from './tokens/handlers.ts';
import { usageHandlers } from './usage/handlers.ts';
import { userHandlers } from './users/handlers.ts';
import { type VirtualServersWorld, virtualServerHandlers } from './virtual-servers/handlers.ts';
import { wellKnownHandlers } from './well-known/handlers.ts';

/** What the entities of the registry are built from. */
export interface RegistryWorld {
  readonly config: Config;
  readonly db: Db;
  /** The same, for queries that take long. */
  readonly reads: Db;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly trail: Trail;
  readonly personal: PersonalTokens;
  readonly servers: ServersWorld;
  readonly virtualServers: Omit<VirtualServersWorld, 'grants'>;
  /** Takes back at their services the credentials of a person that are deleted here. */
  readonly connectionsEnded: ConnectionsEnded;
  /** Credentials of people at servers. */
  readonly connections: ConnectionsWorld;
  readonly search: Finder<Identity>;
  readonly version: string;
  readonly scopes: ScopesApiWorld;
  /** What is granted now. */
  readonly grants: AccessWorld['grants'];
  /** Accounts in the directory that are being made, and the directory itself. */
  readonly jobs: JobEndpointsWorld;
}

/** The functions behind the endpoints of every entity. */
export function registryHandlers(world: RegistryWorld) {
  const { db, reads, now, config, trail } = world;
  const { directory } = world.scopes;
  const servers = serverHandlers(world.servers);
  return {
    ...tokenHandlers({ db, now, grants: world.grants, personal: world.personal }),
    ...favouriteHandlers({ db, now, grants: world.grants }),
    ...connectionHandlers(world.connections),
    ...oauthClientHandlers({ db, now, grants: world.grants }),
    ...usageHandlers({ reads, now }),
    ...sessionHandlers({
      ...{ db, now, grants: world.grants, idleSeconds: config.session.idleSeconds },
      connectionsEnded: world.connectionsEnded,
    }),
    ...servers,
    ...serverFormHandlers(world.servers, servers),
    ...scopeHandlers(world.scopes),
    ...groupHandlers(world.scopes),
    ...accessHandlers({
      ...{ db, grants: world.grants, scopes: world.scopes.scopes },
      virtuals: world.virtualServers.table,
    }),
    ...accessRequestHandlers({
      ...{ db, now, grants: world.grants, taken: config.accessRequests },
      ...{ newId: world.servers.newId, rows: world.servers.rows },
    }),
    ...agentHandlers(world.servers),
    ...virtualServerHandlers({ ...world.virtualServers, grants: world.grants }),
    ...userHandlers({ ...world.scopes, connectionsEnded: world.connectionsEnded }),
    ...searchHandlers({
      ...{ db, finder: world.search, publicUrl: config.registryUrl, virtualServers: world.virtualServers },
    }),
    ...wellKnownHandlers({
      ...{ now, publicUrl: config.registryUrl, publicServers: config.search.publicServers },
      ...{ finder: world.search, version: world.version, newId: world.servers.newId },
      enabledServers: () => world.search.enabledServers(),
    }),
    ...jobHandlers(world.jobs),
    ...m2mClientHandlers({ ...world.scopes, providers: withDirectoryFirst(config, directory) }),
    ...auditEventHandlers({ reads, now, trail, retentionDays: config.auditRetentionDays }),
  };
}

/** The provider that people most likely mean first: that whose applications are made here. */
function withDirectoryFirst({ providers }: Config, directory: Directory | undefined): string[] {
  return [...new Set([...(directory ? [directory.provider] : []), ...providers])];
}
