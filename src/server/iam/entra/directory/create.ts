import type { EntraConfig } from '../../../config/config.ts';
import { appToken } from '../../../provider/entra-token.ts';
import { createGraph } from '../../../provider/graph.ts';
import type { Directory, DirectoryWorld } from '../../directory.ts';
import { graphScope } from '../objects.ts';
import { graphProof } from '../proof.ts';
import { createCapabilities } from './capabilities.ts';
import { entraGroups } from './groups.ts';
import { entraMemberships } from './memberships.ts';
import { entraServiceAccounts } from './service-accounts.ts';
import { entraUsers } from './users.ts';

/** The tenant behind Microsoft Graph, as ENTRA_GRAPH_CLIENT_ID where that is set, else as the gateway itself. */
export function entraDirectory(config: EntraConfig, world: DirectoryWorld): Directory {
  const { loginBaseUrl, tenantId: tenant, graphBaseUrl: baseUrl } = config;
  const issuing = { loginBaseUrl, tenant, ...world };
  const token = appToken(issuing, graphProof(config), graphScope);
  const graph = createGraph({ baseUrl, token, ...world });
  return {
    provider: 'entra',
    capabilities: createCapabilities(token, world.now),
    users: entraUsers({ graph, now: world.now, pause: world.pause }),
    groups: entraGroups({ graph, ...world }),
    memberships: entraMemberships({ graph, pause: world.pause }),
    serviceAccounts: entraServiceAccounts({
      ...{ graph, ...issuing },
      gateway: { clientId: config.clientId, appIdUri: config.applicationIdUri ?? `api://${config.clientId}` },
    }),
  };
}
