import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join as pathOf } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { startGateway, type TestGateway } from '../harness.ts';
import { agentToken, cookiesOf, submitSignIn } from '../sign-in.ts';

/*
 * Attacks 17 to 20 and 26 of docs/security.md, by nothing that is not public, so that they can be run against any version:
 * accounts and groups change at the gateway and at the provider, and one of two providers is hostile.
 */

const { agents, groups, accounts, tenantId } = shippedTenant;
const json = { 'content-type': 'application/json' };

function asking(gateway: () => TestGateway, token: () => string) {
  return (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${gateway().url}${path}`, {
      ...{ method, redirect: 'manual', headers: { authorization: `Bearer ${token()}`, ...json } },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
}

/** Asks the directory itself, as its administrators do. */
async function atTheProvider(
  { emulatorUrl }: TestGateway,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const client = { client_id: shippedTenant.admin.clientId, client_secret: shippedTenant.admin.clientSecret };
  const scope = 'https://graph.microsoft.com/.default';
  const issued = await fetch(`${emulatorUrl}/${tenantId}/oauth2/v2.0/token`, {
    ...{ method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', scope, ...client }) },
  });
  const { access_token } = (await issued.json()) as { access_token: string };
  const answer = await fetch(`${emulatorUrl}/graph/v1.0${path}`, {
    ...{ method, headers: { authorization: `Bearer ${access_token}`, ...json } },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const said = await answer.text();
  expect(answer.status, said).toBeLessThan(300);
  return said ? JSON.parse(said) : undefined;
}

/** An access token of a person for the gateway, by the public client of the tenant, as a program on their machine gets one. */
async function personToken({ emulatorUrl }: TestGateway, name: string, password: string): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const client = { client_id: shippedTenant.publicClientId, redirect_uri: 'http://localhost' };
  const begun = new URLSearchParams({
    ...{ ...client, response_type: 'code', scope: `openid ${shippedTenant.appIdUri}/access_as_user` },
    ...{ state: 'x', code_challenge_method: 'S256' },
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  });
  const back = await submitSignIn(`${emulatorUrl}/${tenantId}/oauth2/v2.0/authorize?${begun}`, name, {
    password,
  });
  const body = new URLSearchParams({
    ...{ ...client, grant_type: 'authorization_code', code_verifier: verifier },
    code: back.searchParams.get('code') ?? '',
  });
  const answer = await fetch(`${emulatorUrl}/${tenantId}/oauth2/v2.0/token`, { method: 'POST', body });
  const { access_token } = (await answer.json()) as { access_token?: string };
  if (!access_token) throw new Error(`no token for ${name}: ${answer.status}, ${back}`);
  return access_token;
}

describe('where accounts and groups change', () => {
  let gateway: TestGateway;
  let admin: string;
  let directory: string;
  const ask = asking(
    () => gateway,
    () => admin,
  );
  /** Whether a token administers: only administrators read who has which groups. */
  const administers = async (token: string): Promise<boolean> =>
    (
      await asking(
        () => gateway,
        () => token,
      )('GET', '/api/management/iam/users')
    ).status === 200;

  beforeAll(async () => {
    directory = mkdtempSync(pathOf(tmpdir(), 'attack-scopes-'));
    writeFileSync(pathOf(directory, 'scopes.yml'), readFileSync('examples/scopes.yml'));
    gateway = await startGateway({ environment: { SCOPES_CONFIG_PATH: pathOf(directory, 'scopes.yml') } });
    admin = await agentToken(gateway.emulatorUrl, agents.admin);
  });
  afterAll(async () => {
    await gateway?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function made(answer: Response): Promise<Record<string, unknown>> {
    const text = await answer.text();
    expect(answer.status, text).toBeLessThan(300);
    return JSON.parse(text) as Record<string, unknown>;
  }

  async function bot(name: string): Promise<{ clientId: string; clientSecret: string; principal: string }> {
    const body = { name, groups: ['Mcp-test-admin'] };
    const one = await made(await ask('POST', '/api/management/iam/users/m2m', body));
    const clientId = String(one.client_id);
    const found = (await atTheProvider(
      gateway,
      'GET',
      `/servicePrincipals?$filter=appId eq '${clientId}'`,
    )) as { value: { id: string }[] };
    return { clientId, clientSecret: String(one.client_secret), principal: found.value[0]?.id ?? '' };
  }

  async function person(username: string): Promise<string> {
    const name = { username, email: `${username}@contoso.example`, first_name: 'A', last_name: 'B' };
    const body = { ...name, groups: ['Mcp-test-admin'], password: 'Given-Passw0rd!' };
    await made(
      await ask('POST', '/api/management/iam/users/human', { ...body, must_change_password: false }),
    );
    return await personToken(gateway, `${username}@contoso.example`, 'Given-Passw0rd!');
  }

  test('18: an agent that was taken out of its group at the provider is no longer an administrator', async () => {
    const { principal, ...client } = await bot('short-lived');
    expect(await administers(await agentToken(gateway.emulatorUrl, client))).toBe(true);
    await atTheProvider(gateway, 'DELETE', `/groups/${groups.admin}/members/${principal}/$ref`);
    expect(await administers(await agentToken(gateway.emulatorUrl, client))).toBe(false);
  });

  test.each([
    ['deleted', (name: string) => ask('DELETE', `/api/management/iam/users/${name}`)],
    [
      'moved to other groups',
      (name: string) =>
        ask('PATCH', `/api/management/iam/users/${name}/groups`, { groups: ['mcp-test-users'] }),
    ],
    [
      'taken out of every group',
      (name: string) => ask('PATCH', `/api/management/iam/users/${name}/groups`, { groups: [] }),
    ],
  ])('19: an administrator who was %s does not continue with a token of the provider', async (how, end) => {
    const username = `ends-${how.replaceAll(' ', '-')}`;
    const token = await person(username);
    expect(await administers(token)).toBe(true);
    await made(await end(`${username}@contoso.example`));
    expect(await administers(token)).toBe(false);
  });

  test.each([
    ['deleted', (name: string) => ask('DELETE', `/api/management/iam/users/${name}`)],
    [
      'moved to other groups',
      (name: string) =>
        ask('PATCH', `/api/management/iam/users/${name}/groups`, { groups: ['mcp-test-users'] }),
    ],
  ])('19: an agent that was %s does not go on with a token of the provider', async (how, end) => {
    const client = await bot(`bot-${how.replaceAll(' ', '-')}`);
    const token = await agentToken(gateway.emulatorUrl, client);
    expect(await administers(token)).toBe(true);
    await made(await end(client.clientId));
    expect(await administers(token)).toBe(false);
  });

  describe('26: power is recorded as such when', () => {
    const everything = Object.fromEntries(
      [
        'list_service',
        'register_service',
        'modify_service',
        'toggle_service',
        'delete_service',
        'publish_agent',
      ].map((one) => [one, ['all']]),
    );
    // A group of its own for each: who has a power already gains none.
    const scope = (name: string, more: object): Promise<Response> =>
      ask('POST', '/api/servers/groups/import', {
        ...{ scope_name: name, group_mappings: [`group-of-${name}`], ...more },
      });
    const everywhere = { server_access: [{ server: '*', methods: ['all'], tools: ['all'] }] };
    const client = { client_id: 'by-hand', client_name: 'By hand', groups: [] as string[] };
    /** Actions of which the trail says that they gave power. */
    async function grantsTold(): Promise<number> {
      const listed = await ask('GET', '/api/audit/events?limit=500&kind=change');
      const { events } = (await listed.json()) as { events: { id: string }[] };
      const told = await Promise.all(
        events.map(async ({ id }) => (await ask('GET', `/api/audit/events/${id}`)).text()),
      );
      return told.filter((one) => one.includes('"admin_grant":true')).length;
    }

    /** Puts somebody among the administrators without the gateway. */
    const join = (id: string): Promise<unknown> =>
      atTheProvider(gateway, 'POST', `/groups/${groups.admin}/members/$ref`, {
        ...{ '@odata.id': `${gateway.emulatorUrl}/graph/v1.0/directoryObjects/${id}` },
      });

    /** Each makes ready, and gives the step that gives the power. */
    const ways: Record<string, () => Promise<() => Promise<unknown>>> = {
      'a scope is made that grants every server': async () => () => scope('wide-1', everywhere),
      'a scope is made that grants every permission': async () => () =>
        scope('wide-2', { ui_permissions: everything }),
      'a scope is widened': async () => {
        await made(await scope('wide-3', {}));
        return () => scope('wide-3', { ui_permissions: everything });
      },
      'a scope that shows everything lets everything be called': async () => {
        await made(await scope('wide-4', { ui_permissions: { list_service: ['all'] } }));
        return () => scope('wide-4', everywhere);
      },
      'a wide scope is mapped to one more group': async () => {
        await made(await scope('wide-5', { ...everywhere, group_mappings: ['one'] }));
        return () => scope('wide-5', { ...everywhere, group_mappings: ['one', 'two'] });
      },
      'a group is made with a wide scope': async () => () =>
        ask('POST', '/api/management/iam/groups', {
          ...{ name: 'wide-6', scope_config: { ...everywhere, group_mappings: [groups.nested] } },
        }),
      'a group’s scope is widened': async () => {
        const scope_config = { group_mappings: ['group-of-wide-7'] };
        await made(await ask('POST', '/api/management/iam/groups', { name: 'wide-7', scope_config }));
        return () =>
          ask('PATCH', '/api/management/iam/groups/wide-7', {
            ...{ scope_config: { ui_permissions: everything } },
          });
      },
      'a person is created among administrators': async () => () => person('given-1'),
      'a person is put among administrators': async () => {
        const to = { groups: ['mcp-test-users'] };
        await person('given-2');
        const path = '/api/management/iam/users/given-2@contoso.example/groups';
        await made(await ask('PATCH', path, to));
        return () => ask('PATCH', path, { groups: ['mcp-test-users', 'Mcp-test-admin'] });
      },
      'an agent is created among administrators': async () => () => bot('given-3'),
      'an agent is put among administrators': async () => {
        const body = { name: 'given-4', groups: ['mcp-test-users'] };
        const one = await made(await ask('POST', '/api/management/iam/users/m2m', body));
        return () =>
          ask('PATCH', `/api/management/iam/users/${one.client_id}/groups`, {
            ...{ groups: ['Mcp-test-admin'] },
          });
      },
      'an application is registered among administrators': async () => () =>
        ask('POST', '/api/iam/m2m-clients', { ...client, client_id: 'by-hand-1', groups: [groups.admin] }),
      'an application is put among administrators': async () => {
        await made(await ask('POST', '/api/iam/m2m-clients', { ...client, client_id: 'by-hand-2' }));
        return () => ask('PATCH', '/api/iam/m2m-clients/by-hand-2', { groups: [groups.admin] });
      },
      'an application among administrators is switched on': async () => {
        const one = { ...client, client_id: 'by-hand-3', groups: [groups.admin] };
        await made(await ask('POST', '/api/iam/m2m-clients', one));
        await made(await ask('PATCH', '/api/iam/m2m-clients/by-hand-3', { enabled: false }));
        return () => ask('PATCH', '/api/iam/m2m-clients/by-hand-3', { enabled: true });
      },
      'somebody is put among administrators at the provider': async () => {
        const { userPrincipalName, objectId } = accounts.operator;
        const token = () => personToken(gateway, userPrincipalName, shippedTenant.password);
        expect(await administers(await token())).toBe(false);
        await join(objectId);
        return async () => expect(await administers(await token())).toBe(true);
      },
      'an agent is put among administrators at the provider': async () => {
        const token = () => agentToken(gateway.emulatorUrl, agents.operator);
        expect(await administers(await token())).toBe(false);
        await join(agents.operator.objectId);
        return async () => expect(await administers(await token())).toBe(true);
      },
      'the file of scopes is widened': async () => () => {
        const file = pathOf(directory, 'scopes.yml');
        const text = readFileSync(file, 'utf8');
        writeFileSync(
          file,
          text.replace('group_mappings:\n', `group_mappings:\n  ${groups.nested}: [mcp-registry-admin]\n`),
        );
        return Promise.resolve();
      },
    };

    test.each(Object.keys(ways))('%s', async (way) => {
      const step = await ways[way]!();
      const before = await grantsTold();
      await step();
      await expect.poll(grantsTold, { interval: 200 }).toBeGreaterThan(before);
    });
  });
});

describe.each([
  ['behind its provider', `entra:${groups.admin}`],
  ['behind its provider, in upper case', `entra:${groups.admin.toUpperCase()}`],
])('where the administrators’ group is mapped %s', (_, mapping) => {
  let gateway: TestGateway;
  let directory: string;
  beforeAll(async () => {
    directory = mkdtempSync(pathOf(tmpdir(), 'attack-scopes-'));
    const text = readFileSync('examples/scopes.yml', 'utf8');
    writeFileSync(pathOf(directory, 'scopes.yml'), text.replaceAll(groups.admin, mapping));
    gateway = await startGateway({ environment: { SCOPES_CONFIG_PATH: pathOf(directory, 'scopes.yml') } });
  });
  afterAll(async () => {
    await gateway?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const { objectId, userPrincipalName } = accounts.admin;
  test.each([
    ['DELETE', `/api/management/iam/users/${userPrincipalName}`],
    ['DELETE', `/api/management/iam/users/${objectId}`],
    ['PATCH', `/api/management/iam/users/${userPrincipalName}/groups`, { groups: [] }],
    ['PATCH', `/api/management/iam/users/${objectId}/groups`, { groups: ['mcp-test-users'] }],
    ['DELETE', '/api/management/iam/groups/Mcp-test-admin'],
  ])('20: the last administrator stays one: %s %s', async (method, path, body?: object) => {
    const admin = await agentToken(gateway.emulatorUrl, agents.admin);
    const answer = await asking(
      () => gateway,
      () => admin,
    )(method, path, body);
    const members = (await atTheProvider(gateway, 'GET', `/groups/${groups.admin}/members`)) as {
      value: { id: string }[];
    };
    expect(members.value.map(({ id }) => id)).toContain(objectId);
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });
});

describe('with two providers, one of them hostile', () => {
  let gateway: TestGateway;
  let honest: Server;
  let hostile: Server;
  let directory: string;
  /** What comes to the token endpoint of the hostile one. */
  const stolen: URLSearchParams[] = [];
  const originOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  /** A provider for one account, that of the administrator, who is signed in there. */
  async function provider(
    path: string,
    token: (asked: URLSearchParams) => Promise<object | undefined>,
  ): Promise<Server> {
    const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
      const url = new URL(req.url ?? '/', originOf(server));
      let text = '';
      for await (const chunk of req) text += chunk;
      const issuer = `${originOf(server)}${path}`;
      const at = (page: string) => `${issuer}/${page}`;
      const send = (status: number, said: object) => res.writeHead(status, json).end(JSON.stringify(said));
      if (url.pathname.endsWith('/openid-configuration'))
        return void send(200, {
          ...{ issuer, authorization_endpoint: at('authorize'), token_endpoint: at('token') },
          ...{
            jwks_uri: at('keys'),
            response_types_supported: ['code'],
            subject_types_supported: ['public'],
          },
          id_token_signing_alg_values_supported: ['ES256'],
        });
      if (url.pathname.endsWith('/keys')) return void send(200, { keys: [publicKey] });
      if (url.pathname.endsWith('/token')) {
        const tokens = await token(new URLSearchParams(text));
        return void send(tokens ? 200 : 400, tokens ?? { error: 'invalid_grant' });
      }
      send(404, {});
    };
    const server = createServer((req, res) => void answer(req, res)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }

  let publicKey: object;
  /** The authorization requests that the administrator was led to, by code. */
  const codes = new Map<string, URLSearchParams>();
  /** What the honest provider does with the browser of the administrator, who is signed in there. */
  function visit(authorize: URL): URL {
    const code = randomBytes(8).toString('hex');
    codes.set(code, authorize.searchParams);
    const back = new URL(authorize.searchParams.get('redirect_uri') ?? '');
    expect(back.href).toBe(`${gateway.url}/oauth2/callback/keycloak`);
    back.searchParams.set('code', code);
    back.searchParams.set('state', authorize.searchParams.get('state') ?? '');
    return back;
  }

  beforeAll(async () => {
    const keys = await generateKeyPair('ES256');
    publicKey = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
    honest = await provider('/realms/mcp-gateway', async (asked) => {
      const begun = codes.get(asked.get('code') ?? '');
      const proof = createHash('sha256')
        .update(asked.get('code_verifier') ?? '')
        .digest('base64url');
      if (!begun || begun.get('code_challenge') !== proof) return undefined;
      const id_token = await new SignJWT({
        nonce: begun.get('nonce'),
        preferred_username: 'root',
        groups: ['admins'],
      })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuer(`${originOf(honest)}/realms/mcp-gateway`)
        .setAudience('gateway-here')
        .setSubject('root')
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(keys.privateKey);
      return { access_token: 'x', token_type: 'Bearer', id_token };
    });
    hostile = await provider('', async (asked) => {
      stolen.push(asked);
      return undefined;
    });
    directory = mkdtempSync(pathOf(tmpdir(), 'attack-providers-'));
    const scopes =
      'UI-Scopes: {mcp-registry-admin: {list_service: [all]}}\ngroup_mappings: {admins: [mcp-registry-admin]}\n';
    writeFileSync(pathOf(directory, 'scopes.yml'), scopes);
    gateway = await startGateway({
      environment: {
        ...{ AUTH_PROVIDER: 'keycloak,oidc', SECRET_KEY: randomBytes(32).toString('hex') },
        ...{
          KEYCLOAK_URL: originOf(honest),
          KEYCLOAK_CLIENT_ID: 'gateway-here',
          KEYCLOAK_CLIENT_SECRET: 'x'.repeat(20),
        },
        ...{
          OIDC_ISSUER: originOf(hostile),
          OIDC_CLIENT_ID: 'gateway-there',
          OIDC_CLIENT_SECRET: 'y'.repeat(20),
        },
        SCOPES_CONFIG_PATH: pathOf(directory, 'scopes.yml'),
      },
    });
  });
  afterAll(async () => {
    await gateway?.close();
    for (const server of [honest, hostile]) {
      server?.closeAllConnections();
      server?.close();
    }
    rmSync(directory, { recursive: true, force: true });
  });

  async function begin(name: string): Promise<{ to: URL; cookie: string }> {
    const begun = await fetch(`${gateway.url}/oauth2/login/${name}`, { redirect: 'manual' });
    return { to: new URL(begun.headers.get('location') ?? ''), cookie: cookiesOf(begun) };
  }
  const come = (to: URL, cookie: string) => fetch(to, { redirect: 'manual', headers: { cookie } });
  async function whoIs(answer: Response): Promise<string> {
    const me = await fetch(`${gateway.url}/api/auth/me`, { headers: { cookie: cookiesOf(answer) } });
    return me.ok ? ((await me.json()) as { username: string }).username : 'nobody';
  }

  test('the administrator signs in at the honest one', async () => {
    const { to, cookie } = await begin('keycloak');
    expect(await whoIs(await come(visit(to), cookie))).toBe('root');
  });

  test.each([
    ['as it is', (to: URL) => to],
    [
      'with the issuer of the other',
      (to: URL) => {
        to.searchParams.set('iss', originOf(hostile));
        return to;
      },
    ],
    [
      'with a slash more',
      (to: URL) => {
        to.pathname += '/';
        return to;
      },
    ],
    [
      'spelt otherwise',
      (to: URL) => {
        to.pathname = '/oauth2/callback/%6fidc';
        return to;
      },
    ],
  ])('17: the other gets no code of the honest one, %s', async (_, spelt) => {
    stolen.length = 0;
    const attacker = await begin('keycloak');
    // The administrator chooses the hostile provider, which leads on to the honest one with the attacker's proof and nonce.
    const victim = await begin('oidc');
    const on = new URL(attacker.to);
    on.searchParams.set('state', victim.to.searchParams.get('state') ?? '');
    await come(spelt(visit(on)), victim.cookie);
    for (const asked of stolen) {
      const back = new URL(attacker.to.searchParams.get('redirect_uri') ?? '');
      back.searchParams.set('code', asked.get('code') ?? '');
      back.searchParams.set('state', attacker.to.searchParams.get('state') ?? '');
      expect(await whoIs(await come(back, attacker.cookie))).toBe('nobody');
    }
    expect(stolen.map((asked) => asked.get('code'))).toEqual([]);
  });
});
