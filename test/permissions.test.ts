import { readdirSync, readFileSync } from 'node:fs';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Endpoint, Endpoints } from '../src/contract/endpoint.ts';
import { endpoints } from '../src/contract/index.ts';
import { shippedTenant } from '../src/entra-emulator/shipped.ts';
import { accessOf, compile } from '../src/server/access/grants.ts';
import { parseScopes } from '../src/server/access/scope-set.ts';
import { Failure } from '../src/server/failure/errors.ts';
import type { HttpEnv } from '../src/server/http/env.ts';
import { mount } from '../src/server/http/mount.ts';
import { answerFailure } from '../src/server/http/responses.ts';
import type { Identity, Who } from '../src/server/identity/identity.ts';
import { startGateway, type TestGateway } from './harness.ts';
import { agentToken, type BrowserSession, signIn } from './sign-in.ts';

/** The shipped scopes, with a group of auditors, for whom the shipped tenant has none. */
const scopesText = readFileSync('examples/scopes.yml', 'utf8').replace(
  /^group_mappings:$/m,
  '$&\n  auditors: [mcp-registry-auditor]',
);
const { groups: ids, accounts, agents } = shippedTenant;

/** The roles of the scopes by their group, somebody in no group, and somebody without a credential. */
const roles = {
  admin: [ids.admin],
  developer: [ids.developers],
  operator: [ids.operators],
  user: [ids.users],
  auditor: ['auditors'],
  nobody: [],
  anonymous: null,
} as const;
type Role = keyof typeof roles;
type By = 'token' | 'session';

const table = Object.entries(endpoints as Endpoints);
const cases = (Object.keys(roles) as Role[]).flatMap((role) =>
  (['token', 'session'] as const).map((by) => [role, by] as const),
);

/** What `{path}` is filled with: a server that users may see, and one that they may not. */
const things = ['currenttime', 'everything'];

/**
 * What a role holds, read from the scope file once more and without the code under test: permission -> names.
 * Administrators hold everything.
 */
function held(role: Role): Record<string, string[]> {
  const file = parse(scopesText) as {
    'UI-Scopes': Record<string, Record<string, string[]>>;
    group_mappings: Record<string, string[]>;
  };
  const scopes = (roles[role] ?? []).flatMap((group) => file.group_mappings[group] ?? []);
  const all: Record<string, string[]> = {};
  for (const scope of scopes)
    for (const [permission, names] of Object.entries(file['UI-Scopes'][scope] ?? {}))
      all[permission] = [...(all[permission] ?? []), ...names];
  return all;
}

/** What the permission of an endpoint says about a role: `allowed`, or the status of the refusal. */
function expected({ permission, path }: Endpoint, role: Role, by: By, thing: string): 'allowed' | number {
  if (permission === 'public') return 'allowed';
  if (role === 'anonymous') return 401;
  if (permission === 'identity') return 'allowed';
  if (permission === 'session') return by === 'session' ? 'allowed' : 403;
  if (role === 'admin') return 'allowed';
  if (permission === 'administrator') return 403;
  const names = held(role);
  const { can, on } = permission;
  // What is named in the body is looked for once the body is read.
  if (on === 'any' || !path.includes('{path}')) return (names[can]?.length ?? 0) > 0 ? 'allowed' : 403;
  const holds = (name: string): boolean =>
    (names[name] ?? []).some((one) => one === 'all' || one.replace(/^\//, '') === thing);
  if (!holds(can.includes('agent') ? 'list_agents' : 'list_service')) return 404;
  return holds(can) ? 'allowed' : 403;
}

/** A request whose parameters and body are as little as can be; the body is not even an object. */
function requestOf({ method, path }: Endpoint, thing: string): { url: string; init: RequestInit } {
  const url = path.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'path' ? thing : 'x'));
  const body = method === 'GET' || method === 'DELETE' ? {} : { body: '0' };
  const headers = { 'content-type': 'application/json', 'x-csrf-token': 'csrf' };
  return { url, init: { method, headers, ...body } };
}

describe('every endpoint of the table, for every role', () => {
  const grants = compile(parseScopes(scopesText, 'examples/scopes.yml'));
  const reached: string[] = [];
  const handlers = Object.fromEntries(
    table.map(([id]) => [
      id,
      () => {
        reached.push(id);
        throw new Failure('overloaded', 'reached');
      },
    ]),
  );

  function appFor(role: Role, by: By): Hono<HttpEnv> {
    const groups = roles[role];
    const identity: Identity = {
      ...{ kind: 'person', provider: 'entra', subject: role, username: role, name: null, email: null },
      ...{ clientId: null, groups: groups ?? [], credentialId: 'c', expiresAt: 1e15 },
      method: by === 'session' ? 'session' : 'bearer',
    };
    const who: Who = groups
      ? { is: 'identity', identity }
      : { is: 'nobody', failure: new Failure('credential_missing', 'Sign in.') };
    const app = new Hono<HttpEnv>();
    const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
    app.onError((error, c) => answerFailure(c, error, quiet as never, 'Bearer'));
    mount(app, endpoints, handlers, {
      identity: {
        identify: async () => who,
        access: (one) => accessOf(one, grants),
        csrfToken: () => 'csrf',
      },
      trail: { record: () => {}, flush: async () => {} },
      now: () => 0,
      allow: async () => 0,
      clientIp: () => null,
    });
    return app;
  }

  test.each(cases)('%s by %s', async (role, by) => {
    const app = appFor(role, by);
    const wrong: unknown[] = [];
    for (const [id, endpoint] of table)
      for (const thing of things) {
        reached.length = 0;
        const { url, init } = requestOf(endpoint, thing);
        const answer = await app.request(url, init);
        // Whoever is allowed reaches the handler, or is told of the faults of such an input.
        const got = reached.length > 0 || answer.status === 422 ? 'allowed' : answer.status;
        const should = expected(endpoint, role, by, thing);
        if (got !== should) wrong.push({ id, thing, got, should });
      }
    expect(wrong).toEqual([]);
  });
});

describe('the same at the door of a real gateway', () => {
  let gateway: TestGateway;
  const credentials = {} as Record<
    Exclude<Role, 'anonymous' | 'auditor'>,
    [token: string, session: BrowserSession]
  >;

  beforeAll(async () => {
    gateway = await startGateway();
    const of = {
      admin: [accounts.admin, agents.admin],
      developer: [accounts.developer, agents.developer],
      operator: [accounts.operator, agents.operator],
      user: [accounts.user, agents.user],
      nobody: [accounts.noGroup, agents.stray],
    } as const;
    for (const role of Object.keys(of) as (keyof typeof of)[])
      credentials[role] = [
        await agentToken(gateway.emulatorUrl, of[role][1]),
        await signIn(gateway.url, of[role][0].userPrincipalName),
      ];
  });
  afterAll(() => gateway?.close());

  function credentialOf(role: Exclude<Role, 'auditor'>, by: By): Record<string, string> {
    if (role === 'anonymous') return {};
    const [token, { cookie, csrf }] = credentials[role];
    return by === 'token' ? { authorization: `Bearer ${token}` } : { cookie, 'x-csrf-token': csrf };
  }

  const known = cases.flatMap(([role, by]) => (role === 'auditor' ? [] : [[role, by] as const]));
  test.each(known)('%s by %s is refused as declared', async (role, by) => {
    const wrong: unknown[] = [];
    for (const [id, endpoint] of table)
      for (const thing of things) {
        const should = expected(endpoint, role, by, thing);
        // What is allowed would be done; it is asked of the table above and in the tests of each entity.
        if (should === 'allowed') continue;
        const { url, init } = requestOf(endpoint, thing);
        const headers = { 'content-type': 'application/json', ...credentialOf(role, by) };
        const answer = await fetch(`${gateway.url}${url}`, { ...init, headers });
        const { code } = (await answer.json()) as { code?: string };
        if (answer.status !== should || code === undefined)
          wrong.push({ id, thing, got: answer.status, should });
      }
    expect(wrong).toEqual([]);
  });
});

test('no route of the API is mounted past the table', () => {
  const routes = readdirSync('src/server', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.test(-support)?\.ts$/.test(name))
    .flatMap((name) =>
      [
        ...readFileSync(`src/server/${name}`, 'utf8').matchAll(
          /\bapp\s*\.\s*(?:get|post|put|patch|delete|all|on|route|mount)\(\s*([^,]+),/g,
        ),
      ].map(([, path]) => `${name.replaceAll('\\', '/')} ${path}`),
    );
  expect(routes.length).toBeGreaterThan(5);
  // The one exception answers 404 to what the table does not know.
  expect(routes.filter((route) => /['"`]\/?api/.test(route))).toEqual(["app.ts '/api/*'"]);
});
