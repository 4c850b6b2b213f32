import type { User } from '../../tenant/model.ts';
import type { World } from '../../world.ts';
import { Aadsts } from '../aadsts.ts';
import type { TokenFor } from '../claims.ts';
import type { UserGrant } from '../memory.ts';
import { findResource, readScopes, unknownScopes, type Wanted } from '../scopes.ts';
import type { TokenRequest } from '../token-request.ts';

/** The user of a grant, if the account still may sign in; throws 50034 or 50057. */
export function userOf(request: TokenRequest, userId: string): User {
  const user = request.tenant.users.get(userId);
  if (!user) throw new Aadsts(50034, [userId, request.tenant.displayName]);
  if (!user.accountEnabled) throw new Aadsts(50057);
  return user;
}

/** What a token request wants, read from `scope` or, at the v1.0 endpoint, from `resource`. */
export function wantedBy(
  world: World,
  { tenant, form, version }: TokenRequest,
  before: { scope: string; resource?: string },
): Wanted {
  const resource = form.resource ?? before.resource;
  if (version === 1 && resource) {
    const found = findResource(world, tenant, resource);
    return {
      oidc: new Set(['openid', 'profile', 'email']),
      resource: found,
      values: [],
      isDefault: true,
      prefix: '',
    };
  }
  const wanted = readScopes(world, tenant, form.scope || before.scope);
  const [unknown] = unknownScopes(wanted);
  if (unknown) throw new Aadsts(70011, [unknown]);
  return wanted;
}

/** The token request and the user's grant in one. */
export function tokenFor(
  { tenant, client, clientAuth, form }: TokenRequest,
  grant: UserGrant,
  user: User,
): TokenFor & { user: User } {
  const { sid, authTime, amr, nonce } = grant;
  return { tenant, client, clientAuth, user, sid, authTime, amr, nonce, claims: form.claims ?? grant.claims };
}
