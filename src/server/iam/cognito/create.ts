import type { OidcConfig } from '../../config/config.ts';
import type { Directory, DirectoryWorld } from '../directory.ts';
import { createUsernames } from './accounts.ts';
import { createCapabilities } from './capabilities.ts';
import { cognitoGroups } from './groups.ts';
import { cognitoMemberships } from './memberships.ts';
import { createPoolApi } from './pool-api.ts';
import { cognitoUsers } from './users.ts';

/**
 * The user pool behind AWS's API; undefined where COGNITO_DIRECTORY is not set. It has no accounts for applications: an app
 * client is in no group and its tokens name none, so the registry's own table gives it groups.
 */
export function cognitoDirectory({ value }: OidcConfig, world: DirectoryWorld): Directory | undefined {
  if (!value('COGNITO_DIRECTORY')) return undefined;
  const id = value('COGNITO_USER_POOL_ID');
  const [region = ''] = id.split('_');
  const api = createPoolApi({ id, region, endpoint: value('COGNITO_IDP_ENDPOINT') || undefined }, world);
  const usernames = createUsernames(api, world.now);
  return {
    provider: 'cognito',
    capabilities: createCapabilities(api, world.now),
    users: cognitoUsers(api, usernames),
    groups: cognitoGroups(api),
    memberships: cognitoMemberships(api, usernames),
  };
}
