import type { Context, Hono } from 'hono';
import type { Interaction, Provider } from 'oidc-provider';
import type { AuditEvent } from '../audit/event.ts';
import { auditIdentity } from '../audit/event.ts';
import type { Db } from '../db/tables.ts';
import { readText } from '../http/body.ts';
import { readCookies, setCookie } from '../http/cookies.ts';
import type { HttpEnv } from '../http/env.ts';
import type { Identity, Who } from '../identity/identity.ts';
import { csrfTokenOf, hashOf, newSecret, sameSecret } from '../identity/keys.ts';
import type { StoredClient } from './clients.ts';
import { consentPage, goingOnPage, pendingPage } from './consent-page.ts';
import { rememberedGrant, storeGrant } from './grants.ts';
import { errorPage, pageHeaders, styleSheet } from './pages.ts';
import { accountIdOf } from './provider.ts';
import { receiverOf } from './redirects.ts';
import { type Resource, resourceOf } from './resources.ts';

/** What the consent page needs. */
export interface ConsentWorld {
  readonly db: Db;
  readonly issuer: string;
  readonly now: () => number;
  readonly provider: () => Promise<Provider>;
  /** Whatever its standing. */
  readonly findClient: (id: string) => Promise<StoredClient | undefined>;
  /** Who a browser session is. */
  readonly identifySession: (cookie: string | undefined) => Promise<Who>;
  readonly csrfKey: Buffer;
  readonly secure: boolean;
  readonly days: number;
  readonly providers: readonly { readonly name: string; readonly displayName: string }[];
  /** What a resource is called to somebody; undefined when they may not use it, or there is no such thing. */
  readonly titleOf: (who: Identity, at: string) => string | undefined;
  readonly record: (event: Omit<AuditEvent, 'correlationId' | 'clientIp'>, c: Context<HttpEnv>) => void;
}

/** What was allowed before the person had signed in, bound to the browser that allowed it. */
interface Approval {
  readonly browser: string;
  readonly onlyReading: boolean;
}

/** A request for consent, with all that is known of it. */
interface Asked {
  readonly interaction: Interaction;
  readonly client: StoredClient;
  readonly resource: Resource;
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  readonly person: Identity | undefined;
}

/** Mounts the consent page and the style of all pages. */
export function mountConsent(app: Hono<HttpEnv>, world: ConsentWorld): void {
  app.get('/oauth/style.css', () => {
    const headers = { 'content-type': 'text/css; charset=utf-8', 'cache-control': 'public, max-age=3600' };
    return new Response(styleSheet, { headers });
  });
  app.get('/oauth/consent/:uid', (c) => withAsked(c, world, (asked) => show(c, asked, world)));
  app.post('/oauth/consent/:uid', (c) => withAsked(c, world, (asked) => decide(c, asked, world)));
}

async function withAsked(
  c: Context<HttpEnv>,
  world: ConsentWorld,
  go: (asked: Asked) => Promise<Response>,
): Promise<Response> {
  const provider = await world.provider();
  const { incoming, outgoing } = c.env;
  const interaction = await provider.interactionDetails(incoming, outgoing).catch(() => undefined);
  // The cookie is the interaction's; the address only has to agree.
  if (!interaction || interaction.uid !== c.req.param('uid'))
    return page(errorPage('session_not_found', 'there is no such interaction in this browser'), 400);
  const { client_id, redirect_uri = '', resource = world.issuer, scope = '' } = interaction.params;
  const client = await world.findClient(client_id ?? '');
  const found = resourceOf(resource, world.issuer);
  if (!client || client.status === 'blocked' || !found)
    return page(errorPage('invalid_client', 'the client may not be used'), 400);
  if (client.status === 'pending') return page(pendingPage(client, redirect_uri), 403);
  const who = await world.identifySession(c.req.header('cookie'));
  if (who.is === 'unknown') throw who.failure;
  const person = who.is === 'identity' ? who.identity : undefined;
  const scopes = scope.split(' ').filter((one) => found.scopes.includes(one));
  return go({ interaction, client, resource: found, scopes, redirectUri: redirect_uri, person });
}

async function show(c: Context<HttpEnv>, asked: Asked, world: ConsentWorld): Promise<Response> {
  const { interaction, person, client, resource, redirectUri, scopes } = asked;
  if (!person) return page(viewOf(asked, world, false));
  const approval = interaction.result?.approval as Approval | undefined;
  const given = readCookies(c.req.header('cookie')).get(approvalCookie(world));
  if (approval && given && sameSecret(hashOf(given), approval.browser))
    return finish(c, asked, person, approval.onlyReading, world);
  const at = new Date(world.now()).toISOString();
  const before = await rememberedGrant(world.db, person, client.id, resource.audience, at);
  const granted = before ? (JSON.parse(before.scopes) as string[]) : [];
  // Only where nobody else can take the client's place: https redirects of clients with a lasting identity.
  const isSure = client.kind !== 'registered' && receiverOf(redirectUri).kind === 'https';
  const asksAgain = (interaction.params.prompt ?? '').split(' ').some((one) => one !== '' && one !== 'none');
  if (before && isSure && !asksAgain && scopes.every((one) => granted.includes(one)))
    return finish(c, asked, person, false, world);
  return page(viewOf(asked, world, before !== undefined && !granted.includes('mcp:call')));
}

async function decide(c: Context<HttpEnv>, asked: Asked, world: ConsentWorld): Promise<Response> {
  const { interaction, person } = asked;
  const form = new URLSearchParams(await readText(c));
  const expected = csrfOf(asked, world);
  if (!sameSecret(form.get('csrf') ?? '', expected))
    // Somebody signed in or out in another tab: the page is shown again for whoever it is now.
    return page(viewOf(asked, world, form.get('reach') === 'read'), 403);
  const [decision, providerName] = (form.get('decision') ?? '').split(':');
  if (decision !== 'allow') return deny(c, asked, world);
  const onlyReading = form.get('reach') === 'read';
  if (person) return finish(c, asked, person, onlyReading, world);
  const chosen = world.providers.find(({ name }) => name === providerName) ?? world.providers[0];
  if (!chosen) return deny(c, asked, world);
  const browser = newSecret();
  const approval: Approval = { browser: hashOf(browser), onlyReading };
  await result(c, world, { approval });
  const query = new URLSearchParams({ redirect_uri: `/oauth/consent/${interaction.uid}` });
  const to = `/oauth2/login/${chosen.name}?${query}`;
  const cookie = setCookie(approvalCookie(world), browser, { maxAge: 900, secure: world.secure });
  return page(goingOnPage(to, `Going to ${chosen.displayName} ...`), 200, { 'set-cookie': cookie });
}

async function finish(
  c: Context<HttpEnv>,
  { interaction, client, resource, scopes, redirectUri }: Asked,
  person: Identity,
  onlyReading: boolean,
  world: ConsentWorld,
): Promise<Response> {
  const provider = await world.provider();
  const scope = onlyReading ? scopes.filter((one) => one !== 'mcp:call') : scopes;
  const accountId = accountIdOf(person);
  const grant = new provider.Grant({ accountId, clientId: client.id });
  const requested = interaction.params.resource ?? world.issuer;
  grant.addResourceScope(requested, scope.join(' '));
  grant.addOIDCScope('offline_access');
  const id = await grant.save();
  const now = world.now();
  await storeGrant(world.db, {
    ...{ id, owner: person, client, resource: resource.audience, scopes: scope },
    at: new Date(now).toISOString(),
    expiresAt: new Date(now + world.days * 24 * 3_600_000).toISOString(),
  });
  const detail = {
    client: client.id,
    client_name: client.name,
    scopes: scope,
    receiver: receiverOf(redirectUri).name,
  };
  note(c, world, person, resource, { decision: 'allow', detail });
  const done = { login: { accountId, remember: false }, select_account: {}, consent: { grantId: id } };
  return goOn(await result(c, world, done), world);
}

async function deny(c: Context<HttpEnv>, asked: Asked, world: ConsentWorld): Promise<Response> {
  note(c, world, asked.person, asked.resource, {
    decision: 'deny',
    reason: 'the person said no',
    detail: { client: asked.client.id },
  });
  const said = { error: 'access_denied', error_description: 'The person did not allow it.' };
  return goOn(await result(c, world, said), world);
}

function note(
  c: Context<HttpEnv>,
  world: ConsentWorld,
  person: Identity | undefined,
  resource: Resource,
  what: Pick<AuditEvent, 'decision' | 'reason' | 'detail'>,
): void {
  const at = new Date(world.now()).toISOString();
  const who = person ? auditIdentity(person) : null;
  const about = { kind: 'token', action: 'oauth.consent', resource: resource.at } as const;
  world.record({ ...about, ...what, at, who, status: 200, durationMs: 0 }, c);
}

async function result(
  c: Context<HttpEnv>,
  world: ConsentWorld,
  said: Record<string, unknown>,
): Promise<string> {
  const provider = await world.provider();
  const { incoming, outgoing } = c.env;
  return provider.interactionResult(incoming, outgoing, said, { mergeWithLastSubmission: false });
}

function goOn(returnTo: string, world: ConsentWorld): Response {
  const { pathname } = new URL(returnTo);
  const gone = setCookie(approvalCookie(world), '', { maxAge: 0, secure: world.secure });
  return page(goingOnPage(pathname, 'Going back to your program ...'), 200, { 'set-cookie': gone });
}

function viewOf(asked: Asked, world: ConsentWorld, onlyReading: boolean): string {
  const { client, redirectUri, resource, scopes, person, interaction } = asked;
  const title = person && world.titleOf(person, resource.at);
  const reach = {
    title: title ?? resource.at.slice(1),
    url: resource.audience,
    everything: resource.at === '/',
  };
  return consentPage({
    ...{ client, redirectUri, reach, scopes, onlyReading, person, uid: interaction.uid },
    ...{ days: world.days, providers: world.providers, csrf: csrfOf(asked, world) },
  });
}

/** Bound to this sign-in and to whoever is signed in. */
function csrfOf({ interaction, person }: Asked, world: ConsentWorld): string {
  return csrfTokenOf(world.csrfKey, `${interaction.uid} ${person?.credentialId ?? ''}`);
}

/** `__Host-` over https: no other host and no path can set it. */
function approvalCookie({ secure }: ConsentWorld): string {
  return `${secure ? '__Host-' : ''}mcp_gateway_consent`;
}

function page(html: string, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(html, { status, headers: { ...pageHeaders, ...headers } });
}
