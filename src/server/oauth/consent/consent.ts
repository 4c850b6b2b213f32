import type { Context, Hono } from 'hono';
import type { Interaction, Provider } from 'oidc-provider';
import type { AuditEvent } from '../../audit/event.ts';
import { auditIdentity } from '../../audit/event.ts';
import type { Db } from '../../db/tables.ts';
import type { HttpEnv } from '../../http/env.ts';
import { readText } from '../../http/request/body.ts';
import { readCookies, setCookie } from '../../http/request/cookies.ts';
import type { Identity, Who } from '../../identity/identity.ts';
import { csrfTokenOf, hashOf, newSecret, sameSecret } from '../../identity/keys.ts';
import type { StoredClient } from '../clients/clients.ts';
import { leadsHere, receiverOf } from '../clients/redirects.ts';
import { rememberedGrant, storeGrant } from '../grants.ts';
import { errorPage, pageHeaders, styleSheet } from '../pages.ts';
import { accountIdOf } from '../provider.ts';
import { type Resource, registryScope, registryToolsAt, resourceOf } from '../resources.ts';
import { type ConsentView, consentPage, goingOnPage, pendingPage } from './consent-page.ts';

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
  /** The endpoints that somebody may use, such as `/everything`, in the order of their names. */
  readonly placesOf: (who: Identity) => readonly string[];
  readonly record: (event: Omit<AuditEvent, 'correlationId' | 'clientIp'>, c: Context<HttpEnv>) => void;
}

/** What a person narrows a grant to. */
export interface Narrowing {
  readonly onlyReading: boolean;
  /** The one endpoint, where the program asked for all; null for no narrowing. */
  readonly onlyAt: string | null;
}

/** What was allowed before the person had signed in, bound to the browser that allowed it. */
interface Approval {
  readonly browser: string;
  readonly onlyReading: boolean;
  /** Whether the person wants to say which one server it is, once signed in. */
  readonly choosesPlace: boolean;
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
  // A page that asks for trust in the gateway's own address would be believed, and the code would go to pages not made for it.
  if (leadsHere(redirect_uri, world.issuer))
    return page(errorPage('invalid_redirect_uri', 'the code would be sent to the gateway itself'), 400);
  if (client.status === 'pending') return page(pendingPage(client, redirect_uri), 403);
  const who = await world.identifySession(c.req.header('cookie'));
  if (who.is === 'unknown') throw who.failure;
  const person = who.is === 'identity' ? who.identity : undefined;
  const scopes = scope.split(' ').filter((one) => found.scopes.includes(one));
  return go({ interaction, client, resource: found, scopes, redirectUri: redirect_uri, person });
}

async function show(c: Context<HttpEnv>, asked: Asked, world: ConsentWorld): Promise<Response> {
  const { interaction, person, client, resource, redirectUri, scopes } = asked;
  if (!person) return page(viewOf(asked, world, everything));
  const approval = interaction.result?.approval as Approval | undefined;
  const given = readCookies(c.req.header('cookie')).get(approvalCookie(world));
  if (approval && given && sameSecret(hashOf(given), approval.browser)) {
    const { onlyReading, choosesPlace } = approval;
    if (!choosesPlace) return finish(c, asked, person, { onlyReading, onlyAt: null }, world);
    return page(viewOf(asked, world, { onlyReading, onlyAt: world.placesOf(person)[0] ?? null }));
  }
  const at = new Date(world.now()).toISOString();
  const before = await rememberedGrant(
    ...([world.db, person, client.id] as const),
    { resource: resource.audience, redirectUri },
    at,
  );
  const granted = before ? (JSON.parse(before.scopes) as string[]) : [];
  const onlyAt = before?.only_at ?? null;
  // Only where nobody else can take the client's place: https redirects of clients with a lasting identity.
  const isSure = client.kind !== 'registered' && receiverOf(redirectUri).kind === 'https';
  const asksAgain = (interaction.params.prompt ?? '').split(' ').some((one) => one !== '' && one !== 'none');
  if (before && isSure && !asksAgain && scopesWithin(scopes, onlyAt).every((one) => granted.includes(one)))
    return finish(c, asked, person, { onlyReading: false, onlyAt }, world);
  const onlyReading = before !== undefined && !granted.includes('mcp:call');
  return page(viewOf(asked, world, { onlyReading, onlyAt }));
}

const everything: Narrowing = { onlyReading: false, onlyAt: null };

/** The scopes that a grant narrowed to one endpoint has: the registry's API belongs to the gateway as a whole. */
function scopesWithin(scopes: readonly string[], onlyAt: string | null): readonly string[] {
  return onlyAt === null ? scopes : scopes.filter((one) => one !== registryScope);
}

/** What a form says of narrowing; undefined when it names a place that is not the person's. */
export function narrowingIn(form: URLSearchParams, places: readonly string[]): Narrowing | undefined {
  const onlyReading = form.get('reach') === 'read';
  if (form.get('place') !== 'one') return { onlyReading, onlyAt: null };
  const onlyAt = form.get('at') ?? '';
  return places.includes(onlyAt) ? { onlyReading, onlyAt } : undefined;
}

async function decide(c: Context<HttpEnv>, asked: Asked, world: ConsentWorld): Promise<Response> {
  const { interaction, person } = asked;
  const form = new URLSearchParams(await readText(c));
  const expected = csrfOf(asked, world);
  if (!sameSecret(form.get('csrf') ?? '', expected))
    // Somebody signed in or out in another tab: the page is shown again for whoever it is now.
    return page(viewOf(asked, world, { onlyReading: form.get('reach') === 'read', onlyAt: null }), 403);
  const [decision, providerName] = (form.get('decision') ?? '').split(':');
  if (decision !== 'allow') return deny(c, asked, world);
  if (person) {
    const isForAll = asked.resource.at === '/';
    const narrowing = narrowingIn(form, isForAll ? world.placesOf(person) : []);
    return narrowing
      ? finish(c, asked, person, narrowing, world)
      : page(viewOf(asked, world, everything), 400);
  }
  const chosen = world.providers.find(({ name }) => name === providerName) ?? world.providers[0];
  if (!chosen) return deny(c, asked, world);
  const browser = newSecret();
  const choosesPlace = asked.resource.at === '/' && form.get('place') === 'one';
  const approval: Approval = {
    browser: hashOf(browser),
    onlyReading: form.get('reach') === 'read',
    choosesPlace,
  };
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
  narrowing: Narrowing,
  world: ConsentWorld,
): Promise<Response> {
  const requested = interaction.params.resource ?? world.issuer;
  const wanted = { client, resource, requested, scopes, narrowing, redirectUri, via: 'consent' } as const;
  const { id, scope, accountId } = await grantTo(world, person, wanted);
  const detail = {
    client: client.id,
    client_name: client.name,
    scopes: scope,
    ...(narrowing.onlyAt === null ? {} : { only_at: narrowing.onlyAt }),
    receiver: receiverOf(redirectUri).name,
  };
  note(c, world, person, resource, { decision: 'allow', detail });
  const done = { login: { accountId, remember: false }, select_account: {}, consent: { grantId: id } };
  return goOn(await result(c, world, done), world);
}

/** What a person allows, before it is narrowed. */
interface Wanted {
  readonly client: StoredClient;
  readonly resource: Resource;
  /** The resource as the client wrote it. */
  readonly requested: string;
  readonly scopes: readonly string[];
  readonly narrowing: Narrowing;
  /** Where the code is sent; undefined for a device. */
  readonly redirectUri?: string;
  readonly via: 'consent' | 'device';
}

/** Stores what a person has allowed, for the protocol core and for everybody who looks. */
export async function grantTo(
  world: Pick<ConsentWorld, 'db' | 'now' | 'days' | 'provider'>,
  person: Identity,
  { client, resource, requested, scopes, narrowing, redirectUri, via }: Wanted,
): Promise<{ id: string; scope: readonly string[]; accountId: string }> {
  const { onlyReading, onlyAt } = narrowing;
  // Who only looks does not change the registry either.
  const scope = scopesWithin(scopes, onlyAt).filter(
    (one) => !onlyReading || (one !== 'mcp:call' && one !== registryScope),
  );
  const provider = await world.provider();
  const accountId = accountIdOf(person);
  const grant = new provider.Grant({ accountId, clientId: client.id });
  grant.addResourceScope(requested, scope.join(' '));
  grant.addOIDCScope('offline_access');
  const id = await grant.save();
  const now = world.now();
  await storeGrant(world.db, {
    ...{ id, owner: person, client, resource: resource.audience, scopes: scope, via, onlyAt, redirectUri },
    at: new Date(now).toISOString(),
    expiresAt: new Date(now + world.days * 24 * 3_600_000).toISOString(),
  });
  return { id, scope, accountId };
}

async function deny(c: Context<HttpEnv>, asked: Asked, world: ConsentWorld): Promise<Response> {
  note(c, world, asked.person, asked.resource, {
    decision: 'deny',
    reason: 'denied by the person',
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

function viewOf(asked: Asked, world: ConsentWorld, narrowing: Narrowing): string {
  const { client, redirectUri, resource, scopes, person, interaction } = asked;
  return consentPage({
    ...{ client, redirectUri, scopes, person, reach: reachOf(world, resource, person), ...narrowing },
    ...{ days: world.days, providers: world.providers, places: person ? world.placesOf(person) : [] },
    action: `/oauth/consent/${interaction.uid}`,
    hidden: { csrf: csrfOf(asked, world) },
  });
}

/** What a resource is in words, to whoever is signed in. */
export function reachOf(
  { titleOf }: Pick<ConsentWorld, 'titleOf'>,
  resource: Resource,
  person: Identity | undefined,
): ConsentView['reach'] {
  const title = person && titleOf(person, resource.at);
  return {
    title: title ?? resource.at.slice(1),
    url: resource.audience,
    everything: resource.at === '/',
    leadsOn: resource.at === registryToolsAt,
  };
}

/** Bound to this sign-in and to whoever is signed in. */
function csrfOf({ interaction, person }: Asked, world: ConsentWorld): string {
  return csrfTokenOf(world.csrfKey, `${interaction.uid} ${person?.credentialId ?? ''}`);
}

/** `__Host-` over https: no other host and no path can set it. */
function approvalCookie({ secure }: ConsentWorld): string {
  return `${secure ? '__Host-' : ''}mcp_gateway_consent`;
}

/** A page as it goes out. */
export function page(html: string, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(html, { status, headers: { ...pageHeaders, ...headers } });
}
