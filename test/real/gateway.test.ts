import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { createAuthority } from '../../src/server/net/connector.test-support.ts';
import { startGateway, type TestGateway } from '../harness.ts';
import { runProgram } from '../program.ts';
import { agentToken } from '../sign-in.ts';
import { type Minio, startMinio } from './minio.ts';
import { type OpenBao, startOpenBao } from './openbao.ts';

/* A whole gateway whose data key OpenBao wraps and whose trail is stored in MinIO besides, both by TLS of a company's own authority. */
const folder = mkdtempSync(join(tmpdir(), 'real-gateway-'));
const dataDir = join(folder, 'data');
mkdirSync(dataDir);
const tokenFile = join(folder, 'token');
const caFile = join(folder, 'ca.pem');
/** The credentials that a server was called with. */
const credentials: (string | undefined)[] = [];
const server = createServer(async (req, res) => {
  let body = '';
  for await (const chunk of req) body += chunk;
  credentials.push(req.headers.authorization);
  const { id } = JSON.parse(body || '{}') as { id?: number };
  res.setHeader('content-type', 'application/json');
  const tools = [{ name: 'look', inputSchema: { type: 'object' } }];
  res.end(JSON.stringify({ jsonrpc: '2.0', id, result: { tools } }));
});
let bao: OpenBao;
let minio: Minio;
let gateway: TestGateway;

beforeAll(async () => {
  const authority = createAuthority('the authority of a company');
  writeFileSync(caFile, authority.ca);
  setDefaultCACertificates([...getCACertificates('default'), authority.ca]);
  const pair = authority.issue('localhost', ['localhost']);
  bao = await startOpenBao(process.env.REAL_OPENBAO ?? '', mkdtempSync(join(folder, 'openbao-')), pair);
  minio = await startMinio(process.env.REAL_MINIO ?? '', mkdtempSync(join(folder, 'minio-')), pair);
  await bao.ask('sys/mounts/transit', { type: 'transit' });
  await bao.ask('transit/keys/mcp-gateway', {});
  const policy = 'path "transit/+/mcp-gateway" { capabilities = ["update"] }';
  await bao.ask('sys/policies/acl/mcp-gateway', { policy });
  await minio.make('audit');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await gateway?.close();
  server.closeAllConnections();
  server.close();
  await bao?.kill();
  await minio?.kill();
  rmSync(folder, { recursive: true, force: true });
});

const secretKey = randomBytes(24).toString('hex');
const environment = () => ({
  EXTRA_CA_FILE: caFile,
  ...{ SECRET_KEY: secretKey, VAULT_KMS: 'transit', VAULT_ADDR: bao.address, VAULT_TOKEN_FILE: tokenFile },
  ...{ AUDIT_S3_URL: `${minio.origin}/audit/of the gateway/`, AUDIT_S3_REGION: minio.region },
  AUDIT_S3_ACCESS_KEY_ID: minio.accessKeyId,
  AUDIT_S3_SECRET_ACCESS_KEY: minio.secretAccessKey,
});
const start = async () => {
  writeFileSync(tokenFile, await bao.token('mcp-gateway'));
  return startGateway({ dataDir, environment: environment() });
};
async function ask(path: string, body: object): Promise<number> {
  const token = await agentToken(gateway.emulatorUrl, shippedTenant.agents.admin);
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify(body),
  });
  await answer.text();
  return answer.status;
}
const listTools = () => ask('/guarded/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });

test('a credential is sealed by a key that OpenBao wraps, and opens after a restart', async () => {
  gateway = await start();
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/mcp`;
  const body = { server_name: 'guarded', path: '/guarded', proxy_pass_url: url, is_enabled: true };
  const credential = { auth_scheme: 'bearer', auth_credential: 'of-the-server' };
  expect(await ask('/api/servers', { ...body, ...credential })).toBe(201);
  // The token is needed at the start only.
  await bao.ask('auth/token/revoke', { token: readFileSync(tokenFile, 'utf8') });
  expect(await listTools()).toBe(200);
  expect(await gateway.stop()).toBe(0);
  gateway = await start();
  credentials.length = 0;
  expect(await listTools()).toBe(200);
  expect(new Set(credentials)).toEqual(new Set(['Bearer of-the-server']));
});

test('the key of OpenBao rotates, `rotate-secrets` rewraps, and the old version may end', async () => {
  expect(await gateway.stop()).toBe(0);
  await bao.ask('transit/keys/mcp-gateway/rotate', {});
  const cli = ['gateway', 'rotate-secrets', '--new-data-key', '--data-dir', dataDir];
  const { code, out, err } = await runProgram(cli, {
    cwd: folder,
    env: { EVALUATION: 'true', ...environment() },
  });
  expect(code, out + err).toBe(0);
  expect(out).toMatch(/transit:transit\/mcp-gateway/);
  await bao.ask('transit/keys/mcp-gateway/config', { min_decryption_version: 2 });
  gateway = await start();
  expect(await listTools()).toBe(200);
});

test('what runs goes on without OpenBao; what starts waits until it is unsealed, and ends where it is refused', async () => {
  await bao.seal();
  expect(await listTools()).toBe(200);
  expect(await gateway.stop()).toBe(0);
  const waiting = startGateway({ dataDir, environment: environment() });
  await bao.unseal();
  gateway = await waiting;
  credentials.length = 0;
  expect(await listTools()).toBe(200);
  expect(credentials[0]).toBe('Bearer of-the-server');
  expect(await gateway.stop()).toBe(0);
  writeFileSync(tokenFile, await bao.token('default'));
  await expect(startGateway({ dataDir, environment: environment() })).rejects.toThrow(
    'needs `update` on encrypt',
  );
  gateway = await start();
});

test('every event of the gateways so far is in the bucket, and none of them twice', async () => {
  expect(await gateway.stop()).toBe(0);
  const stored = await minio.read('audit');
  expect([...stored.keys()].every((name) => name.startsWith('of the gateway/'))).toBe(true);
  const lines = [...stored.values()].flatMap((text) => text.trim().split('\n'));
  const events = lines.map(
    (line) => JSON.parse(line) as { action: string; resource: string; decision: string },
  );
  const lists = events.filter(({ action, resource }) => action === 'tools/list' && resource === 'guarded');
  expect(lists.map(({ decision }) => decision)).toEqual(Array.from({ length: 5 }, () => 'allow'));
  expect(events.filter(({ action }) => action === 'servers.register')).toHaveLength(1);
});
