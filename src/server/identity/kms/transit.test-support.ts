import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on loopback with the shapes of Vault's API for the transit engine; it really encrypts. */
export interface FakeTransit {
  readonly address: string;
  /** The requests so far: path, token and namespace. */
  readonly asked: { path: string; token: string | undefined; namespace: string | undefined }[];
  /** What it replies instead, while there is something. */
  fault: { status: number; errors: string[] } | undefined;
  /** Makes another version of a key; older ones still decrypt, from `least` on. */
  rotate(key: string): void;
  setLeast(key: string, least: number): void;
  close(): Promise<void>;
}

interface Key {
  versions: Buffer[];
  least: number;
}

/** Starts it. `token` is the only one it takes, except for those that its Kubernetes login gives for `jwt`. */
export async function startTransit(
  options: { token?: string; namespace?: string; mount?: string; keys?: string[]; jwt?: string } = {},
): Promise<FakeTransit> {
  const { token = 'root', namespace, mount = 'transit', keys: names = ['mcp-gateway'], jwt } = options;
  const keys = new Map<string, Key>(names.map((name) => [name, { versions: [randomBytes(32)], least: 1 }]));
  const tokens = new Set([token]);
  const asked: FakeTransit['asked'] = [];
  const fake: FakeTransit = {
    address: '',
    asked,
    fault: undefined,
    rotate: (name) => void keys.get(name)?.versions.push(randomBytes(32)),
    setLeast(name, least) {
      const key = keys.get(name);
      if (key) key.least = least;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  const reply = async (req: IncomingMessage): Promise<[number, unknown]> => {
    const path = req.url ?? '';
    const given = {
      token: req.headers['x-vault-token'] as string | undefined,
      namespace: req.headers['x-vault-namespace'] as string | undefined,
    };
    asked.push({ path, ...given });
    const body = JSON.parse(await textOf(req)) as Record<string, string>;
    if (fake.fault) return [fake.fault.status, { errors: fake.fault.errors }];
    if (given.namespace !== namespace) return [404, { errors: ['no handler for route'] }];
    if (path === '/v1/auth/kubernetes/login') {
      if (jwt === undefined || body.jwt !== jwt) return [403, { errors: ['permission denied'] }];
      const made = `hvs.${randomBytes(12).toString('hex')}`;
      tokens.add(made);
      return [200, { auth: { client_token: made, lease_duration: 60, renewable: true } }];
    }
    if (!tokens.has(given.token ?? '')) return [403, { errors: ['permission denied'] }];
    const [, action = '', name = ''] =
      new RegExp(`^/v1/${mount}/(encrypt|decrypt|rewrap|datakey/plaintext)/([^/]+)$`).exec(path) ?? [];
    if (action === '') return [404, { errors: [`no handler for route "${path}"`] }];
    const key = keys.get(name);
    if (!key) return [400, { errors: ['encryption key not found'] }];
    try {
      return [200, { request_id: '1', lease_id: '', renewable: false, data: done(key, action, body) }];
    } catch (error) {
      return [400, { errors: [(error as Error).message] }];
    }
  };
  const server = createServer((req, res) => {
    reply(req).then(([status, said]) => {
      res.writeHead(status, { 'content-type': 'application/json' });
      res.end(JSON.stringify(said));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(fake, { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function done(key: Key, action: string, body: Record<string, string>): Record<string, unknown> {
  const newest = key.versions.length;
  if (action === 'encrypt') return { ciphertext: encrypt(key, body.plaintext ?? ''), key_version: newest };
  if (action === 'decrypt') return { plaintext: decrypt(key, body.ciphertext ?? '') };
  if (action === 'rewrap')
    return { ciphertext: encrypt(key, decrypt(key, body.ciphertext ?? '')), key_version: newest };
  const plaintext = randomBytes(32).toString('base64');
  return { plaintext, ciphertext: encrypt(key, plaintext), key_version: newest };
}

function encrypt({ versions }: Key, plaintext: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', versions.at(-1) ?? Buffer.alloc(32), nonce);
  const sealed = [nonce, cipher.update(plaintext, 'base64'), cipher.final(), cipher.getAuthTag()];
  return `vault:v${versions.length}:${Buffer.concat(sealed).toString('base64')}`;
}

function decrypt({ versions, least }: Key, ciphertext: string): string {
  const [, version = '', text = ''] = /^vault:v(\d+):(.+)$/.exec(ciphertext) ?? [];
  const key = versions[Number(version) - 1];
  if (!key) throw new Error('invalid ciphertext: no prefix');
  if (Number(version) < least)
    throw new Error('ciphertext or signature version is disallowed by policy (too old)');
  const bytes = Buffer.from(text, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('base64');
}

async function textOf(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
