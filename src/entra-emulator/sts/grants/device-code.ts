import { hashSecret } from '../../tenant/identify.ts';
import type { World } from '../../world.ts';
import { Aadsts } from '../aadsts.ts';
import { issueForUser, type TokenResponse } from '../issue.ts';
import type { UserGrant } from '../memory.ts';
import { isPublic } from '../redirects.ts';
import type { TokenRequest } from '../token-request.ts';
import { tokenFor, userOf, wantedBy } from './user-grant.ts';

/** device_code: pending until somebody enters the user code and signs in. */
export async function redeemDeviceCode(world: World, request: TokenRequest): Promise<TokenResponse> {
  const { form, client, tenant, version } = request;
  const presented = form.device_code ?? form.code;
  if (!presented) throw new Aadsts(900144, ['device_code']);
  const device = world.deviceCodes.get(hashSecret(presented));
  if (!device || device.appId !== client.application.appId) throw new Aadsts(70018);
  if (device.expires < world.clock.now()) throw new Aadsts(70019);
  if (device.state === 'pending') throw new Aadsts(70016);
  if (device.state === 'declined') throw new Aadsts(70020);
  if (device.state === 'used') throw new Aadsts(54005);
  if (!isPublic(client.application) && request.clientAuth === '0') throw new Aadsts(7000218);
  const user = userOf(request, device.userId ?? '');
  const grant: UserGrant = {
    tenantId: tenant.id,
    appId: client.application.appId,
    userId: user.id,
    sid: device.sid ?? '',
    authTime: device.authTime ?? 0,
    scope: device.scope,
    amr: ['pwd'],
  };
  const wanted = wantedBy(world, request, grant);
  device.state = 'used';
  return issueForUser(world, tokenFor(request, grant, user), wanted, grant, { version, platform: 'public' });
}
