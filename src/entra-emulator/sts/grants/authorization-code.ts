import { createHash } from 'node:crypto';
import { hashSecret } from '../../tenant/identify.ts';
import type { World } from '../../world.ts';
import { Aadsts } from '../aadsts.ts';
import { requireConfidential } from '../authenticate.ts';
import { issueForUser, type TokenResponse } from '../issue.ts';
import type { AuthorizationCode } from '../memory.ts';
import { platformOf } from '../redirects.ts';
import type { TokenRequest } from '../token-request.ts';
import { tokenFor, userOf, wantedBy } from './user-grant.ts';

/** authorization_code: single use, bound to client, redirect URI and PKCE challenge. */
export async function redeemCode(world: World, request: TokenRequest): Promise<TokenResponse> {
  const { client, form, clientAuth, version } = request;
  if (!form.code) throw new Aadsts(900144, ['code']);
  if (!form.redirect_uri) throw new Aadsts(900144, ['redirect_uri']);
  const code = world.codes.get(hashSecret(form.code));
  if (!code || code.appId !== client.application.appId || code.tenantId !== request.tenant.id)
    throw new Aadsts(70000);
  const platform = platformOf(client.application, code.redirectUri) ?? 'web';
  if (platform === 'web') requireConfidential(clientAuth);
  else if (clientAuth !== '0') throw new Aadsts(700025);
  checkOrigin(platform === 'spa', request.origin);
  if (code.used) throw new Aadsts(54005);
  code.used = true;
  if (code.expires < world.clock.now()) throw new Aadsts(70008);
  if (form.redirect_uri !== code.redirectUri) throw new Aadsts(500112, [form.redirect_uri, code.redirectUri]);
  checkVerifier(code, form.code_verifier);
  const user = userOf(request, code.userId);
  const wanted = wantedBy(world, request, code);
  return issueForUser(world, tokenFor(request, code, user), wanted, grantOf(code), {
    version,
    platform,
  });
}

function checkOrigin(isSpa: boolean, origin: string | undefined): void {
  if (isSpa && !origin) throw new Aadsts(9002327);
  if (!isSpa && origin) throw new Aadsts(9002326, [origin]);
}

function checkVerifier(
  { challenge, challengeMethod }: AuthorizationCode,
  verifier: string | undefined,
): void {
  if (challenge === undefined) {
    if (verifier !== undefined) throw new Aadsts(50147);
    return;
  }
  if (!verifier) throw new Aadsts(501481);
  const computed =
    challengeMethod === 'S256' ? createHash('sha256').update(verifier).digest('base64url') : verifier;
  if (computed !== challenge) throw new Aadsts(501481);
}

function grantOf(code: AuthorizationCode) {
  const { tenantId, appId, userId, sid, authTime, scope, amr, claims } = code;
  return { tenantId, appId, userId, sid, authTime, scope, amr, ...(claims === undefined ? {} : { claims }) };
}
