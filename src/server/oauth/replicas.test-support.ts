import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { AuditEvent } from '../audit/event.ts';
import { followed } from '../changes/feed.test-support.ts';
import type { OauthConfig } from '../config/config-oauth.ts';
import { createAllow } from '../db/allowance.ts';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import type { HttpEnv } from '../http/env.ts';
import { createRate } from '../http/sign-in.ts';
import { tokenIdentifier } from '../identity/identify.ts';
import type { Identity, Who } from '../identity/identity.ts';
import { deriveKey, keyringOf } from '../identity/keys.ts';
import { findPerson, rememberPerson } from '../identity/people.ts';
import type { Fetch } from '../net/outbound.ts';
import { mountConsent } from './consent/consent.ts';
import { mountDevice } from './consent/device.ts';
import type { TrustedIssuer } from './delegation/assertion.ts';
import { createKeys } from './keys.ts';
import { createAuthorizationServer } from './server.ts';
import { identityOfIssuedToken } from './verify.ts';

const secretKey = 'k'.repeat(40);

/** The settings of these tests: clients register themselves, tokens live 15 minutes. */
export const openSettings: OauthConfig = {
  ...{ registration: 'open', documents: 'open', accessMinutes: 15, grantDays: 30, providersToo: false },
  assertionIssuers: [],
};

/** How a replica is set up. */
export interface ReplicaOptions {
  /** Where another replica is the one that the public address leads to. */
  readonly issuer?: string;
  readonly settings?: Partial<OauthConfig>;
  readonly now?: () => number;
  readonly fetch?: Fetch;
  readonly issuers?: readonly TrustedIssuer[];
  readonly isReading?: (server: string, tool: string) => boolean;
  /** Sign-ins that an address may start within a minute; no limit unless given. */
  readonly startsPerMinute?: number;
  /** The address that requests come from. */
  readonly clientIp?: () => string;
  /** Called before each request. */
  readonly onRequest?: () => void;
}

/** One process of the authorization server on a database: its endpoints over HTTP, and who its tokens are. */
export type Replica = Awaited<ReturnType<typeof startReplica>>;

/** A database with some people, and replicas of the authorization server on it. */
export async function openReplicas() {
  const database = await openMemory();
  const replicas: Replica[] = [];
  for (const name of ['alice', 'bob'])
    await rememberPerson(database.db, 'entra', personNamed(name), new Date().toISOString());
  return {
    db: database.db,
    async start(options: ReplicaOptions = {}): Promise<Replica> {
      const replica = await startReplica(database, options);
      replicas.push(replica);
      return replica;
    },
    async close() {
      for (const replica of replicas.splice(0)) await replica.close();
      await database.close();
    },
  };
}

function personNamed(name: string) {
  return {
    ...{ subject: name, username: `${name}@contoso.example`, name, email: null, tenant: 't', sid: null },
    ...{ groups: [`${name}s`], groupsComplete: true, logoutHint: null },
  };
}

async function startReplica(database: OpenDatabase, options: ReplicaOptions) {
  const { db } = database;
  const { now = () => Date.now(), issuers = [], fetch = offline, isReading = () => false } = options;
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `localhost:${(server.address() as AddressInfo).port}`;
  const url = `http://${host}`;
  const issuer = options.issuer ?? url;
  const feed = await followed(database);
  const events: AuditEvent[] = [];
  const freshPerson = async (provider: string, subject: string) =>
    (await findPerson(db, provider, subject))?.known;
  const keys = createKeys({ db, now, key: deriveKey(secretKey, 'oauth-key') });
  const verify = { db, issuer, keys, freshPerson, isReading, now };
  const tokens = tokenIdentifier({
    ...{ trusted: [], cutoffOf: async () => undefined, completeGroups: async () => [], feed, now },
    memberships: { forget() {} },
    issued: { issuer, identify: (token) => identityOfIssuedToken(verify, token) },
    personal: {
      ...{ db, now, freshPerson, key: deriveKey(secretKey, 'personal-token') },
      settings: { issuer: 'own', audience: 'own', defaultHours: 1, maxHours: 1, perHour: 9 },
    },
  });
  const { endpoints, consent } = createAuthorizationServer({
    ...{
      db,
      issuer,
      secretKey,
      artifactKeys: keyringOf(secretKey).of('oauth-artifact'),
      now,
      verify,
      freshPerson,
      fetch,
      issuers,
    },
    settings: { ...openSettings, ...options.settings },
    log: { info() {}, error: (facts, text) => void console.error(text, facts) },
    identify: tokens.identify,
    identifySession: async (cookie) => sessionOf(cookie, freshPerson),
    providers: [{ name: 'entra', displayName: 'Entra' }],
    titleOf: (_, at) => at.slice(1),
    placesOf: () => ['/calendar', '/mail'],
    record: (event) => void events.push({ ...event, correlationId: '', clientIp: null }),
    recordEvent: (event) => void events.push(event),
    allowedHosts: new Set([host, new URL(issuer).host]),
    clientIp: options.clientIp ?? (() => '192.0.2.1'),
    mayStart: createRate('program', options.startsPerMinute ?? 0, createAllow(now)),
  });
  const app = new Hono<HttpEnv>();
  mountConsent(app, consent);
  mountDevice(app, consent);
  const pages = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const listener: RequestListener = (req, res) =>
    endpoints.owns(req.url ?? '') ? endpoints.handle(req, res) : void pages(req, res);
  server.on('request', (req, res) => {
    options.onRequest?.();
    listener(req, res);
  });
  return {
    ...{ url, issuer, events, feed },
    /** Who a token is at an endpoint, once what was committed has arrived. */
    async sees(token: string | undefined, at: string): Promise<Who> {
      await feed.caughtUp();
      return tokens.identify({ authorization: `Bearer ${token}` }, at);
    },
    async close() {
      tokens.close();
      await feed.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

const offline: Fetch = async (url) => {
  throw new Error(`nothing may be asked for here: ${url}`);
};

async function sessionOf(
  cookie: string | undefined,
  freshPerson: (provider: string, subject: string) => Promise<object | undefined>,
): Promise<Who> {
  const name = /(?:^|; )who=(\w+)/.exec(cookie ?? '')?.[1] ?? '';
  const person = await freshPerson('entra', name);
  if (!person) return { is: 'nobody', failure: new Error('nobody') as never };
  const session = { kind: 'person', clientId: null, method: 'session', credentialId: `session of ${name}` };
  return {
    is: 'identity',
    identity: { ...person, ...session, expiresAt: Number.POSITIVE_INFINITY } as Identity,
  };
}

/** Where the programs of these tests get their codes; nobody listens there. */
export const redirectUri = 'http://127.0.0.1:51234/callback';

/** A response, as far as these tests look. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; empty for a page. */
  readonly body: Record<string, unknown> & Partial<Record<OauthMember, string>>;
}
type OauthMember =
  | (
      | 'access_token'
      | 'refresh_token'
      | 'error'
      | 'error_description'
      | 'scope'
      | 'client_id'
      | 'client_secret'
    )
  | ('device_code' | 'user_code' | 'verification_uri' | 'verification_uri_complete' | 'token_type')
  | 'issued_token_type';

/** Sends a form, or asks for a page. */
export async function send(
  url: string | URL,
  form?: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await globalThis.fetch(url, {
    redirect: 'manual',
    headers,
    ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : {} };
}

/** Registers a program; returns its client id. */
export async function registered({ url }: Replica, metadata: object = {}): Promise<string> {
  const response = await globalThis.fetch(`${url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ client_name: 'Test', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' },
      ...metadata,
    }),
  });
  return ((await response.json()) as { client_id: string }).client_id;
}

/** The members of a form on a page that a person would send with a button. */
export function hiddenIn(page: string): Record<string, string> {
  const found = page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g);
  return Object.fromEntries([...found].map(([, name = '', value = '']) => [name, value]));
}

/** What a person says to a program on the consent page. */
export interface Said {
  readonly who?: string;
  readonly resource?: string;
  readonly choice?: Record<string, string>;
}

/** Signs somebody in from a program by a code: asks at one replica, redeems the code at another. */
export async function signedIn(
  at: Replica,
  clientId: string,
  { who = 'alice', resource, choice = {} }: Said = {},
  redeemAt = at,
): Promise<Answer> {
  const verifier = randomBytes(32).toString('base64url');
  const query = {
    ...{ client_id: clientId, response_type: 'code', redirect_uri: redirectUri, state: 's' },
    ...{ code_challenge_method: 'S256', ...(resource ? { resource } : {}) },
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  };
  const begun = await send(`${at.url}/oauth/authorize?${new URLSearchParams(query)}`);
  const cookie = `who=${who}; ${cookiesOf(begun)}`;
  const consentUrl = `${at.url}${new URL(begun.headers.get('location') ?? '', at.issuer).pathname}`;
  const page = await send(consentUrl, undefined, { cookie });
  const said = await send(consentUrl, { ...hiddenIn(page.text), decision: 'allow', ...choice }, { cookie });
  const next = /content="0; url=([^"]+)"/.exec(said.text)?.[1];
  if (!next) return said;
  const done = await send(`${at.url}${next}`, undefined, { cookie });
  const code = new URL(done.headers.get('location') ?? '').searchParams.get('code') ?? '';
  return send(`${redeemAt.url}/oauth/token`, {
    ...{ grant_type: 'authorization_code', client_id: clientId, code, code_verifier: verifier },
    ...{ redirect_uri: redirectUri, ...(resource ? { resource } : {}) },
  });
}

function cookiesOf({ headers }: Answer): string {
  return headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
}
