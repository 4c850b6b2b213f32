import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  request,
  type Server,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { profiles } from '../src/cli/clients-doctor/profiles.ts';
import { makeCertificate, toPem } from '../src/entra-emulator/keys/certificate.ts';
import { cli } from './cli-trial.ts';
import { startGateway, type TestGateway } from './harness.ts';

/** `mcp-gateway doctor clients` against a gateway as it runs, also behind proxies that get things wrong. */
let gateway: TestGateway;
/** In front of the gateway, at its public address. */
let proxy: Server;
let publicUrl: string;
/** What the proxy does wrong at the moment. */
let meddling: Meddling = {};

beforeAll(async () => {
  proxy = createServer((req, res) => passOn(req, res));
  await listening(proxy);
  publicUrl = `http://localhost:${portOf(proxy)}`;
  // No way out: documents of clients cannot be read.
  gateway = await startGateway({
    environment: { HTTPS_PROXY: 'http://127.0.0.1:1', REGISTRY_URL: publicUrl },
  });
});
afterEach(() => {
  meddling = {};
});
afterAll(async () => {
  await gateway?.close();
  proxy?.closeAllConnections();
  proxy?.close();
});

interface Step {
  step: string;
  level: string;
  what: string;
  remedy: string | null;
}

/** Runs the doctor; what failed and what was warned of, by client. */
async function doctor(registryUrl: string, ...more: string[]) {
  const { code, out, err } = await cli([
    'doctor',
    'clients',
    '--json',
    '--registry-url',
    registryUrl,
    ...more,
  ]);
  const { clients, healthy } = JSON.parse(out || `{"clients":[],"err":${JSON.stringify(err)}}`) as {
    healthy: boolean;
    clients: { client: string; works: boolean; steps: Step[] }[];
  };
  return {
    ...{ code, healthy, err, of: Object.fromEntries(clients.map((one) => [one.client, one])) },
    failing: clients.filter(({ works }) => !works).map(({ client }) => client),
    /** The steps of a client that are not as they should be. */
    found: (client: string) =>
      clients.find((one) => one.client === client)?.steps.filter(({ level }) => level !== 'ok') ?? [],
  };
}

/** What a proxy does to what passes; what it says instead ends the request there. */
interface Meddling {
  readonly request?: (headers: IncomingHttpHeaders) => void;
  readonly response?: (headers: IncomingHttpHeaders) => void;
  readonly instead?: (path: string, method: string) => { status: number; body: string } | undefined;
}

const passOn: RequestListener = (req, res) => {
  const { request: ask, response: answer, instead } = meddling;
  const [path = '/', method = ''] = [req.url, req.method];
  const own = instead?.(path, method);
  if (own) {
    res.writeHead(own.status, { 'content-type': 'text/html' });
    res.end(own.body);
    return;
  }
  const headers = { ...req.headers };
  ask?.(headers);
  const { port } = new URL(gateway.url);
  const on = request({ port, host: 'localhost', method, path, headers }, (got) => {
    const given = { ...got.headers };
    answer?.(given);
    res.writeHead(got.statusCode ?? 500, given);
    got.pipe(res);
  });
  req.pipe(on);
};

async function listening(server: Server): Promise<void> {
  server.listen(0, 'localhost');
  await once(server, 'listening');
}
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const hosted = profiles.filter(({ isHosted }) => isHosted).map(({ id }) => id);

test('on a machine of its own, every client that runs there can sign in; hosted ones are told why not', async () => {
  const { code, failing, found, of } = await doctor(publicUrl);
  expect(failing).toEqual(hosted);
  expect(code).toBe(1);
  for (const client of hosted) expect(found(client)).toMatchObject([{ step: 'reach', level: 'fail' }]);
  expect(of.cursor?.steps.map(({ step }) => step)).toEqual([
    ...['reach', 'discovery', 'metadata', 'registration', 'authorize', 'token'],
  ]);
  // The shipped copy of the document serves where the document cannot be read, and registration where there is none.
  expect(found('claude-code')).toEqual([]);
  expect(found('opencode')).toMatchObject([
    { step: 'authorize', level: 'warn', remedy: expect.stringContaining('OAUTH_CLIENT_DOCUMENTS=known') },
  ]);
});

test('the words for people name the client, the step and the remedy', async () => {
  const { code, out } = await cli([
    'doctor',
    'clients',
    '--registry-url',
    publicUrl,
    '--client',
    'cursor',
    'claude',
  ]);
  expect(code).toBe(1);
  expect(out).toContain('works  Cursor');
  expect(out).toMatch(/fails {2}Claude \(web and desktop connectors\)\n\s+reach: .* cannot reach/);
  expect(out).toContain('1 of 2 clients cannot sign in.');
  expect((await cli(['doctor', 'clients', '--client', 'nobody'])).code).toBe(2);
  expect((await cli(['doctor', 'clients', '--server', '../x'])).code).toBe(2);
});

test.each<[string, Meddling, string, 'warn' | 'fail', string]>([
  [
    'a lost Authorization',
    { request: (headers) => delete headers.authorization },
    'reach',
    'fail',
    'Authorization',
  ],
  ['a page of its own', { instead: page('/a-server/mcp', 200) }, 'reach', 'fail', 'status 200, not 401'],
  ['a refusal of its own', { instead: page('/a-server/mcp', 403) }, 'reach', 'fail', 'status 403'],
  [
    'a lost WWW-Authenticate',
    { response: (headers) => delete headers['www-authenticate'] },
    ...(['discovery', 'warn', 'WWW-Authenticate is lost'] as const),
  ],
  [
    'well-known paths of its own',
    { instead: page('/.well-known/oauth-protected-resource/a-server/mcp', 404) },
    ...(['discovery', 'fail', 'status 404'] as const),
  ],
  [
    'a web page for everything',
    { instead: page('/.well-known/oauth-authorization-server', 200) },
    ...(['metadata', 'fail', 'no JSON'] as const),
  ],
  [
    'OpenID Connect of somebody else',
    { instead: page('/.well-known/openid-configuration', 200) },
    ...(['metadata', 'fail', 'OpenID Connect'] as const),
  ],
  [
    'only the root of the well-known paths',
    { instead: page('/.well-known/oauth-authorization-server/a-server/mcp', 404) },
    ...(['metadata', 'warn', 'older revisions'] as const),
  ],
  ['no registration', { instead: page('/oauth/register', 403) }, 'registration', 'fail', 'status 403'],
  [
    'no authorization requests',
    { instead: page('/oauth/authorize', 403) },
    'authorize',
    'fail',
    'status 403',
  ],
  ['lost cookies', { response: (headers) => delete headers['set-cookie'] }, 'authorize', 'fail', 'cookie'],
  ['a consent page of its own', { instead: page('/oauth/consent/', 404) }, 'authorize', 'fail', 'status 404'],
  ['no token requests', { instead: page('/oauth/token', 403) }, 'token', 'fail', 'status 403'],
  ['a page for the token', { instead: page('/oauth/token', 200) }, 'token', 'fail', 'status 200'],
])('a proxy with %s', async (_, wrong, step, level, what) => {
  meddling = wrong;
  const { of, found } = await doctor(publicUrl, '--client', 'mcp-remote', '--server', '/a-server');
  expect(of['mcp-remote']?.works).toBe(level === 'warn');
  expect(found('mcp-remote')).toMatchObject([
    { step, level, what: expect.stringContaining(what), remedy: expect.stringMatching(/\w/) },
  ]);
});

test('a proxy that drops CORS is found for clients in a browser, and for no others', async () => {
  meddling = { response: (headers) => delete headers['access-control-allow-origin'] };
  const { failing, found } = await doctor(publicUrl, '--client', 'inspector', 'codex');
  expect(failing).toEqual(['inspector']);
  expect(found('inspector')).toMatchObject([{ step: 'metadata', what: expect.stringContaining('CORS') }]);
});

test('another address than REGISTRY_URL', async () => {
  const { failing, found } = await doctor(gateway.url);
  expect(failing).toEqual(profiles.map(({ id }) => id));
  const remedy = expect.stringContaining('REGISTRY_URL');
  const level = 'fail';
  for (const client of ['codex', 'older'])
    expect(found(client)).toMatchObject([
      { step: expect.stringMatching(/reach|discovery|metadata/), level, remedy },
    ]);
});

test('a certificate that nobody knows, a host that nobody knows, and nothing at all', async () => {
  const { key, cert } = selfSigned();
  const server = createTlsServer({ key, cert }, passOn);
  await listening(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const port = portOf(server);
  for (const [url, what] of [
    [`https://localhost:${port}`, 'certificate'],
    [`http://localhost:1`, 'cannot be reached'],
    [`https://no-such-host.invalid`, 'host name'],
  ] as const)
    expect((await doctor(url, '--client', 'codex')).found('codex')).toMatchObject([
      { step: 'reach', level: 'fail', what: expect.stringContaining(what) },
    ]);
});

function page(at: string, status: number) {
  return (path: string, method: string) =>
    (at.endsWith('/') ? path.startsWith(at) : path.split('?')[0] === at) && method !== 'OPTIONS'
      ? { status, body: '<!doctype html><title>Proxy</title>' }
      : undefined;
}

function selfSigned(): { key: string; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [from, to] = [new Date(Date.now() - 60_000), new Date(Date.now() + 3_600_000)];
  const about = { subject: 'localhost', publicKey, signWith: privateKey, from, to };
  const cert = toPem(makeCertificate({ ...about, names: ['localhost'] }));
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, cert };
}
