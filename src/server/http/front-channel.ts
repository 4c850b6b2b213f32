import type { Context, Hono } from 'hono';
import type { Trail } from '../audit/event.ts';
import { Failure } from '../failure/errors.ts';
import type { TrustedProvider } from '../identity/bearer.ts';
import type { BrowserSessions } from '../identity/sessions/sessions.ts';
import type { HttpEnv } from './env.ts';

/** What front-channel logout needs. */
export interface FrontChannelWorld {
  readonly sessions: BrowserSessions;
  readonly trusted: readonly TrustedProvider[];
  readonly trail: Trail;
  readonly now: () => number;
  readonly clientIp: (c: Context<HttpEnv>) => string | null;
}

/**
 * Mounts OpenID Connect Front-Channel Logout 1.0: the provider's sign-out page loads this address in a frame. The session
 * cookie does not come along there (SameSite=Lax), so sessions are found by `sid`, which nobody can guess; one may stand for several.
 */
export function mountFrontChannel(app: Hono<HttpEnv>, world: FrontChannelWorld): void {
  app.get('/oauth2/frontchannel-logout/:provider', async (c) => {
    const started = world.now();
    const name = c.req.param('provider');
    const trusted = world.trusted.find(({ provider }) => provider.name === name);
    if (!trusted) throw new Failure('not_found', 'There is no such provider here.');
    const { sid: sids = [], iss: issuers = [] } = c.req.queries();
    const [sid = ''] = sids;
    if (sids.length !== 1 || sid === '' || sid.length > 200)
      throw new Failure('bad_request', 'Send the session id (sid) once.');
    if (issuers.length > 0) await requireIssuers(issuers, trusted);
    const count = await world.sessions.endBySid(name, sid);
    world.trail.record({
      kind: 'sign-in',
      at: new Date(started).toISOString(),
      correlationId: c.get('correlationId'),
      clientIp: world.clientIp(c),
      action: 'front-channel-logout',
      resource: name,
      durationMs: world.now() - started,
      // Anybody may send any session id: what ended nothing is noted as what was refused.
      ...(count > 0 ? { decision: 'allow' } : { decision: 'deny', reason: 'no_such_session' }),
      status: 200,
      who: null,
      detail: { sessions: count },
    });
    return c.body(null, 200, {
      'cache-control': 'no-store',
      // Only here: the page has nothing in it, and the provider's page has to be able to frame it.
      'content-security-policy': "default-src 'none'; frame-ancestors *",
    });
  });
}

/** Entra ID sends no `iss`, which the standard leaves to it; what is sent has to be right. */
async function requireIssuers(given: readonly string[], { issuers }: TrustedProvider): Promise<void> {
  const names = await Promise.all(issuers.map((issuer) => issuer.name()));
  if (given.length > 1 || !names.includes(given[0] ?? ''))
    throw new Failure('bad_request', 'The issuer (iss) is not one of this provider.');
}
