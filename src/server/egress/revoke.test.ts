import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import {
  personOf,
  type ScriptedAuthority,
  serverAt,
  startAuthority,
  startProcess,
} from './egress.test-support.ts';
import { createRevocations, type Gone, type Revoked } from './revoke.ts';
import type { EgressSettings } from './settings.ts';
import { createSources } from './sources.ts';
import { removeConnectionsAt, removeConnectionsOf } from './store.ts';

const ann = personOf('ann');
let authority: ScriptedAuthority;
let database: OpenDatabase;
let gateway: Awaited<ReturnType<typeof startProcess>>;
let done: [subject: string, became: Revoked][];
beforeEach(async () => {
  done = [];
  authority = await startAuthority();
  authority.metadata = { revocation_endpoint: `${authority.origin}/revoke` };
  authority.script = () => ({ body: {} });
  database = await openMemory();
  gateway = await startProcess(database, { now: Date.parse('2026-06-01T00:00:00Z') });
});
afterEach(async () => {
  await gateway.close();
  await database.close();
  await authority.close();
});

const serverOf = (settings: Partial<EgressSettings> = {}) => serverAt(authority, settings);

function revocations() {
  const { vault, renewal } = gateway;
  return createRevocations({
    ...{ vault, sources: createSources(renewal), fetch: renewal.fetch },
    done: ({ connection }, became) => void done.push([connection.owner.subject, became]),
  });
}

const asked = () => authority.requests.map(({ token, token_type_hint: hint }) => [hint, token]);

test('both tokens are taken back, the refresh token first, as the client that they were given to', async () => {
  const server = serverOf();
  const connection = await gateway.connect(ann, server, { access: 'the-access', refresh: 'the-refresh' });
  expect(await revocations().now({ server, connection })).toBe('revoked');
  expect(asked()).toEqual([
    ['refresh_token', 'the-refresh'],
    ['access_token', 'the-access'],
  ]);
  expect(authority.requests[0]).toMatchObject({ client_id: server.settings.client_id });
});

const says = (status: number, body: unknown = {}) => {
  authority.script = () => ({ status, body });
};
const names = (metadata: Record<string, unknown>) => {
  authority.metadata = metadata;
};
const away = { custom_issuer: 'http://127.0.0.1:9' };
const known = {
  custom_authorize_url: 'http://127.0.0.1:9/authorize',
  custom_token_url: 'http://127.0.0.1:9/token',
};

test.each<[string, () => void, Revoked, Partial<EgressSettings>?]>([
  ['says nothing of revocation', () => names({}), 'unsupported'],
  ['names an address that is none', () => names({ revocation_endpoint: 'x' }), 'unsupported'],
  ['refuses', () => says(400), 'refused'],
  ['breaks', () => says(500), 'unavailable'],
  ['hangs up', () => says(0), 'unavailable'],
  ['sends on', () => says(302, 'http://127.0.0.1:9/'), 'refused'],
  ['is away', () => says(200), 'unavailable', away],
  ['is known by its token address alone', () => says(200), 'unsupported', known],
])('an authorization server that %s', async (_, arrange, became, settings) => {
  arrange();
  const server = serverOf(settings);
  const connection = await gateway.connect(ann, server, { refresh: 'r' });
  expect(await revocations().now({ server, connection })).toBe(became);
});

test('a token is shown to no other authorization server than the one that gave it', async () => {
  const server = serverOf();
  const connection = await gateway.connect(ann, server, { issuer: 'https://another.example', refresh: 'r' });
  expect(await revocations().now({ server, connection })).toBe('unsupported');
  expect(asked()).toEqual([]);
});

test('a client that registered itself is remembered for what is gone with its server, and none registers for it', async () => {
  authority.registration = { client_id: 'by-itself', client_secret: 'its-secret' };
  const server = serverOf({ client_id: null });
  await createSources(gateway.renewal).clientOf(server, null);
  const connection = await gateway.connect(ann, server, { refresh: 'r' });
  const gone = await removeConnectionsAt(database.db, 's1');
  expect(gone.connections).toMatchObject([{ id: connection.id }]);
  expect(await revocations().now({ server, connection })).toBe('unsupported');
  expect(await revocations().now({ server, connection, clients: gone.clients })).toBe('revoked');
  expect(authority.registrations).toBe(1);
  expect(JSON.stringify(authority.requests[0])).toContain('by-itself');
});

test('what ends with a person is taken back in the background and told; tokens that were entered are not', async () => {
  const [files, wiki] = [serverOf(), { ...serverOf({ egress_auth_mode: 'pat' }), id: 's2', name: 'wiki' }];
  await gateway.connect(ann, files, { refresh: 'r' });
  await gateway.connect(ann, wiki, { access: 'entered' });
  await gateway.connect(personOf('bob'), files, { refresh: 'of-bob' });
  const gone = await removeConnectionsOf(database.db, ann);
  expect(gone).toHaveLength(2);
  const all = revocations();
  all.later(
    gone.map((connection): Gone => ({ server: connection.mode === 'pat' ? wiki : files, connection })),
  );
  await all.close();
  expect(done).toEqual([['ann', 'revoked']]);
  expect(JSON.stringify(authority.requests)).not.toMatch(/entered|of-bob/);
});

test('who disconnects while a token is renewed leaves none behind that works', async () => {
  const server = serverOf();
  const taken: Gone[] = [];
  const clock = { now: Date.parse('2026-06-01T00:00:00Z') };
  const other = await startProcess(database, clock, {
    lost: (at, connection) => void taken.push({ server: at, connection }),
  });
  await other.connect(ann, server, { refresh: 'r1', accessExpiresAt: clock.now });
  authority.script = async ({ grant_type }) => {
    if (grant_type === undefined) return { body: {} };
    await removeConnectionsOf(database.db, ann);
    return { body: { access_token: 'a2', refresh_token: 'r2' } };
  };
  await expect(async () => other.credentials.of(server, ann)).rejects.toMatchObject({
    code: 'connection_needed',
  });
  const all = revocations();
  all.later(taken);
  await all.close();
  expect(asked().slice(-2)).toEqual([
    ['refresh_token', 'r2'],
    ['access_token', 'a2'],
  ]);
  await other.close();
});

test('many at once are bounded, and one that fails holds up no other', async () => {
  const server = serverOf();
  const connection = await gateway.connect(ann, server);
  let [open, most, asked] = [0, 0, 0];
  authority.script = async () => {
    open += 1;
    most = Math.max(most, open);
    await new Promise((resolve) => setImmediate(resolve));
    open -= 1;
    asked += 1;
    return asked % 7 === 0 ? { status: 500, body: {} } : { body: {} };
  };
  const all = revocations();
  all.later(Array.from({ length: 600 }, () => ({ server, connection })));
  await vi.waitFor(() => expect(done.length).toBe(500), 50_000);
  await all.close();
  expect(most).toBeLessThanOrEqual(8);
});
