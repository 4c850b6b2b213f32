import type { Context, Hono } from 'hono';
import { aadstsHelpIn, aadstsLine } from '../../contract/diagnosis/aadsts.ts';
import { type AuditIdentity, auditIdentity, type Trail } from '../audit/event.ts';
import type { Config } from '../config/config.ts';
import type { Allow } from '../db/allowance.ts';
import { asFailure, Failure, type FailureCode } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';
import type { Begun, Login, SignedIn } from '../identity/sessions/login.ts';
import { attemptCookiePrefix, attemptLasts } from '../identity/sessions/login-attempts.ts';
import type { BrowserSessions } from '../identity/sessions/sessions.ts';
import { type Log, masked } from '../log.ts';
import { SignInAgain } from '../provider/sign-in-again.ts';
import type { HttpEnv, HttpIdentity } from './env.ts';
import { requireCsrf } from './guards/csrf.ts';
import { readText } from './request/body.ts';
import { networkOf } from './request/client-ip.ts';
import { hostCookieName, readCookies, sessionCookieName, setCookie } from './request/cookies.ts';

/** Throws `too_many_requests`, with the seconds to wait, for an address that asks too often. */
export type AddressRate = (address: string | null) => Promise<void>;

/**
 * Lets each address do something so many times a minute, all at once or spread out; 0: as often as it likes. IPv6 counts by
 * networks of 64 bits, which is what one customer gets (RFC 6177).
 */
export function createRate(what: string, perMinute: number, allow: Allow): AddressRate {
  if (perMinute === 0) return async () => {};
  return async (address) => {
    const key = JSON.stringify(['address', what, networkOf(address)]);
    const retryAfter = await allow(key, { burst: perMinute, perMinute });
    if (retryAfter === 0) return;
    throw new Failure('too_many_requests', 'Too many attempts from your address; try again in a minute.', {
      retryAfter,
    });
  };
}

/** What signing in and out needs. */
export interface SignInWorld {
  readonly sessions: BrowserSessions;
  readonly config: Pick<Config, 'registryUrl' | 'session'>;
  readonly login: Login;
  readonly identity: HttpIdentity;
  readonly trail: Trail;
  readonly log: Log;
  readonly now: () => number;
  readonly allow: Allow;
  readonly clientIp: (c: Context<HttpEnv>) => string | null;
}

/** Sign-ins that one browser may have under way besides the newest. */
const attemptsAtOnce = 3;

/** The cookie that keeps why the last sign-in failed, and for how many seconds. */
const faultCookie = 'mcp_gateway_fault';
const faultKept = 600;

/** The words that the sign-in page knows for what can go wrong (`/login?error=...`). */
const pageErrors: Partial<Record<FailureCode, string>> = {
  sign_in_state: 'oauth2_state_invalid',
  sign_in_refused: 'oauth2_error',
  identity_unavailable: 'oauth2_init_failed',
  groups_incomplete: 'groups_incomplete',
  groups_unavailable: 'groups_unavailable',
};

/** Mounts sign-in at a provider, both callback URLs of the setup guide, and sign-out. */
export function mountSignIn(app: Hono<HttpEnv>, world: SignInWorld): void {
  const mayStart = createRate('sign-in', world.config.session.startsPerMinute, world.allow);
  app.get('/oauth2/login/:provider', async (c) => {
    requireKnown(c, world);
    await mayStart(world.clientIp(c));
    return begin(c, world);
  });
  app.get('/oauth2/callback/:provider', (c) => complete(c, world));
  app.get('/auth/callback', (c) => complete(c, world));
  app.get('/oauth2/fault/:correlation_id', (c) => showFault(c, world));
  app.post('/logout', (c) => signOut(c, world));
}

/** Refuses the address of a provider that is not set up, before anything of it is logged or recorded. */
function requireKnown(c: Context<HttpEnv>, { login }: SignInWorld): void {
  const name = c.req.param('provider');
  if (name !== undefined && !login.knows(name))
    throw new Failure('not_found', 'There is no sign-in with such a provider here.');
}

async function begin(c: Context<HttpEnv>, world: SignInWorld): Promise<Response> {
  try {
    const returnTo = safeReturn(c.req.query('redirect_uri'), world.config.registryUrl);
    const provider = c.req.param('provider') ?? '';
    const session = readCookies(c.req.header('cookie')).get(sessionCookieName(world.config.session));
    const claims = session ? await world.sessions.claimsOf(provider, session) : undefined;
    return toProvider(c, await world.login.begin(provider, returnTo, { claims, host: hostOf(c) }), world);
  } catch (error) {
    return toLoginPage(c, error, world, 'oauth2_init_failed');
  }
}

/** The host name that the browser used; the origin guard has held it to those that are ours. */
function hostOf(c: Context<HttpEnv>): string | undefined {
  return c.req.header('host')?.toLowerCase();
}

function toProvider(c: Context<HttpEnv>, begun: Begun, { config }: SignInWorld): Response {
  const { secure } = config.session;
  const nameOf = (name: string): string => hostCookieName(name, secure);
  // Abandoned attempts go, the oldest first (RFC 6265, section 5.4, sends them in front), or they fill the header.
  const earlier = [...readCookies(c.req.header('cookie')).keys()].filter((name) =>
    name.startsWith(nameOf(attemptCookiePrefix)),
  );
  return redirect(begun.url.href, [
    setCookie(nameOf(begun.cookieName), begun.cookieValue, { maxAge: attemptLasts / 1000, secure }),
    ...earlier
      .slice(0, Math.max(0, earlier.length - attemptsAtOnce))
      .map((name) => setCookie(name, '', { maxAge: 0, secure })),
  ]);
}

/** The attempts that this browser holds, by their names without the prefix of secure cookies. */
function attemptsIn(c: Context<HttpEnv>, { config }: SignInWorld): Map<string, string> {
  const prefix = hostCookieName('', config.session.secure);
  const found = [...readCookies(c.req.header('cookie'))].filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, value]) => [name.slice(prefix.length), value]));
}

async function complete(c: Context<HttpEnv>, world: SignInWorld): Promise<Response> {
  requireKnown(c, world);
  const started = world.now();
  try {
    const callback = new URL(c.req.url);
    const query = callback.searchParams;
    // The provider's sign-out page comes back here, with nothing to say.
    if (!query.has('state') && !query.has('code') && !query.has('error')) return redirect('/signed-out', []);
    const signedIn = await world.login.complete(callback, attemptsIn(c, world), hostOf(c));
    return await welcome(c, signedIn, started, world);
  } catch (error) {
    const { code, status } = asFailure(error);
    if (error instanceof SignInAgain) return await signInAgain(c, error, world);
    record(c, world, started, { decision: status < 500 ? 'deny' : 'error', reason: code, status });
    return toLoginPage(c, error, world, 'oauth2_callback_failed');
  }
}

async function signInAgain(c: Context<HttpEnv>, asked: SignInAgain, world: SignInWorld): Promise<Response> {
  try {
    const { provider, returnTo } = asked.next;
    return toProvider(
      c,
      await world.login.begin(provider, returnTo, { claims: asked.claims, host: hostOf(c) }),
      world,
    );
  } catch (error) {
    return toLoginPage(c, error, world, 'oauth2_init_failed');
  }
}

async function welcome(
  c: Context<HttpEnv>,
  { provider, person, refreshToken, claimNames, returnTo, cookieName }: SignedIn,
  started: number,
  world: SignInWorld,
): Promise<Response> {
  const { config, log } = world;
  const shown = {
    username: masked(person.username),
    email: masked(person.email),
    groups: person.groups.length,
  };
  log.info({ claims: claimNames, subject: masked(person.subject) }, `Raw user info from ${provider.name}:`);
  log.info(shown, 'Mapped user info:');
  log.debug({ groups: person.groups }, 'Groups received:');
  const sessionId = await world.sessions.open(provider.name, person, refreshToken, {
    ...{ userAgent: c.req.header('user-agent') ?? null, clientIp: world.clientIp(c) },
  });
  const who = { provider: provider.name, subject: person.subject, username: person.username };
  logScopes(person, who, world);
  record(c, world, started, {
    decision: 'allow',
    status: 302,
    who: { ...who, clientId: null, method: 'session' },
  });
  const { secure, maxAgeSeconds } = config.session;
  return redirect(returnTo, [
    setCookie(sessionCookieName(config.session), sessionId, { maxAge: maxAgeSeconds, secure }),
    setCookie(hostCookieName(cookieName, secure), '', { maxAge: 0, secure }),
  ]);
}

/** Says in the log what the groups gave, as administrators look for it when someone sees nothing. */
function logScopes(
  { groups, name, email }: SignedIn['person'],
  who: Pick<Identity, 'provider' | 'subject' | 'username'>,
  { identity, log }: SignInWorld,
): void {
  const { scopes } = identity.access({
    ...{ ...who, kind: 'person', name, email, groups, clientId: null },
    ...{ method: 'session', credentialId: null, expiresAt: Number.POSITIVE_INFINITY },
  });
  const shown = { username: masked(who.username), scopes };
  if (scopes.length > 0) log.info(shown, 'Mapped scopes:');
  else
    log.warn(
      shown,
      groups.length > 0
        ? 'Mapped scopes: none. No scope is assigned to a group of this person; map one of them in scopes.yml, or add the person to a mapped group.'
        : 'Mapped scopes: none. No groups came: the person is in none, or tokens list none; `mcp-gateway gateway doctor` says whether they do.',
    );
}

/** Ends the session here and tells the browser where the provider ends its own; asks for the CSRF token. */
async function signOut(c: Context<HttpEnv>, world: SignInWorld): Promise<Response> {
  const { config } = world;
  const who = await world.identity.identify({ cookie: c.req.header('cookie') });
  const gone = setCookie(sessionCookieName(config.session), '', { maxAge: 0, secure: config.session.secure });
  if (who.is === 'unknown') throw who.failure;
  if (who.is === 'nobody') return leave(c, '/signed-out', gone);
  await requireFormCsrf(c, who.identity, world);
  const ended = await world.sessions.end(who.identity.credentialId ?? '');
  record(
    c,
    world,
    world.now(),
    { decision: 'allow', status: 200, who: auditIdentity(who.identity) },
    'sign-out',
  );
  const provider = ended?.provider ?? who.identity.provider;
  // The session here is over whatever the provider says: its page is a courtesy.
  const there = await world.login
    .logoutUrl(provider, ended?.logoutHint ?? null, hostOf(c))
    .catch(() => undefined);
  return leave(c, there?.href ?? '/signed-out', gone);
}

async function requireFormCsrf(c: Context<HttpEnv>, identity: Identity, world: SignInWorld): Promise<void> {
  const isForm = (c.req.header('content-type') ?? '').startsWith('application/x-www-form-urlencoded');
  const fromForm = isForm ? new URLSearchParams(await readText(c)).get('csrf_token') : null;
  requireCsrf(c.req.header('x-csrf-token') ?? fromForm, world.identity.csrfToken(identity));
}

function leave(c: Context<HttpEnv>, to: string, cookie: string): Response {
  const wantsJson = (c.req.header('accept') ?? '').includes('application/json');
  if (!wantsJson) return redirect(to, [cookie], 303);
  return Response.json({ redirect: to }, { headers: { 'set-cookie': cookie, 'cache-control': 'no-store' } });
}

/** A path of ours, whatever was asked for: never another origin (open redirect). */
function safeReturn(asked: string | undefined, registryUrl: string): string {
  if (!asked || !URL.canParse(asked, registryUrl)) return '/';
  const url = new URL(asked, registryUrl);
  if (url.origin !== new URL(registryUrl).origin) return '/';
  // `//host` and `/\host` are other origins for a browser even when they came in as a path.
  const path = `${url.pathname}${url.search}${url.hash}`;
  return /^\/(?![/\\])/.test(path) ? path : '/';
}

function toLoginPage(c: Context<HttpEnv>, error: unknown, world: SignInWorld, otherwise: string): Response {
  const failure = asFailure(error);
  const correlationId = c.get('correlationId');
  const help = aadstsHelpIn(failure.message);
  const remedy = help ? { remedy: aadstsLine(help) } : {};
  world.log.warn(
    { correlation_id: correlationId, code: failure.code, ...remedy, err: failure.cause },
    failure.message,
  );
  const code = failure.code === 'not_found' ? 'oauth2_init_failed' : (pageErrors[failure.code] ?? otherwise);
  const { secure } = world.config.session;
  const kept = world.login.keepFault(correlationId, { error: code, details: failure.message });
  return redirect(`/login?${new URLSearchParams({ error: code, correlation_id: correlationId })}`, [
    setCookie(hostCookieName(faultCookie, secure), kept, { maxAge: faultKept, secure }),
  ]);
}

/**
 * What the sign-in page shows of a failure. Anybody can write a link to that page, so nothing of the link is shown: the text
 * comes from here, and only to the browser in which the sign-in failed.
 */
function showFault(c: Context<HttpEnv>, { login, config }: SignInWorld): Response {
  const correlationId = c.req.param('correlation_id') ?? '';
  const kept = readCookies(c.req.header('cookie')).get(hostCookieName(faultCookie, config.session.secure));
  const fault = login.faultIn(correlationId, kept);
  if (!fault) throw new Failure('not_found', 'No sign-in failed in this browser under that correlation id.');
  return Response.json(
    { ...fault, correlation_id: correlationId },
    { headers: { 'cache-control': 'no-store' } },
  );
}

function redirect(to: string, cookies: readonly string[], status = 302): Response {
  const headers = new Headers({ location: to, 'cache-control': 'no-store' });
  for (const cookie of cookies) headers.append('set-cookie', cookie);
  return new Response(null, { status, headers });
}

function record(
  c: Context<HttpEnv>,
  world: SignInWorld,
  started: number,
  outcome: {
    decision: 'allow' | 'deny' | 'error';
    status: number;
    reason?: string;
    who?: AuditIdentity;
  },
  action = 'sign-in',
): void {
  world.trail.record({
    kind: 'sign-in',
    at: new Date(started).toISOString(),
    correlationId: c.get('correlationId'),
    clientIp: world.clientIp(c),
    action,
    resource: c.req.param('provider') ?? null,
    durationMs: world.now() - started,
    ...outcome,
    who: outcome.who ?? null,
  });
}
