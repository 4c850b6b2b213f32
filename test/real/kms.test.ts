import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KmsSettings } from '../../src/server/config/config-keys.ts';
import { openMemory } from '../../src/server/db/open.ts';
import { openDataKeys } from '../../src/server/identity/kms/data-keys.ts';
import type { Kms } from '../../src/server/identity/kms/kms.ts';
import { transitKms } from '../../src/server/identity/kms/transit.ts';
import { createSealer } from '../../src/server/identity/sealer.ts';
import { type Outbound, outbound } from '../../src/server/net/outbound.ts';
import { type OpenBao, startOpenBao } from './openbao.ts';

const file = process.env.REAL_OPENBAO ?? '';
const folder = mkdtempSync(join(tmpdir(), 'real-openbao-'));
let bao: OpenBao;
let way: Outbound;
let token: string;

beforeAll(async () => {
  way = outbound({ policy: { allowPrivate: true }, headersMs: 60_000 });
  bao = await startOpenBao(file, folder);
  // What the guide says, by the program that it says it for.
  const [, guide = ''] =
    /```sh\n(bao secrets enable transit[\s\S]*?)```/.exec(readFileSync('docs/hardening.md', 'utf8')) ?? [];
  symlinkSync(file, join(folder, 'bao'));
  execFileSync('bash', ['-ec', guide], {
    env: { PATH: `${folder}:${process.env.PATH}`, HOME: folder, BAO_ADDR: bao.address, BAO_TOKEN: bao.root },
  });
  token = await bao.token('mcp-gateway');
});
afterAll(async () => {
  await way?.close();
  await bao?.kill();
  rmSync(folder, { recursive: true, force: true });
});

const kms = (more: Partial<KmsSettings> = {}): Kms =>
  transitKms(
    {
      ...{ wraps: true, address: bao.address, namespace: '', mount: 'transit', key: 'mcp-gateway' },
      ...{ login: { by: 'token', token }, ...more },
    },
    way,
  );
const refused = (asked: Promise<unknown>): Promise<{ message: string; isAway: boolean }> =>
  asked.then(
    () => ({ message: 'it was done', isAway: false }),
    (error: { message: string; isAway: boolean }) => error,
  );

test('the policy of the guide is enough to wrap, unwrap and rewrap, and for nothing else', async () => {
  const data = randomBytes(32);
  const wrapped = await kms().wrap(data, 'one');
  expect(wrapped).toMatch(/^vault:v1:/);
  expect(await kms().unwrap(wrapped, 'one')).toEqual(data);
  expect(await kms().unwrap(await kms().rewrap(wrapped, 'one'), 'one')).toEqual(data);
  const answer = await way(`${bao.address}/v1/transit/export/encryption-key/mcp-gateway`, {
    headers: { 'x-vault-token': token },
  });
  expect(answer.status).toBe(403);
  await answer.body?.cancel();
});

test('what is not what it wrapped for that id is refused', async () => {
  const wrapped = await kms().wrap(randomBytes(32), 'one');
  for (const text of ['', 'x', 'vault:v1:AAAA', 'vault:v9:AAAA', `${wrapped.slice(0, -8)}AAAAAAA=`])
    expect(await refused(kms().unwrap(text, 'one')), text).toMatchObject({ isAway: false });
  expect((await refused(kms().unwrap(wrapped, 'two'))).message).toContain('another data key');
});

test('a rotated key rewraps, and its old version may end then', async () => {
  const data = randomBytes(32);
  const wrapped = await kms().wrap(data, 'one');
  await bao.ask('transit/keys/mcp-gateway/rotate', {});
  const anew = await kms().rewrap(wrapped, 'one');
  expect(anew).toMatch(/^vault:v2:/);
  await bao.ask('transit/keys/mcp-gateway/config', { min_decryption_version: 2 });
  expect(await kms().unwrap(anew, 'one')).toEqual(data);
  expect(await refused(kms().unwrap(wrapped, 'one'))).toMatchObject({
    ...{ isAway: false, message: expect.stringContaining('minimum decryption version') },
  });
  await bao.ask('transit/keys/mcp-gateway/config', { min_decryption_version: 1 });
  expect(await kms().unwrap(wrapped, 'one')).toEqual(data);
});

test('who may not is refused with what to do: no token, no policy, another key, another mount', async () => {
  const other = await bao.token('default');
  const by = (text: string) => ({ login: { by: 'token', token: text } }) as const;
  const cases: Record<string, [Partial<KmsSettings>, string]> = {
    unknown: [by('s.nobody'), 'status 403 (permission denied); the token may have ended'],
    'no policy': [by(other), 'it needs `update` on encrypt, decrypt and rewrap'],
    'no such key': [{ key: 'another' }, 'and key and mount have to be there'],
    'no such mount': [{ mount: 'another' }, 'and key and mount have to be there'],
    'no such mount, and every right': [{ mount: 'another', ...by(bao.root) }, 'look at VAULT_TRANSIT_MOUNT'],
    'no such namespace': [{ namespace: 'nowhere' }, '(namespace not found); look at VAULT_TRANSIT_MOUNT'],
  };
  for (const [name, [more, says]] of Object.entries(cases)) {
    const { message, isAway } = await refused(kms(more).wrap(randomBytes(32), 'one'));
    expect(message, name).toContain(says);
    expect(isAway, name).toBe(false);
  }
});

test('a token that has ended is refused until its file has another', async () => {
  const at = join(folder, 'token');
  const login = { by: 'file', file: at } as const;
  writeFileSync(at, `${await bao.token('mcp-gateway')}\n`);
  const wrapped = await kms({ login }).wrap(randomBytes(32), 'one');
  await bao.ask('auth/token/revoke', { token: readFileSync(at, 'utf8').trim() });
  expect((await refused(kms({ login }).unwrap(wrapped, 'one'))).message).toContain('may have ended');
  writeFileSync(at, `${await bao.token('mcp-gateway')}\n`);
  await kms({ login }).unwrap(wrapped, 'one');
});

test('a sealed one is away, and so is one that was killed; both are waited for at the start', async () => {
  const { db, close } = await openMemory();
  const warned: string[] = [];
  let mend = async (): Promise<void> => {};
  let mended: Promise<void> | undefined;
  const open = () =>
    openDataKeys({
      ...{ db, kms: kms(), find: () => kms(), secrets: ['secret'], now: Date.now, waitMs: 150_000 },
      log: {
        warn({ err }: { err?: Error }, message: string) {
          warned.push(`${message}: ${err?.message}`);
          mended ??= mend();
        },
      },
    });
  const sealed = createSealer((await open()).of('connection')).seal('ann', 'token');
  await bao.seal();
  expect(await refused(kms().wrap(randomBytes(32), 'one'))).toMatchObject({ isAway: true });
  mend = bao.unseal;
  expect(createSealer((await open()).of('connection')).open('ann', sealed)).toBe('token');
  await mended;
  expect(warned[0]).toContain('it is sealed');
  mended = undefined;
  await bao.kill();
  expect(await refused(kms().wrap(randomBytes(32), 'one'))).toMatchObject({ isAway: true });
  mend = async () => {
    await bao.start();
    await bao.unseal();
  };
  expect(createSealer((await open()).of('connection')).open('ann', sealed)).toBe('token');
  await mended;
  await close();
});

test('a namespace is told, with a mount and a key of its own', async () => {
  await bao.ask('sys/namespaces/team', {});
  const inside = { namespace: 'team' };
  await bao.ask('sys/mounts/keys/of-team', { type: 'transit' }, inside);
  await bao.ask('keys/of-team/keys/gateway', {}, inside);
  const policy = 'path "keys/of-team/+/gateway" { capabilities = ["update"] }';
  await bao.ask('sys/policies/acl/gateway', { policy }, inside);
  const { auth } = await bao.ask('auth/token/create', { policies: ['gateway'] }, inside);
  const login = { by: 'token', token: auth?.client_token ?? '' } as const;
  const of = (namespace: string) => kms({ namespace, mount: 'keys/of-team', key: 'gateway', login });
  const data = randomBytes(32);
  expect(await of('team').unwrap(await of('team').wrap(data, 'one'), 'one')).toEqual(data);
  expect(await refused(of('').wrap(data, 'one'))).toMatchObject({ isAway: false });
});

test('a pod logs in with its service account', async () => {
  // What it asks of Kubernetes: a review of the token.
  const kubernetes = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    const { spec } = JSON.parse(body || '{}') as { spec?: { token?: string } };
    const user = { username: 'system:serviceaccount:tools:mcp-gateway', uid: 'u1' };
    const status = spec?.token === jwt ? { authenticated: true, user } : { authenticated: false };
    res.writeHead(201, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }));
  });
  await new Promise<void>((resolve) => kubernetes.listen(0, '127.0.0.1', resolve));
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    ...{ iss: 'kubernetes/serviceaccount', sub: 'system:serviceaccount:tools:mcp-gateway' },
    'kubernetes.io/serviceaccount/namespace': 'tools',
    'kubernetes.io/serviceaccount/service-account.name': 'mcp-gateway',
    'kubernetes.io/serviceaccount/service-account.uid': 'u1',
  };
  const jwt = `${part({ alg: 'RS256', kid: 'k' })}.${part(claims)}.${part({ s: 1 })}`;
  const origin = `http://127.0.0.1:${(kubernetes.address() as AddressInfo).port}`;
  await bao.ask('sys/auth/kubernetes', { type: 'kubernetes' });
  await bao.ask('auth/kubernetes/config', {
    ...{ kubernetes_host: origin, token_reviewer_jwt: jwt },
    ...{ disable_local_ca_jwt: true, kubernetes_ca_cert: rootCertificates[0] },
  });
  await bao.ask('auth/kubernetes/role/mcp-gateway', {
    ...{ bound_service_account_names: 'mcp-gateway', bound_service_account_namespaces: 'tools' },
    ...{ policies: 'mcp-gateway', ttl: '10m' },
  });
  const at = join(folder, 'service-account');
  writeFileSync(at, jwt);
  const as = (role: string) => kms({ login: { by: 'kubernetes', role, file: at } });
  const data = randomBytes(32);
  expect(await as('mcp-gateway').unwrap(await as('mcp-gateway').wrap(data, 'one'), 'one')).toEqual(data);
  expect((await refused(as('another').wrap(data, 'one'))).message).toContain('invalid role name "another"');
  writeFileSync(at, jwt.replace(/[^.]*$/, part({ s: 2 })));
  expect((await refused(as('mcp-gateway').wrap(data, 'one'))).message).toContain('VAULT_KUBERNETES_ROLE');
  kubernetes.closeAllConnections();
  kubernetes.close();
});
