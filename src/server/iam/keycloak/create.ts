import { ConfigFault, type OidcConfig } from '../../config.ts';
import type { Directory, DirectoryWorld } from '../directory.ts';
import { createCapabilities } from './capabilities.ts';
import { keycloakGroups } from './groups.ts';
import { keycloakMemberships } from './memberships.ts';
import { createRealmApi } from './realm-api.ts';
import { keycloakServiceAccounts } from './service-accounts.ts';
import { clientToken } from './token.ts';
import { tokenShapes } from './token-shape.ts';
import { keycloakUsers } from './users.ts';

/** The realm behind Keycloak's Admin REST API, as KEYCLOAK_ADMIN_CLIENT_ID; undefined where that is not set. */
export function keycloakDirectory({ value }: OidcConfig, world: DirectoryWorld): Directory | undefined {
  const credential = {
    clientId: value('KEYCLOAK_ADMIN_CLIENT_ID'),
    clientSecret: value('KEYCLOAK_ADMIN_CLIENT_SECRET'),
  };
  if (credential.clientId === '' && credential.clientSecret === '') return undefined;
  if (credential.clientId === '' || credential.clientSecret === '')
    throw new ConfigFault([
      'KEYCLOAK_ADMIN_CLIENT_ID and KEYCLOAK_ADMIN_CLIENT_SECRET: only one of them is set; set both or neither',
    ]);
  const realm = encodeURIComponent(value('KEYCLOAK_REALM'));
  const issuing = { realmUrl: `${value('KEYCLOAK_URL')}/realms/${realm}`, ...world };
  const token = clientToken(issuing, credential);
  const api = createRealmApi(`${value('KEYCLOAK_URL')}/admin/realms/${realm}`, token, world);
  const clientId = value('KEYCLOAK_CLIENT_ID');
  const [audience = clientId] = value('KEYCLOAK_AUDIENCE');
  const groupsClaim = value('KEYCLOAK_GROUPS_CLAIM');
  const shape = tokenShapes(api, { clientId, audience, groupsClaim }, world.now);
  const naming = async () => (await shape()).naming;
  return {
    provider: 'keycloak',
    capabilities: createCapabilities(token),
    users: keycloakUsers(api),
    groups: keycloakGroups(api, naming),
    memberships: keycloakMemberships(api, naming),
    serviceAccounts: keycloakServiceAccounts({ ...issuing, api, shape }),
  };
}
