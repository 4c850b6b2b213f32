import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OpenDatabase } from '../db/open.ts';
import { callbackOf } from './clients.ts';
import { discoveryHeader, gatewayItself } from './discovery.ts';
import {
  type Clock,
  openMemory,
  personOf,
  type ScriptedAuthority,
  settingsOf,
  startAuthority,
  startProcess,
} from './egress.test-support.ts';
import type { EgressServer } from './renew.ts';
import { type EgressSettings, settingsFrom } from './settings.ts';
import { listConnections } from './store.ts';

const clock: Clock = { now: 0 };
const [ann, bob] = [personOf('ann'), personOf('bob')];
let database: OpenDatabase;
let authority: ScriptedAuthority;
let world: Awaited<ReturnType<typeof startProcess>>;
/** As whom tokens were exchanged. */
let exchanged: string[];

beforeEach(async () => {
  clock.now = Date.parse('2026-11-29T12:00:00Z');
  exchanged = [];
  [database, authority] = [await openMemory(), await startAuthority()];
  world = await startProcess(database, clock, {
    async exchange(_, { kind, subject }) {
      exchanged.push(`${kind} ${subject}`);
      const access = `exchanged for ${kind} ${subject}`;
      return { access, accessExpiresAt: clock.now + 600_000, refresh: null, scopes: [], idClaims: {} };
    },
  });
});
afterEach(async () => {
  await world.close();
  await Promise.all([authority.close(), database.close()]);
});

function serverWith(more: Partial<EgressSettings>): EgressServer {
  const owner = { provider: '', subject: '', serverId: 'files', purpose: 'client', address: '' };
  const { vault } = world;
  const settings = settingsOf({
    ...{ custom_token_url: `${authority.origin}/token`, custom_authorize_url: 'https://a.example' },
    client_secret: { keyId: vault.keyId, sealed: vault.seal(owner, 'client-secret', 's3cret') },
    ...more,
  });
  return { id: 'files', name: 'files', settings, url: new URL('https://files.example/mcp') };
}
const look = (server: EgressServer) => discoveryHeader(world.renewal, server);
const asked = () => authority.requests.map(({ grant_type }) => grant_type);

/** Somebody consents that a server is looked at as them; returns what their attempt was for. */
async function consent(server: EgressServer, who: typeof ann): Promise<string[]> {
  const url = new URL(await world.connecting.begin(server, who, 'discovery'));
  const query = new URLSearchParams({ state: url.searchParams.get('state') ?? '', code: 'c' });
  const purposes: string[] = [];
  await world.connecting.complete(query, callbackOf(server), who, (_, purpose) => {
    purposes.push(purpose);
    return server;
  });
  return purposes;
}

test('nobody looks at a server unless that was set up, though people are connected to it', async () => {
  const server = serverWith({});
  await world.connect(ann, server, { access: 'of ann' });
  expect(await look(server)).toBe(undefined);
  expect(asked()).toEqual([]);
});

test("the gateway's own client looks, with a token that is fetched once and makes no calls", async () => {
  const server = serverWith({ discovery: 'client_credentials' });
  await world.connect(ann, server, { access: 'of-ann' });
  expect(await look(server)).toEqual(['Authorization', 'Bearer access-1']);
  expect(await look(server)).toEqual(['Authorization', 'Bearer access-1']);
  expect(asked()).toEqual(['client_credentials']);
  expect((await world.credentials.of(server, ann)).value).toBe('Bearer of-ann');
  await expect(world.credentials.of(server, bob)).rejects.toMatchObject({ code: 'connection_needed' });
  expect(() => world.credentials.of(server, gatewayItself)).toThrow(
    'an agent that does not act for a person',
  );
});

test('a person who consented to lists looks, and falls into nobody else when that ends', async () => {
  const server = serverWith({ discovery: 'person' });
  // Who is connected for calls was not asked for lists.
  await world.connect(ann, server, { access: 'of-ann' });
  await expect(look(server)).rejects.toMatchObject({ code: 'connection_needed' });
  expect(await consent(server, bob)).toEqual(['discovery']);
  expect(await look(server)).toEqual(['Authorization', 'Bearer access-1']);
  await expect(world.credentials.of(server, bob)).rejects.toMatchObject({ code: 'connection_needed' });
  clock.now += 3_600_000;
  expect(await look(server)).toEqual(['Authorization', 'Bearer access-2']);
  await consent(server, ann);
  const left = (await listConnections(database.db, null)).filter(
    ({ owner }) => owner.purpose === 'discovery',
  );
  expect(left.map(({ owner }) => owner.subject)).toEqual(['ann']);
  clock.now += 3_600_000;
  authority.script = () => ({ status: 400, body: { error: 'invalid_grant' } });
  for (const _ of [1, 2]) await expect(look(server)).rejects.toMatchObject({ code: 'connection_needed' });
  expect(asked().filter((one) => one === 'client_credentials')).toEqual([]);
  expect((await world.credentials.of(server, ann)).value).toBe('Bearer of-ann');
});

test('where sign-ins are exchanged the application looks, and calls stay those of people', async () => {
  const server = serverWith({ egress_auth_mode: 'obo_exchange', discovery: 'app_only' });
  expect(await look(server)).toEqual(['Authorization', 'Bearer exchanged for agent ']);
  expect((await world.credentials.of(server, ann)).value).toBe('Bearer exchanged for person ann');
  expect(await look(server)).toEqual(['Authorization', 'Bearer exchanged for agent ']);
  expect(exchanged).toEqual(['agent ', 'person ann']);
});

test.each([
  ['pat', 'client_credentials', null],
  ['pat', 'app_only', 'gw'],
  ['obo_exchange', 'person', 'gw'],
  ['oauth_user', 'app_only', 'gw'],
  ['client_credentials', 'client_credentials', 'gw'],
] as const)('a server with %s is not looked at by %s with the client %s', (mode, discovery, client_id) => {
  const { client_secret: _, ...said } = settingsOf({ discovery, client_id, scopes: ['a'] });
  const input = { ...said, egress_auth_mode: mode, ...(client_id ? { client_secret: 's' } : {}) };
  expect(() => settingsFrom(world.vault, 'files', input, null, { audiences: [], scopes: [] })).toThrow(
    'discovery',
  );
});
