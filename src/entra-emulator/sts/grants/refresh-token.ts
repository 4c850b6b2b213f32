import { hashSecret } from '../../tenant/identify.ts';
import type { World } from '../../world.ts';
import { Aadsts } from '../aadsts.ts';
import { requireConfidential } from '../authenticate.ts';
import { issueForUser, type TokenResponse } from '../issue.ts';
import type { Wanted } from '../scopes.ts';
import type { TokenRequest } from '../token-request.ts';
import { tokenFor, userOf, wantedBy } from './user-grant.ts';

/** refresh_token: a new one each time, the old one lives on; redeems for any resource the client has consent for. */
export async function redeemRefreshToken(world: World, request: TokenRequest): Promise<TokenResponse> {
  const { client, form, tenant, version } = request;
  if (!form.refresh_token) throw new Aadsts(900144, ['refresh_token']);
  const grant = world.refreshTokens.get(hashSecret(form.refresh_token));
  if (!grant || grant.appId !== client.application.appId || grant.tenantId !== tenant.id)
    throw new Aadsts(70000);
  if (grant.platform === 'web') requireConfidential(request.clientAuth);
  if (grant.expires < world.clock.now()) throw new Aadsts(grant.platform === 'spa' ? 700084 : 700082);
  if (grant.issued < (tenant.revoked.get(grant.userId) ?? 0)) throw new Aadsts(50173);
  const user = userOf(request, grant.userId);
  const wanted = wantedBy(world, request, grant);
  refuseSelfByUri(wanted, request);
  const { issued: _issued, expires, platform, ...rest } = grant;
  return issueForUser(world, tokenFor(request, rest, user), wanted, rest, {
    version,
    platform,
    withRefresh: true,
    ...(platform === 'spa' ? { spaUntil: expires } : {}),
  });
}

/** A sign-in for oneself by App ID URI passes, its refresh does not; by GUID both do. */
function refuseSelfByUri({ resource }: Wanted, { client, version }: TokenRequest): void {
  const { appId } = client.application;
  if (version === 2 && resource.application.appId === appId && resource.asked !== appId)
    throw new Aadsts(90009, [appId]);
}
