import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tlsIdentity } from '../src/entra-emulator/keys/tls.ts';
import {
  type Emulator,
  type Seed,
  shippedSeed,
  shippedTenant,
  startEmulator,
} from '../src/entra-emulator/main.ts';
import { freePort } from './harness.ts';
import { type BrowserSession, cookiesOf, submitSignIn } from './sign-in.ts';

/**
 * The setup guide, walked in production mode as somebody does who has installed the package: packed, installed with npm,
 * started with exactly the guide's `.env`. Microsoft's hosts are reached through the forward proxy of a company that opens
 * TLS with an authority of its own; behind it is the emulator, with the marker that production refuses taken off.
 */
const run = promisify(execFile);
const { accounts, agents, groups } = shippedTenant;
const [login, graph] = ['https://login.microsoftonline.com', 'https://graph.microsoft.com'];

/** The settings of the guide, in its order; what it says must be replaced is. */
const guideEnv = `
AUTH_PROVIDER=entra
ENTRA_TENANT_ID=12345678-1234-1234-1234-123456789012
ENTRA_CLIENT_ID=87654321-4321-4321-4321-210987654321
ENTRA_CLIENT_SECRET=${shippedTenant.clientSecret}
ENTRA_ENABLED=true
ENTRA_GROUP_ADMIN_ID=16c7e67e-e8ae-498c-ba2e-0593c0159e43
ENTRA_GROUP_USERS_ID=62c07ac1-03d0-4924-90c7-a0255f23bd1d
REGISTRY_URL=http://localhost
AUTH_SERVER_EXTERNAL_URL=http://localhost
SECRET_KEY=8d41c7fb02e96a35b7f0642d9ec1583a5b0f77c3e2d94a16
`;

let folder: string;
let emulator: Emulator;
let emulatorUrl: string;
let url: string;
let printed = '';
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'packed-'));
  const emulatorPort = await freePort();
  emulatorUrl = `http://127.0.0.1:${emulatorPort}`;
  emulator = await startEmulator({ port: emulatorPort, origin: login, seed: tenantOfTheGuide() });
  const proxy = await openCompanyProxy();
  await install();
  writeFileSync(join(folder, '.env'), guideEnv);
  const port = await freePort();
  url = `http://localhost:${port}`;
  const child = spawn(process.execPath, [command(), 'start', '--port', String(port)], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, HTTPS_PROXY: proxy, EXTRA_CA_FILE: join(folder, 'ca.pem') },
  });
  closing.push(() => child.kill('SIGKILL'));
  await new Promise<void>((ready, fail) => {
    const read = (chunk: Buffer): void => {
      printed += chunk.toString();
      if (printed.includes('the gateway serves')) ready();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => fail(new Error(`the gateway ended with ${code}:\n${printed}`)));
  });
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await emulator?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The demo tenant under the ids of the guide. */
function tenantOfTheGuide(): Seed {
  const text = JSON.stringify(shippedSeed())
    .replaceAll(shippedTenant.tenantId, '12345678-1234-1234-1234-123456789012')
    .replaceAll(shippedTenant.clientId, '87654321-4321-4321-4321-210987654321');
  return JSON.parse(text) as Seed;
}

/** Packs what is built and installs it with npm, without asking any registry: the package needs no other. */
async function install(): Promise<void> {
  const env = {
    ...process.env,
    npm_config_cache: join(folder, 'npm-cache'),
    npm_config_update_notifier: 'false',
  };
  const npm = async (args: string[], cwd: string) => (await run('npm', args, { cwd, env })).stdout;
  const packed = await npm(
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
    resolve('.'),
  );
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  await npm(['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', `./${filename}`], folder);
}

function command(): string {
  return join(folder, 'node_modules/mcp-gateway-registry/bin/mcp-gateway.mjs');
}

/** A forward proxy that leads to Microsoft's hosts, and puts a certificate of its own authority in their place. */
async function openCompanyProxy(): Promise<string> {
  const { key, cert, ca } = tlsIdentity(
    [login, graph].map((host) => new URL(host).hostname),
    new Date(),
  );
  writeFileSync(join(folder, 'ca.pem'), ca);
  const microsoft = createTlsServer({ key, cert }, (req, res) => {
    const isGraph = req.headers.host === new URL(graph).hostname;
    const target = new URL(`${emulatorUrl}${isGraph ? '/graph' : ''}${req.url}`);
    const headers = { ...req.headers, host: new URL(login).hostname };
    const inner = request(target, { method: req.method, headers }, async (answer) => {
      const {
        'x-entra-emulator': _marker,
        'content-length': _,
        'transfer-encoding': __,
        ...kept
      } = answer.headers;
      let body = '';
      for await (const chunk of answer) body += chunk;
      res.writeHead(answer.statusCode ?? 502, kept).end(body.replaceAll(`${login}/graph`, graph));
    });
    inner.on('error', () => res.destroy());
    req.pipe(inner);
  });
  microsoft.listen(0, '127.0.0.1');
  await once(microsoft, 'listening');
  const { port } = microsoft.address() as AddressInfo;
  const proxy = createServer();
  proxy.on('connect', (req, socket) => {
    socket.on('error', () => socket.destroy());
    if (![login, graph].some((host) => req.url === `${new URL(host).hostname}:443`))
      return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const through = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(through).pipe(socket);
    });
    through.on('error', () => socket.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  closing.push(
    () => proxy.close(),
    () => microsoft.close(),
    () => microsoft.closeAllConnections(),
  );
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

/** Signs in as a browser does, at the public URL of the guide: what it opens on port 80 reaches the gateway. */
async function signIn(userPrincipalName: string): Promise<BrowserSession & { readonly isAdmin: boolean }> {
  const begun = await fetch(`${url}/oauth2/login/entra`, { redirect: 'manual' });
  const authorize = begun.headers.get('location') ?? '';
  expect(authorize, printed).toMatch(`${login}/12345678-1234-1234-1234-123456789012/`);
  const callback = await submitSignIn(authorize.replace(login, emulatorUrl), userPrincipalName);
  expect(callback.origin).toBe('http://localhost');
  const done = await fetch(`${url}${callback.pathname}${callback.search}`, {
    redirect: 'manual',
    headers: { cookie: cookiesOf(begun) },
  });
  const cookie = cookiesOf(done);
  const me = await fetch(`${url}/api/auth/me`, { headers: { cookie } });
  expect(me.status, `${done.headers.get('location')}\n${printed}`).toBe(200);
  const { csrf_token, is_admin } = (await me.json()) as { csrf_token: string; is_admin: boolean };
  return { cookie, csrf: csrf_token, isAdmin: is_admin };
}

async function ask(
  { cookie, csrf }: BrowserSession,
  path: string,
  method = 'GET',
  body?: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...{ cookie, 'x-csrf-token': csrf, 'content-type': 'application/json', origin: 'http://localhost' },
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
}

const server = {
  ...{
    server_name: 'Docs',
    path: '/context7',
    proxy_pass_url: 'https://mcp.example.com/mcp',
    description: 'Docs.',
  },
};

test('the package brings what the guide names, and needs no other package', () => {
  const at = (name: string) => readFileSync(join(dirname(dirname(command())), name), 'utf8');
  expect(at('.env.example')).toContain('ENTRA_GROUP_ADMIN_ID=');
  const { dependencies, engines } = JSON.parse(at('package.json'));
  expect({ dependencies, engines }).toEqual({ dependencies: undefined, engines: { node: '>=20' } });
});

test('the two group settings alone start production, and nothing else is complained of', () => {
  expect(printed).toContain('the built-in roles are active');
  const warned = printed.split('\n').filter((line) => /"level":(40|50|60)/.test(line));
  expect(warned.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    expect.stringContaining(
      'REGISTRY_URL and AUTH_SERVER_EXTERNAL_URL are http://localhost, but the gateway listens',
    ),
  ]);
});

test('step 2 to 4 of the tests: an administrator registers, modifies and switches; a user sees and may not', async () => {
  const [admin, user] = [
    await signIn(accounts.admin.userPrincipalName),
    await signIn(accounts.user.userPrincipalName),
  ];
  expect([admin.isAdmin, user.isAdmin]).toEqual([true, false]);
  const made = await ask(admin, '/api/servers', 'POST', server);
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  expect((await ask(admin, '/api/servers/context7', 'PATCH', { description: 'All docs.' })).status).toBe(200);
  expect((await ask(admin, '/api/servers/context7/toggle', 'POST', { enabled: true })).status).toBe(200);
  const seen = (await ask(user, '/api/servers')).body.servers as { path: string }[];
  expect(seen.map(({ path }) => path)).toEqual(['/context7']);
  expect((await ask(user, '/api/servers', 'POST', { ...server, path: '/more' })).status).toBe(403);
  expect((await ask(user, '/api/servers/context7', 'PATCH', { description: 'Mine.' })).status).toBe(403);
  expect(printed).toContain('Raw user info from entra:');
  expect(printed).toContain('Mapped user info:');
});

test('step 5: an agent gets a token by the guide and uses the API with it', async () => {
  const answer = await fetch(`${emulatorUrl}/12345678-1234-1234-1234-123456789012/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id: agents.user.clientId },
      ...{
        client_secret: agents.user.clientSecret,
        scope: 'api://87654321-4321-4321-4321-210987654321/.default',
      },
    }),
  });
  const { access_token } = (await answer.json()) as { access_token: string };
  const me = await fetch(`${url}/api/auth/me`, { headers: { authorization: `Bearer ${access_token}` } });
  expect(await me.json()).toMatchObject({ groups: expect.arrayContaining([groups.users]), is_admin: false });
});

test("the guide's group file is imported by the installed command", async () => {
  const admin = await signIn(accounts.admin.userPrincipalName);
  const minted = await ask(admin, '/api/tokens/generate', 'POST', {});
  writeFileSync(join(folder, '.token'), JSON.stringify(minted.body), { mode: 0o600 });
  const definition = JSON.parse(
    readFileSync(join(dirname(dirname(command())), 'examples/public-mcp-users.json'), 'utf8'),
  ) as object;
  const importing = (body: object) => {
    writeFileSync(join(folder, 'group.json'), JSON.stringify(body));
    const global = ['--token-file', '.token', '--registry-url', url, '--json'];
    return run(process.execPath, [command(), 'import-group', ...global, '--file', 'group.json'], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder },
    });
  };
  // The guide consents to nothing with which groups could be made in the directory.
  const refused = importing({ ...definition, create_in_idp: true });
  await expect(refused).rejects.toMatchObject({ stderr: expect.stringContaining('Group.ReadWrite.All') });
  const { stdout } = await importing({ ...definition, create_in_idp: false });
  expect(JSON.stringify(JSON.parse(stdout))).toContain('public-mcp-users');
});
