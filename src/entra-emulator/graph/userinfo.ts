import type { Ask, Reply } from '../exchange.ts';
import { pairwise } from '../sts/claims.ts';
import { graphAppId } from '../tenant/first-party.ts';
import type { World } from '../world.ts';
import { readCaller } from './caller.ts';
import { failureReply, GraphFailure } from './failure.ts';

/** OIDC userinfo, which at Entra is a part of Graph: six claims at most, never groups, `oid` or `tid`. */
export async function userinfo(world: World, ask: Ask): Promise<Reply> {
  try {
    const { user, tenant, permissions } = await readCaller(world, ask);
    if (!user || !permissions.has('openid'))
      throw new GraphFailure(403, 'Authorization_RequestDenied', 'The token has no scope openid.');
    const names = {
      name: user.displayName,
      ...(user.surname ? { family_name: user.surname } : {}),
      ...(user.givenName ? { given_name: user.givenName } : {}),
      picture: `${world.origin}/graph/v1.0/me/photo/$value`,
    };
    return {
      status: 200,
      body: {
        sub: pairwise(tenant, user, graphAppId),
        ...(permissions.has('profile') ? names : {}),
        ...(permissions.has('email') && user.mail ? { email: user.mail } : {}),
      },
    };
  } catch (error) {
    if (!(error instanceof GraphFailure)) throw error;
    return failureReply(world, ask, error);
  }
}

/** What MSAL asks about a user name before some sign-ins: whether its domain is managed here. */
export function userRealm(world: World, userName: string): Reply {
  const domain = userName.split('@')[1]?.toLowerCase() ?? '';
  const tenant = [...world.tenants.values()].find(({ domains }) =>
    domains.some(({ name }) => name === domain),
  );
  const host = new URL(world.origin).host;
  const body = tenant
    ? {
        ver: '1.0',
        account_type: 'Managed',
        domain_name: domain,
        cloud_instance_name: host,
        cloud_audience_urn: 'urn:federation:Emulator',
      }
    : { ver: '1.0', account_type: 'Unknown', cloud_instance_name: host };
  return { status: 200, body };
}
