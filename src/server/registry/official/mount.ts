import type { Context, Hono } from 'hono';
import { nameOfPath } from '../../../contract/servers/servers.ts';
import { Failure } from '../../failure/errors.ts';
import type { HttpEnv, HttpIdentity } from '../../http/env.ts';
import type { ServerRow } from '../servers/store.ts';
import { createOfficialView, listQuery } from './list.ts';

/** What the API in the form of the official MCP registry works with. */
export interface OfficialWorld {
  readonly publicUrl: string;
  readonly rows: () => readonly ServerRow[];
  readonly identity: HttpIdentity;
  /** Whether anybody may read it without signing in: the names, descriptions and gateway URLs of all enabled servers. */
  readonly isPublic: boolean;
}

/**
 * Mounts the read side of the official registry's API (`/v0.1` is stable, `/v0` the same), so that VS Code and Copilot
 * can be pointed here. Every caller sees the enabled servers that they may list.
 */
export function mountOfficialRegistry(app: Hono<HttpEnv>, world: OfficialWorld): void {
  const view = createOfficialView(world.publicUrl);
  for (const base of ['/v0.1', '/v0']) {
    app.options(`${base}/*`, () => new Response(null, { status: 204, headers: preflight }));
    app.get(`${base}/servers`, async (c) => {
      const rows = await visible(c, world);
      const query = listQuery.safeParse(c.req.query());
      if (query.success) return respond(c, view.list(rows, query.data));
      const [issue] = query.error.issues;
      return respond(c, { error: `${issue?.path.join('.')} ${issue?.message}` }, 400);
    });
    app.get(`${base}/servers/:name/versions`, async (c) => {
      const entry = view.find(await visible(c, world), c.req.param('name'));
      return entry ? respond(c, { servers: [entry], metadata: { count: 1 } }) : missing(c);
    });
    app.get(`${base}/servers/:name/versions/:version`, async (c) => {
      const entry = view.find(await visible(c, world), c.req.param('name'), c.req.param('version'));
      return entry ? respond(c, entry) : missing(c);
    });
    app.all(`${base}/*`, (c) =>
      c.req.method === 'GET' || c.req.method === 'HEAD'
        ? missing(c)
        : respond(
            c,
            { error: 'This registry is read-only here; servers are registered at /api/servers.' },
            501,
          ),
    );
  }
}

/** The enabled servers that the caller may list; everybody's where the registry is public and nobody has signed in. */
async function visible(c: Context<HttpEnv>, { rows, identity, isPublic }: OfficialWorld) {
  const enabled = rows().filter(({ isEnabled }) => isEnabled);
  const who = await identity.identify(c.req.header());
  if (who.is === 'identity') {
    const access = identity.access(who.identity);
    return enabled.filter(({ path }) => access.may('list_service', nameOfPath(path)));
  }
  const sentNothing = who.is === 'nobody' && who.failure.code === 'credential_missing';
  if (sentNothing && isPublic) return enabled;
  if (!sentNothing) throw who.failure;
  throw new Failure(
    'credential_missing',
    'Sign in or send a token, or ask an administrator to set REGISTRY_API_PUBLIC=true.',
  );
}

// Read without cookies by pages of any origin, as the standard demands; nothing here depends on one.
const anyOrigin = { 'access-control-allow-origin': '*' };
const preflight = {
  ...anyOrigin,
  'access-control-allow-methods': 'GET, OPTIONS',
  'access-control-allow-headers': 'Authorization, Content-Type',
  'access-control-max-age': '86400',
};

function respond(c: Context<HttpEnv>, body: object, status: 200 | 400 | 404 | 501 = 200): Response {
  const caching = { 'cache-control': 'private, no-store', vary: 'authorization, cookie' };
  return c.json(body, status, { ...anyOrigin, ...caching });
}

function missing(c: Context<HttpEnv>): Response {
  return respond(c, { error: 'Server not found' }, 404);
}
