import type { EntraConfig } from '../../../config/config.ts';
import type { Fetch } from '../../../net/outbound.ts';

/** What trying addresses needs. */
interface RedirectsWorld {
  readonly config: EntraConfig;
  readonly fetch: Fetch;
  readonly newId: () => string;
}

/** Both addresses at which the gateway takes a sign-in (guide, steps 1 and 4), wherever one of them is. */
const callbacks = ['/oauth2/callback/entra', '/auth/callback'];

/** The addresses that a sign-in could come back to: those that are sent, and the other one beside each. */
function candidates({ redirectUris, redirectUri }: EntraConfig): string[] {
  const sent = redirectUris ?? [redirectUri];
  return [
    ...new Set(
      sent.flatMap((uri) => [
        uri,
        ...callbacks.map((path) => uri.replace(/\/(?:oauth2\/callback\/entra|auth\/callback)$/, path)),
      ]),
    ),
  ];
}

/**
 * Which addresses are registered, found without a permission: a silent sign-in (OpenID Connect Core, 3.1.2.1) of nobody is
 * sent back to a registered address with login_required, and to no other (AADSTS50011). What Entra ID says neither of is absent.
 */
export async function askRedirects(world: RedirectsWorld): Promise<ReadonlyMap<string, boolean>> {
  const found = await Promise.all(
    candidates(world.config).map(async (uri) => [uri, await isRegistered(world, uri)] as const),
  );
  return new Map(found.flatMap(([uri, known]) => (known === undefined ? [] : [[uri, known] as const])));
}

async function isRegistered(world: RedirectsWorld, uri: string): Promise<boolean | undefined> {
  const { config, newId } = world;
  const query = new URLSearchParams({
    ...{ client_id: config.clientId, response_type: 'code', redirect_uri: uri, scope: 'openid' },
    ...{ response_mode: 'query', prompt: 'none', state: newId() },
  });
  const url = `${config.loginBaseUrl}/${config.tenantId}/oauth2/v2.0/authorize?${query}`;
  const answer = await world.fetch(url, { redirect: 'manual', headers: { accept: 'text/html' } });
  const to = answer.headers.get('location');
  if (to?.startsWith(`${uri}?`)) {
    await answer.body?.cancel();
    return true;
  }
  return (await answer.text()).includes('AADSTS50011') ? false : undefined;
}
