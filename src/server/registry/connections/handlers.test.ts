import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectionEndpoints } from '../../../contract/servers/connections.ts';
import { serverInput } from '../../../contract/servers/servers.ts';
import type { Access, Caller } from '../../access/caller.ts';
import { compile } from '../../access/grants.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import { personOf, settingsOf } from '../../egress/egress.test-support.ts';
import type { Revoked } from '../../egress/revoke.ts';
import type { EgressSettings } from '../../egress/settings.ts';
import { listConnections } from '../../egress/store.ts';
import { createConnectionVault } from '../../egress/vault.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { keyringOf } from '../../identity/keys.ts';
import type { ServerRow } from '../servers/store.ts';
import { type ConnectionsWorld, connectableServer, connectionHandlers } from './handlers.ts';

const day = 86_400_000;
const [ann, bob] = [personOf('ann'), personOf('bob')];
const agent = personOf('robot', { kind: 'agent' });
let database: OpenDatabase;
let world: ConnectionsWorld;
let handlers: ReturnType<typeof connectionHandlers>;
let notes: object[];
let became: Revoked;
/** Servers that are looked at anew. */
let looked: string[];
let rows: ServerRow[];
/** Who may not use what, as `subject server`. */
let hidden: string[];
beforeEach(async () => {
  database = await openMemory();
  [notes, hidden, looked, became] = [[], [], [], 'revoked'];
  rows = [
    rowOf('hub', { egress_auth_mode: 'oauth_user' }),
    rowOf('jira', { egress_auth_mode: 'pat', max_days: 30 }),
  ];
  world = {
    ...{ db: database.db, now: () => 0, grants: () => compile(new Map()), rows: () => rows },
    vault: createConnectionVault(keyringOf('k')),
    limits: { audiences: [], scopes: ['read'] },
    connecting: {
      begin: async (server, { subject }, purpose) =>
        `https://as.example/${server.name}/${subject}/${purpose}`,
      complete: () => Promise.reject(new Error('nobody comes back here')),
    },
    revocations: { now: async () => became },
    listsConnected: (name) => void looked.push(name),
    reaches: ({ subject }, server) => !hidden.includes(`${subject} ${server}`),
    isAdmin: ({ subject }) => subject === 'ann',
  };
  handlers = connectionHandlers(world);
});
afterEach(() => database.close());

function rowOf(name: string, settings: Partial<EgressSettings>): ServerRow {
  const said = { server_name: name, path: `/${name}`, proxy_pass_url: `https://${name}.example/mcp` };
  const definition = serverInput.parse(said);
  return { id: `id-${name}`, path: `/${name}`, definition, egress: settingsOf(settings) } as ServerRow;
}

/** Calls an endpoint as somebody, with its input read as it is over HTTP. */
async function call(
  id: keyof typeof connectionEndpoints,
  identity: Identity,
  given: { body?: object; params?: object } = {},
): Promise<unknown> {
  const endpoint = connectionEndpoints[id];
  const input = {
    ...('body' in endpoint ? { body: endpoint.body.parse(given.body) } : {}),
    ...('params' in endpoint ? { params: endpoint.params.parse(given.params) } : {}),
  };
  const access = { isAdmin: identity.subject === 'ann' } as Access;
  const caller: Caller<Identity> = {
    identity,
    access,
    correlationId: '',
    note: (one) => void notes.push(one),
  };
  return (handlers[id] as (input: unknown, caller: Caller<Identity>) => unknown)(input, caller);
}

async function refusal(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => new Error('it was not refused'),
    (one: unknown) => one,
  );
  if (!(error instanceof Failure)) throw error;
  return error.code;
}

const enter = (who: Identity, more: object = {}, path = '/jira') =>
  call('connections.enter', who, {
    body: { server_path: path, token: 'the-token', ttl_value: 5, ttl_unit: 'days', ...more },
  });
const initiate = (who: Identity, more: object = {}) =>
  call('connections.initiate', who, { body: { server_path: '/hub', ...more } });
const remove = (who: Identity, path = 'jira', provider = 'custom') =>
  call('connections.remove', who, { params: { provider, path } });
const listed = async (who: Identity) =>
  (
    (await call('connections.list', who)) as { connections: { server_path: string; status: string }[] }
  ).connections.map((one) => `${one.server_path} ${one.status}`);

test('each person sees their own connections at the servers that they may use, and no token', async () => {
  await enter(ann);
  expect(await listed(ann)).toEqual(['/hub none', '/jira connected']);
  expect(await listed(bob)).toEqual(['/hub none', '/jira none']);
  hidden = ['bob hub', 'ann jira'];
  expect(await listed(bob)).toEqual(['/jira none']);
  // What one holds stays to be seen, so that it can be removed.
  expect(await listed(ann)).toEqual(['/hub none', '/jira connected']);
  expect(await listed(agent)).toEqual([]);
  expect(JSON.stringify([notes, await call('connections.list', ann)])).not.toContain('the-token');
});

test('a connection begins in a browser session, for a server of that kind which the person may use', async () => {
  expect(await initiate(ann)).toEqual({ authorize_url: 'https://as.example/hub/ann/call' });
  expect(await refusal(initiate(personOf('ann', { method: 'personal-token' })))).toBe('not_allowed');
  expect(await refusal(initiate(agent))).toBe('connection_impossible');
  expect(await refusal(initiate(ann, { server_path: '/jira' }))).toBe('bad_request');
  expect(await refusal(initiate(ann, { server_path: '/none' }))).toBe('not_found');
  hidden = ['bob hub'];
  expect(await refusal(initiate(bob))).toBe('not_found');
});

test('only administrators connect for lists, and only where the server is looked at as a person', async () => {
  expect(await refusal(initiate(bob, { purpose: 'discovery' }))).toBe('not_allowed');
  expect(await refusal(initiate(ann, { purpose: 'discovery' }))).toBe('bad_request');
  rows = [rowOf('hub', { egress_auth_mode: 'oauth_user', discovery: 'person' })];
  expect(await initiate(ann, { purpose: 'discovery' })).toEqual({
    authorize_url: 'https://as.example/hub/ann/discovery',
  });
  expect(connectableServer(world, 'hub', ann, 'discovery')?.name).toBe('hub');
  expect(connectableServer(world, 'hub', bob, 'discovery')).toBeUndefined();
  hidden = ['ann hub'];
  expect(connectableServer(world, 'hub', ann, 'call')).toBeUndefined();
});

test('a token is kept no longer than the server allows, and within the limits of the operator', async () => {
  expect(await refusal(enter(ann, { ttl_value: 31 }))).toBe('invalid_input');
  expect(await refusal(enter(ann, { ttl_value: 721, ttl_unit: 'hours' }))).toBe('invalid_input');
  await enter(ann, { ttl_value: 30 });
  const [kept] = await listConnections(database.db, ann);
  expect(kept).toMatchObject({ endsAt: 30 * day, mode: 'pat', owner: { address: 'https://jira.example' } });
  rows = [rowOf('jira', { egress_auth_mode: 'pat', scopes: ['write'] })];
  expect(await refusal(enter(ann))).toBe('connection_refused');
  expect(await refusal(enter(ann, {}, '/hub'))).toBe('not_found');
});

test('a list-only token of one administrator takes the place of that of another, and of nobody for calls', async () => {
  rows = [rowOf('jira', { egress_auth_mode: 'pat', discovery: 'person' })];
  await enter(ann);
  await enter(ann, { purpose: 'discovery' });
  world = { ...world };
  const carol = personOf('carol');
  const access = { isAdmin: true } as Access;
  const body = {
    server_path: '/jira',
    token: 'x',
    ttl_value: 1,
    ttl_unit: 'days',
    purpose: 'discovery',
  } as const;
  const caller: Caller<Identity> = { identity: carol, access, correlationId: '', note: () => {} };
  await handlers['connections.enter']({ body } as never, caller);
  const all = (await listConnections(database.db, null)).map(
    ({ owner }) => `${owner.subject} ${owner.purpose}`,
  );
  expect(all.sort()).toEqual(['ann call', 'carol discovery']);
  expect(looked).toEqual(['jira', 'jira']);
});

test.each(['revoked', 'unavailable', 'unsupported', 'refused'] as const)(
  'disconnecting deletes what is here, and notes what the service said: %s',
  async (said) => {
    became = said;
    await enter(ann);
    await enter(bob);
    expect(await remove(ann)).toBeUndefined();
    expect(notes.at(-1)).toMatchObject({ server: 'jira', at_provider: said });
    expect([await listed(ann), await listed(bob)]).toEqual([
      ['/hub none', '/jira none'],
      ['/hub none', '/jira connected'],
    ]);
    expect(await refusal(remove(ann))).toBe('not_found');
  },
);

test('nobody disconnects what is not theirs', async () => {
  await enter(ann);
  expect(await refusal(remove(bob))).toBe('not_found');
  expect(await refusal(remove(ann, 'jira', 'github'))).toBe('not_found');
  expect(await refusal(remove(agent))).toBe('connection_impossible');
  expect(await listed(ann)).toContain('/jira connected');
});

test('a program does not put its own account in the place of a person’s', async () => {
  const program = { ...ann, method: 'oauth', clientId: 'client_x' } as const;
  expect(await refusal(enter(program))).toBe('not_allowed');
  expect(await listed(ann)).toEqual(['/hub none', '/jira none']);
  await enter({ ...program, clientId: 'mcp-gateway-cli' });
  expect(await listed(ann)).toEqual(['/hub none', '/jira connected']);
});
