import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { endpoints } from '../contract/index.ts';
import { Failure } from './failure/errors.ts';
import { insteadOf } from './http/elsewhere.ts';
import type { HttpEnv, HttpIdentity } from './http/env.ts';
import { mountFrontChannel } from './http/front-channel.ts';
import { originGuard } from './http/guards/csrf.ts';
import { meHandlers } from './http/me.ts';
import { type MountWorld, mount } from './http/mount.ts';
import { mountProtectedResource, resourceMetadataUrl } from './http/protected-resource.ts';
import { clientIpOf } from './http/request/client-ip.ts';
import { answerFailure, compressed, securityHeaders } from './http/responses.ts';
import { mountSignIn } from './http/sign-in.ts';
import { staticUi } from './http/static-ui.ts';
import { type SystemWorld, systemHandlers } from './http/system.ts';
import type { TrustedProvider } from './identity/bearer.ts';
import type { Login } from './identity/sessions/login.ts';
import type { BrowserSessions } from './identity/sessions/sessions.ts';
import type { Log } from './log.ts';
import { type ConsentWorld, mountConsent } from './oauth/consent/consent.ts';
import { mountDevice } from './oauth/consent/device.ts';
import { commandLineOf } from './oauth/metadata.ts';
import { connectableServer } from './registry/connections/handlers.ts';
import { mountConnectPages } from './registry/connections/pages.ts';
import { type RegistryWorld, registryHandlers } from './registry/handlers.ts';
import { mountOfficialRegistry } from './registry/official/mount.ts';

/** Everything that the control plane is built from. */
export interface AppWorld extends RegistryWorld, SystemWorld, Pick<MountWorld, 'allow' | 'turn'> {
  readonly log: Log;
  readonly identity: HttpIdentity;
  readonly sessions: BrowserSessions;
  readonly login: Login;
  readonly trusted: readonly TrustedProvider[];
  /** Where people say which programs may act for them. */
  readonly consent: ConsentWorld;
  readonly uiDirectory: string;
  readonly docsDirectory?: string;
  /** Resolves when all that was committed has reached what this process keeps in memory. */
  readonly caughtUp: () => Promise<void>;
}

/** The control plane: every mount in order. */
export function createApp(world: AppWorld): Hono<HttpEnv> {
  const { allow, config, log, trail, now, identity } = world;
  const clientIp = (c: Context<HttpEnv>): string | null => clientIpOf(c, config.trustedProxyHops);
  const metadataUrl = resourceMetadataUrl(config.registryUrl, '/');
  const app = new Hono<HttpEnv>();

  app.onError((error, c) => answerFailure(c, error, log, metadataUrl));
  app.use(async (c, next) => {
    c.set('correlationId', randomUUID());
    await next();
  });
  app.use(securityHeaders(config.session.secure));
  app.use(originGuard(config));
  app.use('/api/*', compressed());
  // Whoever is told that something was changed finds it changed, in this process at once. Sign-in changes by GET.
  app.use(async (c, next) => {
    await next();
    if (!['GET', 'HEAD'].includes(c.req.method) || !c.req.path.startsWith('/api/')) await world.caughtUp();
  });

  const { sessions, login, trusted } = world;
  mountSignIn(app, { allow, config, log, trail, now, identity, clientIp, sessions, login });
  mountFrontChannel(app, { sessions, trusted, trail, now, clientIp });
  mountProtectedResource(app, {
    registryUrl: config.registryUrl,
    trusted,
    alsoProviders: config.oauth.providersToo,
  });
  mountConsent(app, world.consent);
  mountDevice(app, world.consent);
  mountConnectPages(app, {
    ...{ log, trail, now, identity, clientIp, connecting: world.connections.connecting },
    listsConnected: world.connections.listsConnected,
    publicUrl: config.registryUrl,
    find: (name, who, purpose) => connectableServer(world.connections, name, who, purpose),
  });
  mountOfficialRegistry(app, { ...world.servers, identity, isPublic: config.registryApiPublic });
  mount(
    app,
    endpoints,
    {
      ...systemHandlers(world),
      ...meHandlers({
        providers: trusted.map(({ provider }) => provider),
        evaluation: config.mode === 'evaluation',
        commandLine: commandLineOf(config.registryUrl),
        tokenHours: { default: config.tokens.defaultHours, max: config.tokens.maxHours },
        csrfToken: identity.csrfToken,
      }),
      ...registryHandlers(world),
    },
    {
      allow,
      identity,
      trail,
      now,
      clientIp,
      turn: world.turn,
      refusalsPerMinute: config.gateway.limits.refusalsPerMinute,
    },
  );
  app.all('/api/*', (c) => {
    const instead = insteadOf(c.req.path);
    throw new Failure('not_found', `There is no such endpoint.${instead ? ` ${instead}` : ''}`);
  });
  // Clients look here for what may be; a page instead of nothing is taken for a document that is broken.
  app.all('/.well-known/*', () => {
    throw new Failure('not_found', 'There is no such document.');
  });
  const ui = staticUi(world.uiDirectory, world.docsDirectory);
  app.get('*', (c) => ui(c.req.raw));
  app.notFound(() => {
    throw new Failure('method_not_allowed', 'Pages can only be read here.');
  });
  return app;
}
