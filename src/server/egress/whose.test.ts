import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OpenDatabase } from '../db/open.ts';
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
import { listConnections, removeConnection } from './store.ts';

type Process = Awaited<ReturnType<typeof startProcess>>;

const clock: Clock = { now: Date.parse('2026-11-29T12:00:00Z') };
const people = ['ann', 'bob', 'cid', 'dee', 'eve', 'fay'].map((name) => personOf(name));
let database: OpenDatabase;
let authority: ScriptedAuthority;
const processes: Process[] = [];

beforeAll(async () => {
  [database, authority] = [await openMemory(), await startAuthority()];
  for (let n = 0; n < 3; n += 1) processes.push(await startProcess(database, clock));
});

afterAll(async () => {
  for (const one of processes) await one.close();
  await Promise.all([authority.close(), database.close()]);
});

/** Numbers from a seed (mulberry32), so that a failure can be repeated. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function serversOf({ vault }: Process): EgressServer[] {
  const own = { custom_token_url: `${authority.origin}/token`, custom_authorize_url: 'https://a.example' };
  const sealed = vault.seal(
    { provider: '', subject: '', serverId: 'own', purpose: 'client', address: '' },
    'client-secret',
    'gateway-secret',
  );
  const at = (id: string, settings: Parameters<typeof settingsOf>[0], host: string): EgressServer => ({
    ...{ id, name: id, settings: settingsOf(settings) },
    url: new URL(`https://${host}.example/mcp`),
  });
  return [
    at('mail', own, 'mail'),
    // Another server at the same host: the same people, other connections.
    at('files', own, 'mail'),
    at('notes', { egress_auth_mode: 'pat' }, 'notes'),
    at(
      'own',
      {
        ...{ ...own, egress_auth_mode: 'client_credentials' },
        client_secret: { keyId: vault.keyId, sealed },
      },
      'own',
    ),
    at('sso', { egress_auth_mode: 'obo_exchange' }, 'sso'),
  ];
}

test('among 1000 mixed calls in three processes with refreshes, deletions and restarts nobody gets the credential of another', async () => {
  const random = randomFrom(20_261_129);
  const issued = new Map<string, number>();
  const reused: string[] = [];
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, random(3)));
  authority.script = async ({ grant_type, refresh_token = '' }) => {
    await pause();
    if (grant_type === 'client_credentials')
      return { body: { access_token: 'access|gateway|own|0', expires_in: 600 } };
    const [, subject, server, n] = refresh_token.split('|');
    const whose = `${subject}|${server}`;
    // A refresh token that rotates is worth one use; a second one ends the grant at many providers.
    if (issued.get(whose) !== Number(n)) reused.push(refresh_token);
    issued.set(whose, Number(n) + 1);
    const next = `${whose}|${Number(n) + 1}`;
    return { body: { access_token: `access|${next}`, refresh_token: `refresh|${next}`, expires_in: 600 } };
  };
  const [first] = processes as [Process];
  const servers = serversOf(first);
  const exchange = async (server: EgressServer, { subject }: { subject: string }) => {
    await pause();
    const access = `access|${subject}|${server.id}|0`;
    return { access, accessExpiresAt: clock.now + 600_000, refresh: null, scopes: [], idClaims: {} };
  };
  for (let n = 0; n < processes.length; n += 1) {
    await processes[n]?.close();
    processes[n] = await startProcess(database, clock, { exchange });
  }
  const connect = async (person: (typeof people)[number], server: EgressServer): Promise<void> => {
    const whose = `${person.subject}|${server.id}`;
    const n = (issued.get(whose) ?? 0) + 1;
    issued.set(whose, n);
    const isByHand = server.settings.egress_auth_mode === 'pat';
    await processes[0]?.connect(person, server, {
      access: `access|${whose}|${n}`,
      ...(isByHand
        ? { endsAt: clock.now + 86_400_000 }
        : { refresh: `refresh|${whose}|${n}`, accessExpiresAt: clock.now + 600_000 }),
    });
  };
  for (const person of people) for (const server of servers.slice(0, 3)) await connect(person, server);

  let answered = 0;
  for (let round = 0; round < 5; round += 1) {
    const calls = Array.from({ length: 200 }, async () => {
      const process = processes[random(processes.length)] as Process;
      const [person, server] = [people[random(people.length)], servers[random(servers.length)]];
      if (!person || !server) return;
      await pause();
      const owner = server.id === 'own' ? 'gateway' : person.subject;
      try {
        const { value } = await process.credentials.of(server, person);
        expect(value.startsWith(`Bearer access|${owner}|${server.id}|`), `${value} for ${owner}`).toBe(true);
        answered += 1;
      } catch (error) {
        // Somebody whose connection was deleted meanwhile is asked, and gets nobody else's.
        expect(error).toMatchObject({ code: 'connection_needed' });
      }
    });
    const all = await listConnections(database.db, null);
    const gone = all[random(all.length)];
    const meddling = (async () => {
      await pause();
      if (gone && gone.owner.subject !== '') await removeConnection(database.db, gone.id);
    })();
    await Promise.all([...calls, meddling]);
    for (const person of people)
      for (const server of servers.slice(0, 2))
        if (gone?.owner.serverId === server.id && gone.owner.subject === person.subject)
          await connect(person, server);
    // One process ends and another begins; tokens come near their end, or over it.
    const at = random(processes.length);
    await processes[at]?.close();
    processes[at] = await startProcess(database, clock, { exchange });
    clock.now += [400_000, 700_000][round % 2] ?? 0;
  }
  expect(answered).toBeGreaterThan(900);
  expect(reused).toEqual([]);
});

test('of three processes one refreshes, and the others take what it got', async () => {
  const [one, two, three] = processes as [Process, Process, Process];
  const server = serversOf(one)[0] as EgressServer;
  const gil = personOf('gil');
  authority.script = async () => ({
    body: { access_token: 'access|gil|mail|2', refresh_token: 'refresh|gil|mail|2', expires_in: 600 },
  });
  await one.connect(gil, server, {
    access: 'old',
    refresh: 'refresh|gil|mail|1',
    accessExpiresAt: clock.now,
  });
  const before = authority.requests.length;
  const values = await Promise.all(
    [one, two, three, one, two, three].map(
      async ({ credentials }) => (await credentials.of(server, gil)).value,
    ),
  );
  expect(new Set(values)).toEqual(new Set(['Bearer access|gil|mail|2']));
  expect(authority.requests.length - before).toBe(1);
});

test('a process that died after the answer leaves the refresh token of before, and a newer one is never replaced by an older', async () => {
  const [one, two] = processes as [Process, Process];
  const server = serversOf(one)[0] as EgressServer;
  const hal = personOf('hal');
  const stored = await one.connect(hal, server, {
    access: 'old',
    refresh: 'refresh-1',
    accessExpiresAt: clock.now,
  });
  // It died: the answer is lost, nothing was written. The provider's grace takes the same token once more.
  authority.script = async () => ({ status: 0, body: {} });
  await expect(one.credentials.of(server, hal)).rejects.toMatchObject({ code: 'connection_unavailable' });
  expect((await listConnections(database.db, hal))[0]).toMatchObject({ generation: stored.generation });
  // Meanwhile the person connects anew; the provider says that the old grant is over.
  authority.script = async () => {
    await two.connect(hal, server, {
      access: 'new',
      refresh: 'refresh-9',
      accessExpiresAt: clock.now + 600_000,
    });
    return { status: 400, body: { error: 'invalid_grant' } };
  };
  expect((await one.credentials.of(server, hal)).value).toBe('Bearer new');
  expect((await two.credentials.of(server, hal)).value).toBe('Bearer new');
});
