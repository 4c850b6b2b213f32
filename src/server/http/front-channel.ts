import type { Context, Hono } from 'hono';
import type { Trail } from '../audit/event.ts';
import { Failure } from '../failure/errors.ts';
import type { TrustedProvider } from '../identity/bearer.ts';
import type { Sessions } from '../identity/sessions.ts';
import type { HttpEnv } from './env.ts';

/** What front-channel logout needs. */
export interface FrontChannelWorld {
  readonly sessions: Sessions;
  readonly trusted: readonly TrustedProvider[];
  readonly trail: Trail;
  readonly now: () => number;
  readonly clientIp: (c: Context<HttpEnv>) => string | null;
}

/**
 * Mounts OpenID Connect Front-Channel Logout 1.0: the provider's sign-out page loads this address in a frame. The session
 * cookie does not come along there (SameSite=Lax), so sessions are found by `sid`, which nobody can guess.
 */
export function mountFrontChannel(app: Hono<HttpEnv>, world: FrontChannelWorld): void {
  app.get('/oauth2/frontchannel-logout/:provider', async (c) => {
    const started = world.now();
    const name = c.req.param('provider');
    const trusted = world.trusted.find(({ provider }) => provider.name === name);
    if (!trusted) throw new Failure('not_found', 'There is no such provider here.');
    const { sid = '', iss = '' } = c.req.query();
    if (sid === '' || sid.length > 200) throw new Failure('bad_request', 'Send sid and iss.');
    const names = await Promise.all(trusted.issuers.map((issuer) => issuer.name()));
    if (!names.includes(iss))
      throw new Failure('bad_request', 'The issuer (iss) is not one of this provider.');
    const count = await world.sessions.endBySid(name, sid);
    world.trail.record({
      kind: 'sign-in',
      at: new Date(started).toISOString(),
      correlationId: c.get('correlationId'),
      clientIp: world.clientIp(c),
      action: 'front-channel-logout',
      resource: name,
      durationMs: world.now() - started,
      decision: 'allow',
      status: 200,
      who: null,
      detail: { sessions: count },
    });
    return c.body(null, 200, { 'cache-control': 'no-store' });
  });
}
