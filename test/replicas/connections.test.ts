import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { type Authority, decideAt, startAuthority } from '../egress/authority.ts';
import { callWhoami } from '../egress/clients.ts';
import { type GuardedServer, startGuarded } from '../egress/guarded.ts';
import { copyTemplate } from '../open-on-postgres.ts';
import { runProgram } from '../program.ts';
import { type BrowserSession, mintToken, signIn } from '../sign-in.ts';
import { type Cluster, directly, startCluster } from './cluster.ts';
import { until } from './stream.ts';

/*
 * Credentials of people in three processes: the authorization server (oidc-provider) gives refresh tokens that serve once and
 * ends the whole grant when a spent one comes again, and access tokens that end at once. So every call is a refresh, and two
 * processes that refresh at the same time would end the connection.
 */
const { accounts, groups } = shippedTenant;
const scopes = `
UI-Scopes:
  mcp-registry-admin: { list_service: [all], register_service: [all], modify_service: [all] }
group_mappings:
  "${groups.admin}": [mcp-registry-admin, everything]
  "${groups.users}": [everything]
  "${groups.developers}": [everything]
everything:
  - { server: "*", methods: [all], tools: [all] }
`;
const folder = mkdtempSync(join(tmpdir(), 'connections-of-replicas-'));
const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
let cluster: Cluster;
let authority: Authority;
let hub: GuardedServer;

interface Person {
  readonly name: string;
  readonly session: BrowserSession;
  readonly token: string;
}
const people: Person[] = [];

beforeAll(async () => {
  const file = join(folder, 'scopes.yml');
  writeFileSync(file, scopes);
  cluster = await startCluster(await copyTemplate(), { SCOPES_CONFIG_PATH: file });
  ends.push(() => cluster.close());
  authority = await startAuthority(`${cluster.url}/oauth2/egress/callback`);
  ends.push(() => authority.stop());
  hub = await startGuarded((token) => authority.whose(token), authority.issuer);
  ends.push(() => hub.close());
  for (const [name, account] of [
    ['alice', accounts.admin],
    ['bob', accounts.user],
    ['dora', accounts.developer],
  ] as const) {
    const session = await signIn(cluster.url, account.userPrincipalName);
    people.push({ name, session, token: (await mintToken(cluster.url, session)).token });
  }
  const [alice] = people as [Person];
  const server = { server_name: 'hub', path: '/hub', proxy_pass_url: hub.url, is_enabled: true };
  expect((await api(alice, '/api/servers', server)).status).toBe(201);
  const arranged = await api(alice, '/api/servers/hub/egress-auth', {
    ...{ egress_auth_mode: 'oauth_user', scopes: ['openid', 'offline_access', 'repo'] },
    ...{ client_id: authority.client.id, client_secret: authority.client.secret, audience_parameter: 'none' },
    custom_issuer: authority.issuer,
  });
  expect(arranged.status, await arranged.clone().text()).toBe(200);
  // Every replica knows what the server is and how it is arranged.
  await untilEverywhere(alice, 'connection_needed');
  for (const person of people) await connect(person);
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

const api = ({ session }: Person, path: string, body?: object, method = body ? 'POST' : 'GET') =>
  fetch(`${cluster.url}${path}`, {
    method,
    headers: { cookie: session.cookie, 'x-csrf-token': session.csrf, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

/** Connects through whichever replicas nginx chooses: the attempt is begun at one and finished at another. */
async function connect(person: Person): Promise<void> {
  let authorize_url = '';
  // A replica may not have heard of the server yet.
  await until(async () => {
    const begun = await api(person, '/api/egress-auth/initiate', { server_path: '/hub' });
    const said = await begun.text();
    if (begun.status !== 200) return said;
    ({ authorize_url } = JSON.parse(said) as { authorize_url: string });
    return true;
  });
  const callback = await decideAt(authorize_url, `${person.name}-at-hub`);
  const headers = { cookie: person.session.cookie };
  const back = await fetch(callback, { redirect: 'manual', headers });
  expect(back.headers.get('location')).toBe('/connections?server=%2Fhub&connected=true');
}

/** Whom the server takes the caller for, why the gateway refuses, or `cut` where the replica has gone. */
async function seenAs({ token }: Person, replica: number): Promise<string> {
  const { url } = cluster.replicas[replica % 3] as { url: string };
  try {
    const { result, error } = await callWhoami(`${directly({ url })}/hub/mcp`, token);
    return result?.content[0]?.text ?? error?.data.code ?? 'nothing';
  } catch {
    return 'cut';
  }
}

/** Whether a call was made as another person. */
const isSomebodyElses = ({ who, saw }: { who: string; saw: string }): boolean =>
  saw.endsWith('-at-hub') && saw !== `${who}-at-hub`;

/** Waits until each replica says that of a call. */
async function untilEverywhere(person: Person, expected: string): Promise<void> {
  const sees = (replica: number) => async () => {
    const saw = await seenAs(person, replica);
    return saw === expected ? true : saw;
  };
  await Promise.all([0, 1, 2].map((replica) => until(sees(replica))));
}

/** 70 calls of each person at once, spread over the replicas; what each of them saw. */
async function mixed(count = 70): Promise<{ who: string; saw: string }[]> {
  const calls = Array.from({ length: count * people.length }, (_, at) => at);
  return Promise.all(
    calls.map(async (at) => {
      const person = people[at % people.length] as Person;
      return { who: person.name, saw: await seenAs(person, Math.floor(at / people.length)) };
    }),
  );
}

const refreshes = () => authority.asked.filter((one) => one === 'refresh_token').length;
const refused = () => authority.asked.filter((one) => one.startsWith('refused'));

test('210 calls at once in three processes, each with a token that has to be refreshed, are all made as their callers', async () => {
  const seen = await mixed();
  expect(seen.filter(({ who, saw }) => saw !== `${who}-at-hub`)).toEqual([]);
  expect(refreshes()).toBeGreaterThan(5);
  expect(refused()).toEqual([]);
});

test('a replica that is restarted meanwhile costs no connection, and mixes up nobody', async () => {
  const calls = mixed();
  const [, second] = cluster.replicas;
  await second?.stop('SIGTERM');
  const seen = [...(await calls), ...(await mixed(10))];
  expect(seen.filter(({ who, saw }) => saw !== `${who}-at-hub` && saw !== 'cut')).toEqual([]);
  await cluster.restart(1);
  expect((await mixed(10)).filter(({ who, saw }) => saw !== `${who}-at-hub`)).toEqual([]);
  expect(refused()).toEqual([]);
});

test('a connection that is removed at one replica while calls start at the others serves none that starts after, and nobody else', async () => {
  const [alice, bob] = people as [Person, Person, Person];
  const calls = Array.from({ length: 60 }, (_, at) => seenAs(at % 2 ? bob : alice, at % 3));
  const gone = await api(bob, '/api/egress-auth/connections/custom/hub', undefined, 'DELETE');
  expect(gone.status).toBe(204);
  const seen = await Promise.all(calls);
  const made = seen.map((saw, at) => ({ who: at % 2 ? 'bob' : 'alice', saw }));
  expect(made.filter(isSomebodyElses)).toEqual([]);
  expect(made.filter(({ who, saw }) => who === 'alice' && saw === 'connection_needed')).toEqual([]);
  await untilEverywhere(bob, 'connection_needed');
  // From here on nothing that was on its way brings it back.
  expect((await mixed(10)).filter(({ who, saw }) => who === 'bob' && saw !== 'connection_needed')).toEqual(
    [],
  );
  await connect(bob);
  await untilEverywhere(bob, 'bob-at-hub');
});

/** A number below `below`, by a seed: the same each time. */
function* numbers(seed: number): Generator<number, number, number> {
  let state = seed;
  for (let below = yield 0; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    below = yield Math.floor((state / 2 ** 32) * below);
  }
}

test.each([1])(
  'three processes, one of them with workers, mix up nobody while connections come and go, keys rotate and replicas restart (seed %i)',
  async (seed) => {
    const [alice, bob, dora] = people as [Person, Person, Person];
    const random = numbers(seed);
    random.next();
    const pick = (below: number): number => random.next(below).value;
    // Its workers are processes of their own, behind one port.
    await cluster.replicas[2]?.stop('SIGTERM');
    await cluster.restart(2, { WORKERS: '2' });
    let isOver = false;
    const seen: { who: string; saw: string }[] = [];
    const calling = [alice, bob, dora].map(async (person) => {
      for (let replica = 0; !isOver; replica += 1)
        seen.push({ who: person.name, saw: await seenAs(person, replica) });
    });
    const rotate = async (): Promise<void> => {
      const argv = ['gateway', 'rotate-secrets', ...(pick(2) ? ['--new-data-key'] : [])];
      // On a busy machine the database may count as away for a moment.
      await until(async () => {
        const { code, err } = await runProgram(argv, {
          cwd: cluster.folder,
          env: { ...cluster.environment },
        });
        return code === 0 || err;
      });
    };
    const steps: (() => Promise<void>)[] = [
      rotate,
      rotate,
      async () => {
        const place = pick(2);
        await cluster.replicas[place]?.stop('SIGTERM');
        await cluster.restart(place);
      },
      async () => {
        await api(bob, '/api/egress-auth/connections/custom/hub', undefined, 'DELETE');
        await connect(bob);
      },
      async () => {
        await authority.revoke('bob-at-hub');
        await connect(bob);
      },
    ];
    try {
      // In an order of its own.
      const order = steps.map((step) => ({ step, at: pick(1_000_000) })).sort((a, b) => a.at - b.at);
      for (const { step } of order) await step();
    } finally {
      isOver = true;
      await Promise.all(calling);
    }
    expect(seen.filter(isSomebodyElses)).toEqual([]);
    // To the others nothing happened; replicas, or a busy database, may have been away for a call.
    expect(seen.filter(({ who, saw }) => who !== 'bob' && saw === 'connection_needed')).toEqual([]);
    for (const { name } of people) expect(seen).toContainEqual({ who: name, saw: `${name}-at-hub` });
    await connect(bob);
    await untilEverywhere(bob, 'bob-at-hub');
    expect((await mixed(10)).filter(({ who, saw }) => saw !== `${who}-at-hub`)).toEqual([]);
    await cluster.replicas[2]?.stop('SIGTERM');
    await cluster.restart(2);
  },
);

test('who disconnects at one replica is disconnected at every one, and the tokens are ended at the service', async () => {
  const [, bob, dora] = people as [Person, Person, Person];
  await seenAs(bob, 0);
  const last = hub.seen.at(-1)?.replace('Bearer ', '') ?? '';
  const gone = await api(bob, '/api/egress-auth/connections/custom/hub', undefined, 'DELETE');
  expect(gone.status).toBe(204);
  await untilEverywhere(bob, 'connection_needed');
  expect(await authority.whose(last)).toBeUndefined();
  const [alice] = people as [Person];
  // Each replica writes its own events soon.
  await until(async () => {
    const trail = await (await api(alice, '/api/audit/export')).text();
    const line = trail.split('\n').find((one) => one.includes('connections.remove')) ?? 'nothing yet';
    return line.includes('"at_provider":"revoked"') ? true : line;
  });
  expect(await seenAs(dora, 1)).toBe('dora-at-hub');
});
