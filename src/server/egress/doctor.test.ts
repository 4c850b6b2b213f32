import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import { type ConnectionsDoctorWorld, examineConnections } from './doctor.ts';
import {
  personOf,
  type ScriptedAuthority,
  serverAt,
  startAuthority,
  startProcess,
} from './egress.test-support.ts';
import type { EgressServer } from './renew.ts';
import type { EgressSettings } from './settings.ts';
import { createSources } from './sources.ts';

const day = 86_400_000;
const clock = { now: Date.parse('2026-06-01T00:00:00Z') };
let authority: ScriptedAuthority;
let database: OpenDatabase;
let gateway: Awaited<ReturnType<typeof startProcess>>;
beforeEach(async () => {
  authority = await startAuthority();
  database = await openMemory();
  gateway = await startProcess(database, clock);
});
afterEach(async () => {
  await gateway.close();
  await database.close();
  await authority.close();
});

const serverOf = (settings: Partial<EgressSettings> = {}) =>
  serverAt(authority, { client_id: null, ...settings });

/** What is found of a server, as `level id`, and all of its words. */
async function found(server: EgressServer, more: Partial<ConnectionsDoctorWorld> = {}) {
  const { fetch, db, now } = gateway.renewal;
  const publicUrl = 'https://gateway.example';
  const sources = createSources({ ...gateway.renewal, publicUrl });
  const world = { db, fetch, now, publicUrl, sources, limits: { audiences: [], scopes: [] } };
  const diagnosis = await examineConnections({ ...world, servers: () => [server], ...more });
  expect(diagnosis.healthy).toBe(diagnosis.findings.every(({ level }) => level !== 'fail'));
  for (const { level, remedy } of diagnosis.findings) expect(remedy === undefined).toBe(level === 'ok');
  return {
    ids: diagnosis.findings.map(({ level, id }) => `${level} ${id}`),
    words: JSON.stringify(diagnosis),
  };
}

test('a server that lets clients register is well, and no client is registered by looking', async () => {
  const { ids } = await found(serverOf());
  expect(ids).toEqual(['ok connection-provider', 'ok connection-client']);
  expect(authority.registrations).toBe(0);
});

test('an authorization server that is away, or says nothing usable, is named', async () => {
  const { ids, words } = await found(serverOf({ custom_issuer: 'http://127.0.0.1:9' }));
  expect(ids).toEqual(['fail connection-provider']);
  expect(words).toContain('mcp-gateway connection get');
  authority.resource = { resource: 'https://another.example/' };
  expect((await found(serverOf())).ids).toEqual(['fail connection-provider']);
});

test('without a client id, where no client may register, it says to give one', async () => {
  authority.metadata = { registration_endpoint: undefined };
  const { ids, words } = await found(serverOf());
  expect(ids).toEqual(['ok connection-provider', 'fail connection-client']);
  expect(words).toContain('--client-id');
});

test('a redirect URI that is not registered is seen, with the one to register', async () => {
  authority.script = () => ({ status: 400, body: { error: 'invalid_request' } });
  const { ids, words } = await found(serverOf({ client_id: 'gw' }));
  expect(ids).toContain('fail connection-redirect');
  expect(words).toContain('https://gateway.example/oauth2/egress/callback');
  authority.script = () => ({ status: 302, body: `${authority.origin}/login` });
  expect((await found(serverOf({ client_id: 'gw' }))).ids).toContain('ok connection-redirect');
});

test('scopes and audiences outside of what the operator allows are named', async () => {
  const limits = { audiences: [], scopes: ['files:read'] };
  const { ids, words } = await found(serverOf({ scopes: ['files:read', 'admin'] }), { limits });
  expect(ids).toContain('fail connection-limits');
  expect(words).toContain("'admin'");
});

test('an identity for lists that nobody is, or that has ended, is named', async () => {
  const server = serverOf({ egress_auth_mode: 'pat', discovery: 'person' });
  expect((await found(server)).ids).toEqual(['fail connection-discovery']);
  const ann = personOf('ann');
  const owner = {
    provider: 'test',
    subject: 'ann',
    serverId: 's1',
    purpose: 'discovery',
    address: server.url.origin,
  };
  await gateway.connect(ann, server, { owner, endsAt: clock.now + 60 * day });
  expect((await found(server)).ids).toEqual(['ok connection-discovery']);
  await gateway.connect(ann, server, { owner, endsAt: clock.now - day });
  const { ids, words } = await found(server);
  expect(ids).toEqual(['fail connection-discovery']);
  expect(words).toContain('has ended');
});

test('credentials that end soon are counted, and nothing of them is shown', async () => {
  const server = serverOf({ egress_auth_mode: 'pat' });
  await gateway.connect(personOf('ann'), server, { endsAt: clock.now + 3 * day, access: 's3cret' });
  await gateway.connect(personOf('bob'), server, { endsAt: clock.now + 10 * day });
  await gateway.connect(personOf('carol'), server, { endsAt: clock.now + 100 * day });
  const { ids, words } = await found(server);
  expect(ids).toEqual(['warn connection-expiry']);
  expect(words).toMatch(/2 credentials.*2026-06-04/);
  expect(words).not.toMatch(/s3cret|ann|bob/);
});
