import type { Context, Hono } from 'hono';
import { type AuditIdentity, auditIdentity, type Trail } from '../../audit/event.ts';
import { callbackPath, documentPath, ownDocument } from '../../egress/clients.ts';
import { ConnectFailed, type Connecting } from '../../egress/connecting.ts';
import type { Purpose } from '../../egress/credential.ts';
import type { EgressServer } from '../../egress/renew.ts';
import type { HttpEnv, HttpIdentity } from '../../http/env.ts';
import type { Identity } from '../../identity/identity.ts';

/** What the addresses that browsers and authorization servers come to work with. */
export interface ConnectPagesWorld {
  readonly connecting: Connecting;
  readonly identity: Pick<HttpIdentity, 'identify'>;
  /** A server that somebody may connect to, by its name. */
  readonly find: (name: string, identity: Identity, purpose: Purpose) => EgressServer | undefined;
  /** Has a server looked at soon, by its name: somebody is connected for its lists now. */
  readonly listsConnected: (server: string) => void;
  readonly publicUrl: string;
  readonly trail: Pick<Trail, 'record'>;
  readonly now: () => number;
  readonly clientIp: (c: Context<HttpEnv>) => string | null;
  readonly log: { warn(facts: object, message: string): void };
}

/** Mounts the address that people are sent to, the one that they come back to, and the gateway's document as a client. */
export function mountConnectPages(app: Hono<HttpEnv>, world: ConnectPagesWorld): void {
  app.get('/oauth2/egress/connect', (c) => toPage({ server: c.req.query('server') ?? '' }));
  app.get(callbackPath, (c) => complete(c, world));
  app.get(`${callbackPath}/:server`, (c) => complete(c, world));
  const documented = (server?: string): Response => {
    const headers = { 'cache-control': 'public, max-age=300' };
    return Response.json(ownDocument(world.publicUrl, server), { headers });
  };
  app.get(documentPath, () => documented());
  // Whatever it is called: whether there is such a server is nobody's business.
  app.get(documentPath.replace('.json', '/:server{[\\w-]{1,64}\\.json}'), (c) =>
    documented((c.req.param('server') ?? '').slice(0, -'.json'.length)),
  );
}

async function complete(c: Context<HttpEnv>, world: ConnectPagesWorld): Promise<Response> {
  const started = world.now();
  // By the session alone: a token is no sign of the browser that asked.
  const who = await world.identity.identify({ cookie: c.req.header('cookie') });
  if (who.is === 'unknown') throw who.failure;
  if (who.is === 'nobody') return toPage({ problem: 'state' });
  const by = auditIdentity(who.identity);
  try {
    const { searchParams: query, pathname } = new URL(c.req.url);
    const { identity } = who;
    const find = (name: string, purpose: Purpose) => world.find(name, identity, purpose);
    const { server, connection } = await world.connecting.complete(query, pathname, identity, find);
    const detail = {
      ...{ connection: connection.id, account: connection.account, scopes: connection.scopes },
      ...{ issuer: connection.issuer, purpose: connection.owner.purpose },
    };
    record(c, world, { started, by, server: server.name, decision: 'allow', detail });
    // Who connected for its lists came from its page.
    if (connection.owner.purpose === 'discovery') {
      world.listsConnected(server.name);
      return to(`/servers/${encodeURI(server.name)}?tab=settings`);
    }
    return toPage({ server: `/${server.name}`, connected: 'true' });
  } catch (error) {
    if (!(error instanceof ConnectFailed)) throw error;
    const { problem, server, message, cause } = error;
    world.log.warn({ server, problem, err: cause }, `connecting failed: ${message}`);
    const decision = problem === 'unavailable' ? 'error' : 'deny';
    record(c, world, { started, by, server: server ?? null, decision, reason: problem });
    return toPage({ ...(server === undefined ? {} : { server: `/${server}` }), problem });
  }
}

function record(
  c: Context<HttpEnv>,
  world: ConnectPagesWorld,
  what: {
    readonly started: number;
    readonly by: AuditIdentity;
    readonly server: string | null;
    readonly decision: 'allow' | 'deny' | 'error';
    readonly reason?: string;
    readonly detail?: Record<string, unknown>;
  },
): void {
  const { started, by, server, decision, reason, detail } = what;
  world.trail.record({
    ...{ kind: 'token', action: 'connections.connect', resource: server, who: by, decision, reason, detail },
    at: new Date(started).toISOString(),
    correlationId: c.get('correlationId'),
    clientIp: world.clientIp(c),
    status: 302,
    durationMs: world.now() - started,
  });
}

/** The page shows nothing of an address but the server's own facts and words for the problem. */
function toPage(said: Readonly<Record<string, string>>): Response {
  return to(`/connections?${new URLSearchParams(said)}`);
}

function to(location: string): Response {
  return new Response(null, {
    status: 302,
    headers: { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
  });
}
