import { afterEach, beforeEach, expect, test } from 'vitest';
import { serverInput } from '../../../contract/servers/servers.ts';
import type { Access } from '../../access/caller.ts';
import { followed } from '../../changes/feed.test-support.ts';
import type { Feed } from '../../changes/feed.ts';
import { recordChange } from '../../changes/record.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import type { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { createServerEvents, type ServerEvents, type ServerEventsWorld } from './events.ts';
import { insert, remove, setHealth } from './store.ts';

let database: OpenDatabase;
let feed: Feed;
let events: ServerEvents;
/** The servers that each person may see. */
const sees: Record<string, string[]> = {};

const someone = (subject: string) => ({ provider: 'test', subject, expiresAt: 1e15 }) as Identity;

function start(more: Partial<ServerEventsWorld> = {}): void {
  const accessOf = ({ subject }: Identity) =>
    ({ may: (_: string, name: string) => sees[subject]?.includes(name) }) as unknown as Access;
  events = createServerEvents({ db: database.db, feed, accessOf, decideTool: () => true, ...more });
}

beforeEach(async () => {
  database = await openMemory();
  feed = await followed(database);
  sees.alice = ['a', 'b'];
  sees.bob = ['b'];
});
afterEach(async () => {
  events.close();
  await feed.close();
  await database.close();
});

function listen(as: string): { next(): Promise<string | undefined>; leave(): Promise<void> } {
  const reader = events.open(someone(as)).getReader();
  return {
    async next() {
      const { value } = await reader.read();
      return value && Buffer.from(value).toString('utf8');
    },
    leave: () => reader.cancel(),
  };
}

async function put(name: string) {
  const definition = serverInput.parse({ server_name: name, path: `/${name}`, proxy_pass_url: 'http://h' });
  const row = { id: name, definition, isEnabled: true, registeredBy: 'bob', registeredAt: '2026' };
  return insert(database.db, row);
}

test('each listener hears of the servers that it may see, with their state, and of their end', async () => {
  start();
  const [alice, bob] = [listen('alice'), listen('bob')];
  expect([await alice.next(), await bob.next()]).toEqual(['retry: 2000\n\n', 'retry: 2000\n\n']);
  const row = await put('a');
  await put('b');
  expect(await alice.next()).toMatch(/^event: server\ndata: {"path":"\/a","revision":1,"is_enabled":true,/);
  expect(await alice.next()).toContain('"path":"/b"');
  expect(await bob.next()).toContain('"path":"/b"');
  const health = { status: 'unhealthy', reason: 'unreachable', detail: 'Gone.', checkedAt: '2026' } as const;
  const checked = { health: { ...health, serverVersion: null, protocolVersion: null }, tools: null };
  await setHealth(database.db, row, checked);
  expect(await alice.next()).toContain('"health_status":"unhealthy","health_reason":"unreachable"');
  await remove(database.db, '/a', 1);
  expect(await alice.next()).toBe('event: removed\ndata: {"path":"/a"}\n\n');
});

test('what somebody may no longer see is no longer told', async () => {
  start();
  const alice = listen('alice');
  await alice.next();
  sees.alice = ['b'];
  await put('a');
  await put('b');
  expect(await alice.next()).toContain('"path":"/b"');
});

test('the number of listeners is bounded, and whoever leaves makes room', async () => {
  start({ limits: { streams: 2, perIdentity: 1 } });
  const alice = listen('alice');
  const codeOf = (as: string): string | undefined => {
    try {
      listen(as);
    } catch (error) {
      return (error as Failure).code;
    }
    return undefined;
  };
  expect(codeOf('alice')).toBe('overloaded');
  expect(codeOf('bob')).toBeUndefined();
  expect(codeOf('carol')).toBe('overloaded');
  await alice.leave();
  expect(events.size).toBe(1);
  expect(codeOf('carol')).toBeUndefined();
});

test('comments keep a stream open, and it ends in time or when the gateway stops', async () => {
  start({ keepAliveMs: 1, lifetimeMs: 60_000 });
  const alice = listen('alice');
  await alice.next();
  expect(await alice.next()).toBe(': still here\n\n');
  events.close();
  while ((await alice.next()) !== undefined);
  expect(events.size).toBe(0);
  start({ lifetimeMs: 1 });
  const bob = listen('bob');
  await bob.next();
  expect(await bob.next()).toBeUndefined();
});

test('a listener that does not read is given up, and the others go on', async () => {
  start();
  events.open(someone('alice'));
  const bob = listen('bob');
  await bob.next();
  const row = await put('b');
  for (let count = 0; count < 300; count++) {
    expect(await bob.next()).toContain('"path":"/b"');
    await recordChange(database.db, 'server', row.path);
  }
  expect(events.size).toBe(1);
});
