import { findUser } from '../../tenant/directory.ts';
import { issuersOf, type World } from '../../world.ts';
import { Aadsts } from '../aadsts.ts';
import { requireConfidential } from '../authenticate.ts';
import { issueForUser, type TokenResponse } from '../issue.ts';
import { type Claims, verifyOwn } from '../sign.ts';
import type { TokenRequest } from '../token-request.ts';
import { tokenFor, userOf, wantedBy } from './user-grant.ts';

/** On-behalf-of: trades a user's token for this client into a token of the same user for the next API. */
export async function exchangeOnBehalf(world: World, request: TokenRequest): Promise<TokenResponse> {
  const { form, clientAuth, tenant, client, version } = request;
  requireConfidential(clientAuth);
  if (form.requested_token_use !== 'on_behalf_of') throw new Aadsts(900144, ['requested_token_use']);
  if (!form.assertion) throw new Aadsts(900144, ['assertion']);
  const claims = await verifyOwn(world, form.assertion);
  if (!claims) throw new Aadsts(50013, ['The assertion is not a token of this tenant.']);
  checkAssertion(world, request, claims);
  const user = userOf(request, findUser(tenant, String(claims.oid))?.id ?? String(claims.oid));
  const grant = {
    tenantId: tenant.id,
    appId: client.application.appId,
    userId: user.id,
    sid: typeof claims.sid === 'string' ? claims.sid : '',
    authTime: Number(claims.iat),
    scope: form.scope ?? '',
    amr: ['pwd'],
  };
  const wanted = wantedBy(world, request, grant);
  return issueForUser(world, tokenFor(request, grant, user), wanted, grant, { version, platform: 'web' });
}

function checkAssertion(world: World, { tenant, client }: TokenRequest, claims: Claims): void {
  const { appId, identifierUris } = client.application;
  const issuers = issuersOf(world, tenant.id);
  const audience = String(claims.aud).replace(/\/$/, '');
  if (claims.iss !== issuers.v1 && claims.iss !== issuers.v2) throw new Aadsts(50013, ['Wrong issuer.']);
  if (![appId, ...identifierUris].includes(audience))
    throw new Aadsts(500131, [`aud: ${audience}, client: ${appId}`]);
  if (claims.scp === undefined) throw new Aadsts(7000114, [appId]);
  if (Number(claims.exp) <= world.clock.now() / 1000) throw new Aadsts(500133);
}
