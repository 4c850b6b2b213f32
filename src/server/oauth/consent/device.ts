import type { Context, Hono } from 'hono';
import type { DeviceCode, Provider } from 'oidc-provider';
import { auditIdentity } from '../../audit/event.ts';
import type { HttpEnv } from '../../http/env.ts';
import { readText } from '../../http/request/body.ts';
import type { Identity } from '../../identity/identity.ts';
import { csrfTokenOf, sameSecret } from '../../identity/keys.ts';
import type { StoredClient } from '../clients/clients.ts';
import { escaped, pageOf } from '../pages.ts';
import { routes, scopeAsked } from '../provider.ts';
import { takeTurn } from '../rates.ts';
import { type Resource, resourceOf } from '../resources.ts';
import { type ConsentWorld, grantTo, narrowingIn, page, reachOf } from './consent.ts';
import { consentPage, pendingPage } from './consent-page.ts';

/** Codes that one person may enter within ten minutes: nobody guesses one of 20^8 by that (RFC 8628, section 5.1). */
const entered = { most: 20, withinMs: 600_000 };
const path = routes.code_verification;

/** A device that waits, with all that is known of what it asks for. */
interface Waiting {
  readonly code: DeviceCode;
  readonly client: StoredClient;
  readonly resource: Resource;
  readonly requested: string;
  readonly scopes: readonly string[];
}

/** Mounts the page on which people connect devices (RFC 8628, section 3.3): enter the code, see what it is for, allow it. */
export function mountDevice(app: Hono<HttpEnv>, world: ConsentWorld): void {
  app.get(path, async (c) => {
    const code = c.req.query('user_code') ?? '';
    const person = await personOf(c, world);
    return person ? page(codePage(code, csrfOf(world, person, ''))) : page(signInPage(code, world));
  });
  app.post(path, async (c) => {
    const form = new URLSearchParams(await readText(c));
    const entry = form.get('user_code') ?? '';
    const person = await personOf(c, world);
    if (!person) return page(signInPage(entry, world), 401);
    const isDecision = form.has('decision');
    // A page of somebody else's must not choose the code, nor say yes to it.
    if (!sameSecret(form.get('csrf') ?? '', csrfOf(world, person, isDecision ? normal(entry) : '')))
      return page(codePage(entry, csrfOf(world, person, ''), 'Someone else has signed in. Try again.'), 403);
    return isDecision ? decide(c, form, person, world) : find(entry, person, world);
  });
}

async function personOf(c: Context<HttpEnv>, world: ConsentWorld): Promise<Identity | undefined> {
  const who = await world.identifySession(c.req.header('cookie'));
  if (who.is === 'unknown') throw who.failure;
  return who.is === 'identity' && who.identity.kind === 'person' ? who.identity : undefined;
}

async function find(entry: string, person: Identity, world: ConsentWorld): Promise<Response> {
  const again = (status: 400 | 429, why: string): Response =>
    page(codePage(entry, csrfOf(world, person, ''), why), status);
  const whose = `${person.provider}:${person.subject}`;
  if (!(await takeTurn(world.db, ['device code entered', whose], entered, world.now())))
    return again(429, 'You have entered too many codes. Wait ten minutes, then start again on the device.');
  const waiting = await waitingFor(entry, world);
  if (!waiting)
    return again(400, 'There is no such code, or it was used or took too long. Compare it, or start again.');
  const { client, scopes, resource } = waiting;
  if (client.status === 'pending') return page(pendingPage(client), 403);
  return page(
    consentPage({
      ...{ client, scopes, person, redirectUri: undefined, reach: reachOf(world, resource, person) },
      ...{ days: world.days, providers: world.providers, places: world.placesOf(person) },
      ...{ onlyReading: false, onlyAt: null, action: path },
      hidden: { user_code: normal(entry), csrf: csrfOf(world, person, normal(entry)) },
    }),
  );
}

async function decide(
  c: Context<HttpEnv>,
  form: URLSearchParams,
  person: Identity,
  world: ConsentWorld,
): Promise<Response> {
  const waiting = await waitingFor(form.get('user_code') ?? '', world);
  const narrowing = waiting && narrowingIn(form, waiting.resource.at === '/' ? world.placesOf(person) : []);
  if (!waiting || waiting.client.status === 'pending' || !narrowing)
    return page(
      endPage('The code is over', 'It was used already or took too long. Start again on the device.'),
      400,
    );
  const { code, client, resource, requested, scopes } = waiting;
  const isAllowed = form.get('decision') === 'allow';
  const about = { kind: 'token', action: 'oauth.device', resource: resource.at, status: 200 } as const;
  const who = { at: new Date(world.now()).toISOString(), who: auditIdentity(person), durationMs: 0 };
  const detail = { client: client.id, client_name: client.name };
  if (!isAllowed) {
    await settle(code, { error: 'access_denied', errorDescription: 'The person did not allow it.' });
    world.record({ ...about, ...who, decision: 'deny', reason: 'denied by the person', detail }, c);
    return page(endPage('The device was not connected', 'It is notified that you did not allow it.'));
  }
  const { id, scope, accountId } = await grantTo(world, person, {
    ...{ client, resource, requested, scopes, narrowing, via: 'device' },
  });
  await settle(code, {
    ...{ accountId, grantId: id, resource: requested },
    scope: [...scope, 'offline_access'].join(' '),
  });
  const only = narrowing.onlyAt === null ? {} : { only_at: narrowing.onlyAt };
  world.record({ ...about, ...who, decision: 'allow', detail: { ...detail, scopes: scope, ...only } }, c);
  return page(endPage('The device is connected', 'You can close this page and continue on the device.'));
}

/** Says what the device hears at its next poll. */
async function settle(code: DeviceCode, said: Record<string, unknown>): Promise<void> {
  await Object.assign(code, said).save();
}

/** The device that waits for a code; undefined for a code that is wrong, over, used, or of a program that may not be used. */
async function waitingFor(entry: string, world: ConsentWorld): Promise<Waiting | undefined> {
  const provider: Provider = await world.provider();
  const code = await provider.DeviceCode.findByUserCode(normal(entry));
  if (!code || code.accountId || code.error) return undefined;
  const client = await world.findClient(code.clientId ?? '');
  const requested = typeof code.params?.resource === 'string' ? code.params.resource : world.issuer;
  const resource = resourceOf(requested, world.issuer);
  if (!client || client.status === 'blocked' || !resource) return undefined;
  const asked = scopeAsked(String(code.params?.scope ?? '')).split(' ');
  return { code, client, resource, requested, scopes: asked.filter((one) => resource.scopes.includes(one)) };
}

/** As it is stored: capitals without what people put between them. */
function normal(entry: string): string {
  return entry
    .slice(0, 100)
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '');
}

function csrfOf({ csrfKey }: ConsentWorld, person: Identity, code: string): string {
  return csrfTokenOf(csrfKey, `device ${code} ${person.credentialId ?? ''}`);
}

function signInPage(code: string, { providers }: ConsentWorld): string {
  const back = code === '' ? path : `${path}?${new URLSearchParams({ user_code: code.slice(0, 100) })}`;
  const ways = providers.map(
    ({ name, displayName }) =>
      `<a class="button" href="/oauth2/login/${escaped(name)}?${escaped(new URLSearchParams({ redirect_uri: back }))}">Sign in with ${escaped(displayName)}</a>`,
  );
  return pageOf({
    title: 'Connect a device',
    body: `<p>A program on another device waits for you to sign in.</p>\n<p>${ways.join('\n')}</p>`,
  });
}

function codePage(code: string, csrf: string, wrong?: string): string {
  const says = wrong === undefined ? '' : `<p class="warn" role="alert">${escaped(wrong)}</p>\n`;
  return pageOf({
    title: 'Connect a device',
    body: `${says}<form method="post" action="${path}">
<input type="hidden" name="csrf" value="${escaped(csrf)}">
<label for="user_code">The code that the device shows</label>
<p><input type="text" id="user_code" name="user_code" value="${escaped(code.slice(0, 100))}" autocomplete="off" autocapitalize="characters" spellcheck="false" required></p>
<p><button>Continue</button></p>
</form>
<p class="fine">Enter only a code from a device in front of you. If someone sent it to you, do not enter it.</p>`,
  });
}

function endPage(title: string, text: string): string {
  return pageOf({ title, body: `<p>${escaped(text)}</p>` });
}
