import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { followed } from '../changes/feed.test-support.ts';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import type { Db } from '../db/tables.ts';
import type { Identity } from '../identity/identity.ts';
import { keyringOf } from '../identity/keys.ts';
import { outbound } from '../net/outbound.ts';
import { createConnecting } from './connecting.ts';
import { createCredentials } from './credential.ts';
import type { EgressServer, RenewalWorld } from './renew.ts';
import type { EgressSettings } from './settings.ts';
import { createSources } from './sources.ts';
import { type NewConnection, storeConnection } from './store.ts';
import { authorityLimits } from './tokens.ts';
import { createConnectionVault } from './vault.ts';

/** A token request as the authorization server got it. */
export type TokenRequest = Readonly<Record<string, string>>;

/** An authorization server whose token endpoint does what a test says. */
export interface ScriptedAuthority {
  readonly origin: string;
  readonly requests: TokenRequest[];
  registrations: number;
  /** Status and body of each answer of the token endpoint. */
  script: (
    form: TokenRequest,
  ) => { status?: number; body: unknown } | Promise<{ status?: number; body: unknown }>;
  /** What it says to a client that registers. */
  registration: unknown;
  /** What differs in its metadata. */
  metadata: Record<string, unknown>;
  /** What differs in the document of the server at `/mcp` about itself (RFC 9728). */
  resource: Record<string, unknown>;
  close(): Promise<void>;
}

/** Starts it on loopback; it gives tokens named by their order until it is given a script. */
export async function startAuthority(): Promise<ScriptedAuthority> {
  let given = 0;
  const authority: Omit<ScriptedAuthority, 'origin' | 'close'> = {
    requests: [],
    registrations: 0,
    registration: { client_id: 'registered-by-itself' },
    metadata: {},
    resource: {},
    script: () => {
      given += 1;
      return {
        body: { access_token: `access-${given}`, refresh_token: `refresh-${given}`, expires_in: 3600 },
      };
    },
  };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    const send = (status: number, body: unknown): void => {
      res.writeHead(status, { 'content-type': 'application/json' });
      res.end(JSON.stringify(body));
    };
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', async () => {
      const text = Buffer.concat(chunks).toString('utf8');
      if (req.url?.startsWith('/.well-known/oauth-protected-resource'))
        return send(200, {
          ...{ resource: `${origin}/mcp`, authorization_servers: [origin], scopes_supported: ['files:read'] },
          ...authority.resource,
        });
      if (req.url?.startsWith('/.well-known/'))
        return send(200, {
          ...{
            issuer: origin,
            authorization_endpoint: `${origin}/authorize`,
            token_endpoint: `${origin}/token`,
          },
          ...{ registration_endpoint: `${origin}/register`, code_challenge_methods_supported: ['S256'] },
          ...authority.metadata,
        });
      if (req.url === '/register') {
        authority.registrations += 1;
        return send(201, authority.registration);
      }
      if (req.url === '/mcp') return send(401, {});
      const basic = /^Basic (.+)$/.exec(req.headers.authorization ?? '')?.[1];
      const form = {
        ...Object.fromEntries(new URLSearchParams(text)),
        ...(basic ? { basic: Buffer.from(basic, 'base64').toString('utf8') } : {}),
      };
      authority.requests.push(form);
      const { status = 200, body } = await authority.script(form);
      if (status === 0) req.socket.destroy();
      // Whoever is sent on must not take along what was meant for this one.
      else if (status >= 300 && status < 400) res.writeHead(status, { location: String(body) }).end();
      else send(status, body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(authority, {
    origin,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

/** Settings of a server whose people have credentials of their own. */
export function settingsOf(more: Partial<EgressSettings> = {}): EgressSettings {
  return {
    ...{
      egress_auth_mode: 'oauth_user',
      egress_provider: 'custom',
      client_id: 'gateway',
      client_secret: null,
    },
    ...{ scopes: ['read'], target_audience: null, audience_parameter: 'resource' },
    ...{ custom_authorize_url: null, custom_token_url: null, custom_issuer: null },
    ...{ token_auth_method: 'client_secret_basic', header_name: 'Authorization', header_prefix: 'Bearer ' },
    ...{ max_days: 30, discovery: 'none' },
    ...more,
  };
}

/** The server `files` (id `s1`) at an authority's origin, whose people have credentials of their own. */
export function serverAt(authority: ScriptedAuthority, settings: Partial<EgressSettings> = {}): EgressServer {
  const url = new URL(`${authority.origin}/mcp`);
  return {
    id: 's1',
    name: 'files',
    url,
    settings: settingsOf({ egress_auth_mode: 'oauth_user', ...settings }),
  };
}

/** Stores that somebody at the provider `entra` is connected to a server. */
export async function holdConnection(db: Db, subject: string, serverId: string): Promise<void> {
  await storeConnection(
    db,
    createConnectionVault(keyringOf('k')),
    {
      ...{ access: 'x', accessExpiresAt: null, refresh: null, scopes: [], issuer: null, account: null },
      ...{ username: '', mode: 'oauth_user', audience: null, endsAt: null },
      owner: { provider: 'entra', subject, serverId, purpose: 'call', address: 'https://h.example' },
    },
    '2026-01-01T00:00:00.000Z',
  );
}

/** A person as the gateway knows them. */
export function personOf(subject: string, more: Partial<Identity> = {}): Identity {
  return {
    ...{
      kind: 'person',
      provider: 'test',
      subject,
      username: `${subject}@example`,
      name: subject,
      email: null,
    },
    ...{ clientId: null, groups: [], method: 'session', credentialId: `session-${subject}`, expiresAt: 1e15 },
    ...more,
  };
}

/** Time and what it starts from; a test moves it. */
export interface Clock {
  now: number;
}

/** One process of the gateway, as far as credentials go, over a database that others may share. */
export async function startProcess(
  database: Pick<OpenDatabase, 'db' | 'hint'>,
  clock: Clock,
  more: Partial<Pick<RenewalWorld, 'exchange' | 'db' | 'lost'>> = {},
) {
  const feed = await followed(database);
  const db = more.db ?? database.db;
  const fetch = outbound({ policy: { allowPrivate: true }, ...authorityLimits });
  const vault = createConnectionVault(keyringOf('a secret for tests'));
  const warnings: object[] = [];
  const parts = {
    ...{ db, vault, fetch, now: () => clock.now, publicUrl: 'http://gateway.example' },
    limits: { audiences: [], scopes: [] },
    log: { warn: (facts: object) => void warnings.push(facts) },
  };
  const sources = createSources(parts);
  const renewal: RenewalWorld & typeof parts = {
    ...parts,
    async sourceOf(server, issuer) {
      const { client, source } = await sources.clientOf(server, issuer);
      return { client, issuer: source.issuer };
    },
    ...(more.lost ? { lost: more.lost } : {}),
    exchange: more.exchange ?? (() => Promise.reject(new Error('nothing is exchanged here'))),
  };
  const credentials = createCredentials({ ...renewal, feed });
  const connecting = createConnecting({ ...parts, sources, key: Buffer.alloc(32, 3) });
  return {
    ...{ vault, feed, credentials, connecting, warnings, renewal },
    /** Stores a connection as if its owner had just made it. */
    connect: (identity: Identity, server: EgressServer, made: Partial<NewConnection> = {}) =>
      storeConnection(
        database.db,
        vault,
        {
          owner: {
            ...{ provider: identity.provider, subject: identity.subject, serverId: server.id },
            ...{ purpose: 'call', address: server.url.origin },
          },
          ...{ username: identity.username, mode: server.settings.egress_auth_mode, issuer: null },
          ...{ account: null, audience: null, endsAt: null, access: `access of ${identity.subject}` },
          ...{ accessExpiresAt: null, refresh: null, scopes: [] },
          ...made,
        },
        new Date(clock.now).toISOString(),
      ),
    async close() {
      await credentials.close();
      await feed.close();
      await fetch.close();
    },
  };
}

/** A database in memory for one test. */
export { openMemory };
