import { ConfigFault, type OidcConfig } from '../../config/config.ts';
import type { TokenSource } from '../../provider/graph.ts';
import type { Directory, DirectoryWorld } from '../directory.ts';
import { createCapabilities } from './capabilities.ts';
import { keycloakGroups } from './groups.ts';
import { keycloakMemberships } from './memberships.ts';
import { createRealmApi, type RealmApi } from './realm-api.ts';
import { keycloakServiceAccounts } from './service-accounts.ts';
import { clientToken, type TokenWorld } from './token.ts';
import { tokenShapes } from './token-shape.ts';
import { keycloakUsers } from './users.ts';

/** A realm as KEYCLOAK_ADMIN_CLIENT_ID reaches it. */
export interface OpenRealm {
  readonly api: RealmApi;
  readonly token: TokenSource;
  readonly issuing: TokenWorld;
}

/** The way into the realm; undefined where KEYCLOAK_ADMIN_CLIENT_ID is not set. Nothing is sent until it is used. */
export function openRealm({ value }: OidcConfig, world: DirectoryWorld): OpenRealm | undefined {
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
  return {
    ...{ issuing, token },
    api: createRealmApi(`${value('KEYCLOAK_URL')}/admin/realms/${realm}`, token, world),
  };
}

/** The realm behind Keycloak's Admin REST API, as KEYCLOAK_ADMIN_CLIENT_ID; undefined where that is not set. */
export function keycloakDirectory(config: OidcConfig, world: DirectoryWorld): Directory | undefined {
  const realm = openRealm(config, world);
  if (!realm) return undefined;
  const { value } = config;
  const { api, token, issuing } = realm;
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
