import { control } from './control/admin.ts';
import { playWire } from './control/play.ts';
import { type Ask, page, type Reply } from './exchange.ts';
import { graph } from './graph/answer.ts';
import { userinfo, userRealm } from './graph/userinfo.ts';
import { aadsts } from './sts/aadsts.ts';
import { discovery, instanceDiscovery, keySet } from './sts/discovery.ts';
import { adminConsent } from './sts/sign-in/admin-consent.ts';
import { authorize } from './sts/sign-in/authorize.ts';
import { deviceCode, deviceLogin } from './sts/sign-in/device.ts';
import { logout } from './sts/sign-in/logout.ts';
import { messagePage } from './sts/sign-in/pages.ts';
import { token } from './sts/token.ts';
import type { Seed } from './tenant/seed.ts';
import type { World } from './world.ts';

type Handler = (world: World, ask: Ask, tenant: string) => Reply | Promise<Reply>;

/** What a tenant's part of the sign-in host answers, by the path after the tenant. */
const signInHost: Record<string, Handler> = {
  'v2.0/.well-known/openid-configuration': (world, ask, tenant) => discovery(world, ask, tenant, 2),
  '.well-known/openid-configuration': (world, ask, tenant) => discovery(world, ask, tenant, 1),
  'discovery/v2.0/keys': (world, ask, tenant) => keySet(world, ask, tenant, 2),
  'discovery/keys': (world, ask, tenant) => keySet(world, ask, tenant, 1),
  'discovery/instance': (world, ask) =>
    instanceDiscovery(world, ask.url.searchParams.get('authorization_endpoint')),
  'oauth2/v2.0/authorize': (world, ask, tenant) => authorize(world, ask, tenant, 2),
  'oauth2/authorize': (world, ask, tenant) => authorize(world, ask, tenant, 1),
  'oauth2/v2.0/token': (world, ask, tenant) => token(world, ask, tenant, 2),
  'oauth2/token': (world, ask, tenant) => token(world, ask, tenant, 1),
  'oauth2/v2.0/devicecode': (world, ask, tenant) => deviceCode(world, ask, tenant),
  'oauth2/devicecode': (world, ask, tenant) => deviceCode(world, ask, tenant),
  'v2.0/adminconsent': (world, ask, tenant) => adminConsent(world, ask, tenant),
  adminconsent: (world, ask, tenant) => adminConsent(world, ask, tenant),
  'oauth2/v2.0/logout': (world, ask) => logout(world, ask),
  'oauth2/logout': (world, ask) => logout(world, ask),
};

/** Answers one request: the emulator's table of contents. */
export async function answer(world: World, ask: Ask, seed: Seed): Promise<Reply> {
  const path = ask.url.pathname;
  if (path.startsWith('/_emulator/')) return control(world, ask, seed, path.slice('/_emulator/'.length));
  const broken = await playWire(world, ask);
  if (broken) return broken;
  if (path === '/graph/oidc/userinfo') return userinfo(world, ask);
  if (path.startsWith('/graph/')) return graph(world, ask, path.slice('/graph'.length));
  if (path === '/devicelogin') return deviceLogin(world, ask);
  if (path === '/') return frontPage(world);
  if (path === '/error') return errorLookUp(ask.url.searchParams.get('code'));
  const realm = /^\/common\/userrealm\/([^/]+)$/i.exec(path)?.[1];
  if (realm) return userRealm(world, decodeURIComponent(realm));
  // The v1.0 issuer's host is the sign-in host under another name.
  const [, tenant, rest = ''] = /^\/(?:sts\/)?([^/]+)\/(.*)$/.exec(path) ?? [];
  const handler = Object.hasOwn(signInHost, rest) ? signInHost[rest] : undefined;
  if (tenant && handler) return handler(world, ask, decodeURIComponent(tenant));
  // These do not exist at Entra either; clients probe for them and must find nothing.
  if (path.includes('/.well-known/') || path === '/favicon.ico')
    return { status: 404, body: { error: 'not_found' } };
  return notImplemented(`${ask.method} ${path}`);
}

/** The answer for what the emulator does not do, naming it. */
function notImplemented(feature: string): Reply {
  return {
    status: 501,
    body: {
      error: 'not_implemented',
      error_description: `The Entra emulator does not do: ${feature}`,
      feature,
    },
  };
}

function frontPage(world: World): Reply {
  const tenants = [...world.tenants.values()].map(
    ({ displayName, id }) => `${displayName}: ${world.origin}/${id}/v2.0`,
  );
  return page(200, messagePage('Entra emulator', `Tenants served here: ${tenants.join('; ')}`));
}

function errorLookUp(code: string | null): Reply {
  const text =
    code && Object.hasOwn(aadsts, code) ? aadsts[Number(code) as keyof typeof aadsts].text : undefined;
  return page(text ? 200 : 404, messagePage(`Error ${code ?? ''}`, text ?? 'This number is not known here.'));
}
