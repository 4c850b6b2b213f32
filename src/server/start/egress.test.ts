import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { serverInput } from '../../contract/servers/servers.ts';
import type { AuditEvent } from '../audit/event.ts';
import { followed } from '../changes/feed.test-support.ts';
import { type OpenDatabase, openMemory } from '../db/open.ts';
import {
  personOf,
  type ScriptedAuthority,
  settingsOf,
  startAuthority,
} from '../egress/egress.test-support.ts';
import type { EgressSettings } from '../egress/settings.ts';
import { removeConnectionsAt, removeConnectionsOf, storeConnection } from '../egress/store.ts';
import { createConnectionVault } from '../egress/vault.ts';
import { keyringOf } from '../identity/keys.ts';
import type { ServerRow } from '../registry/servers/store.ts';
import { buildEgress } from './egress.ts';
import { createEnding } from './ending.ts';

const vault = createConnectionVault(keyringOf('k'));
let authority: ScriptedAuthority;
let database: OpenDatabase;
let ending: ReturnType<typeof createEnding>;
let events: AuditEvent[];
let exchanged: object[];
let rows: ServerRow[];
/** What the exchange of the identity provider gives. */
let given: string;
beforeEach(async () => {
  [events, exchanged, given] = [[], [], 'an.access.token'];
  ending = createEnding((error) => {
    throw error;
  });
  authority = await startAuthority();
  authority.metadata = { revocation_endpoint: `${authority.origin}/revoke` };
  database = await openMemory();
});
afterEach(async () => {
  await ending.end();
  await database.close();
  await authority.close();
});

function rowOf(settings: Partial<EgressSettings> | null): ServerRow {
  const said = { server_name: 'files', path: '/files', proxy_pass_url: `${authority.origin}/mcp` };
  const definition = serverInput.parse(said);
  const egress = settings && settingsOf(settings);
  return { id: 's1', path: '/files', definition, egress } as ServerRow;
}

async function build(settings: Partial<EgressSettings> | null = { egress_auth_mode: 'oauth_user' }) {
  rows = [rowOf(settings)];
  const feed = await followed(database);
  ending.defer(() => feed.close());
  const told = {} as Record<string, (...of: never[]) => unknown>;
  const config = {
    registryUrl: 'http://gateway.example',
    egress: { audiences: [], scopes: [] },
    secretKey: 'k',
  };
  const made = buildEgress(
    {
      ...{ db: database.db, feed, config, now: Date.now, log: { warn() {} } },
      trail: { record: (event: AuditEvent) => void events.push(event) },
    } as never,
    {
      exchange: async (_: unknown, wanted: object) => {
        exchanged.push(wanted);
        return { access: given, expiresIn: 60, scopes: ['a'] };
      },
    } as never,
    {
      servers: { policy: { allowPrivate: true }, egress: { vault }, rows: () => rows },
      ...{ wayOut: { proxy: { https: undefined, http: undefined, except: [] } }, told },
    } as never,
    ending,
  );
  return { ...made, told };
}

const connect = (subject: string) =>
  storeConnection(
    database.db,
    vault,
    {
      ...{
        access: `of ${subject}`,
        refresh: null,
        accessExpiresAt: null,
        scopes: [],
        issuer: null,
        account: null,
      },
      ...{ username: subject, mode: 'oauth_user', audience: null, endsAt: null },
      owner: { provider: 'test', subject, serverId: 's1', purpose: 'call', address: authority.origin },
    },
    new Date().toISOString(),
  );

test('a server is looked at without a credential where the operator or nobody is, and never with that of a person', async () => {
  for (const settings of [null, { egress_auth_mode: 'oauth_user' }, { egress_auth_mode: 'pat' }] as const) {
    const { told } = await build(settings);
    await connect('ann');
    expect(await told.headers?.(rows[0] as never)).toEqual([]);
  }
});

test("with client_credentials it is looked at with the gateway's own, got once", async () => {
  const { told } = await build({ egress_auth_mode: 'client_credentials', client_id: 'gw' });
  expect(await told.headers?.(rows[0] as never)).toEqual(['Authorization', 'Bearer access-1']);
  expect(await told.headers?.(rows[0] as never)).toEqual(['Authorization', 'Bearer access-1']);
  expect(authority.requests).toMatchObject([{ grant_type: 'client_credentials' }]);
});

test('a sign-in is exchanged for the audience of the server, and a token for another one is not used', async () => {
  const { credentials } = await build({
    egress_auth_mode: 'obo_exchange',
    target_audience: 'https://mine.example',
  });
  const server = {
    id: 's1',
    name: 'files',
    url: new URL(`${authority.origin}/mcp`),
    settings: rows[0]?.egress as EgressSettings,
  };
  const claims = Buffer.from('{"aud":"https://another.example"}').toString('base64url');
  given = `e30.${claims}.x`;
  await expect(async () => credentials.of(server, personOf('ann'))).rejects.toMatchObject({
    code: 'connection_refused',
  });
  given = 'opaque';
  expect((await credentials.of(server, personOf('ann'))).value).toBe('Bearer opaque');
  expect(exchanged[0]).toMatchObject({ audience: { resource: 'https://mine.example' } });
});

test('what ends with a person or a server is taken back at the service, and each is recorded without the secret', async () => {
  const { connectionsEnded, told } = await build();
  await connect('ann');
  await connect('bob');
  connectionsEnded(await removeConnectionsOf(database.db, { provider: 'test', subject: 'ann' }));
  await vi.waitFor(() => expect(events).toHaveLength(1), 30_000);
  const [row] = rows;
  rows = [];
  told.connectionsEndedAt?.(row as never, (await removeConnectionsAt(database.db, 's1')) as never);
  await vi.waitFor(() => expect(events).toHaveLength(2), 30_000);
  expect(
    events.map(({ action, decision, reason, detail }) => [action, decision, reason, detail?.of]),
  ).toEqual([
    ['connections.revoke', 'allow', 'revoked', 'ann'],
    ['connections.revoke', 'allow', 'revoked', 'bob'],
  ]);
  expect(JSON.stringify(events)).not.toMatch(/of (ann|bob)"?,"token|Bearer/);
  expect(authority.requests.map(({ token }) => token)).toEqual(['of ann', 'of bob']);
});

test('the doctor looks at every server with such credentials', async () => {
  const { examine } = await build({ egress_auth_mode: 'oauth_user', client_id: null });
  expect((await examine()).findings.map(({ id, level }) => `${level} ${id}`)).toEqual([
    'ok connection-provider',
    'ok connection-client',
  ]);
});
