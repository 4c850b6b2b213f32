import { createHash, createPublicKey, type KeyObject, randomUUID } from 'node:crypto';
import { CompactSign, compactVerify, decodeProtectedHeader } from 'jose';
import type { SigningKey } from '../keys/keyring.ts';
import type { World } from '../world.ts';

/** The claims of a token. */
export type Claims = Record<string, unknown>;

/**
 * Signs a token with the current key, or with that of the application whose claims it has, where a fault says that there
 * is one. v1.0 headers carry `x5t` as well as `kid`.
 */
export async function signToken(
  world: World,
  claims: Claims,
  version: 1 | 2,
  appId: string,
): Promise<string> {
  const hasOwn = world.faults.take('ownKeys', { appId });
  const key = await (hasOwn ? world.keys.own() : world.keys.current());
  return sign(withFaults(world, claims), headerFor(key, version), key.privateKey);
}

/**
 * Signs a token for Graph: its header has a `nonce`, and the signature was made over a header in which that nonce is
 * hashed, so nobody but Graph can verify it.
 */
export async function signForGraph(world: World, claims: Claims): Promise<string> {
  const key = await world.keys.current();
  const nonce = randomUUID();
  const header = headerFor(key, 1);
  const signed = await sign(withFaults(world, claims), { ...header, nonce: hashed(nonce) }, key.privateKey);
  const [, payload = '', signature = ''] = signed.split('.');
  return [encode({ ...header, nonce }), payload, signature].join('.');
}

/** The claims of a token that this emulator signed, for Graph or for anybody; undefined for any other text. */
export async function verifyOwn(world: World, token: string): Promise<Claims | undefined> {
  try {
    const header = decodeProtectedHeader(token);
    const key = (await world.keys.known()).find((candidate) => candidate.kid === header.kid);
    if (!key || header.alg !== 'RS256') return undefined;
    const [, payload = '', signature = ''] = token.split('.');
    const { nonce } = header as { nonce?: unknown };
    const genuine =
      typeof nonce === 'string'
        ? [encode({ ...headerFor(key, 1), nonce: hashed(nonce) }), payload, signature].join('.')
        : token;
    const { payload: content } = await compactVerify(genuine, publicKeyOf(key));
    return JSON.parse(new TextDecoder().decode(content)) as Claims;
  } catch {
    return undefined;
  }
}

/** Signs any claims under any header with the current key: for tests that need a token that is wrong. */
export async function signAnything(world: World, claims: Claims, header: Claims = {}): Promise<string> {
  const key = await world.keys.current();
  return sign(claims, { ...headerFor(key, 2), ...header }, key.privateKey);
}

const publicKeys = new WeakMap<SigningKey, KeyObject>();

function publicKeyOf(key: SigningKey): KeyObject {
  const known = publicKeys.get(key) ?? createPublicKey(key.privateKey);
  publicKeys.set(key, known);
  return known;
}

function sign(claims: Claims, header: Claims, key: KeyObject): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ ...header, alg: 'RS256' })
    .sign(key);
}

function headerFor(key: SigningKey, version: 1 | 2): Claims {
  const { kid } = key;
  return version === 1 ? { typ: 'JWT', alg: 'RS256', x5t: kid, kid } : { typ: 'JWT', alg: 'RS256', kid };
}

function hashed(nonce: string): string {
  return createHash('sha256').update(nonce).digest('base64url');
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Faults that make every token wrong in one way: another issuer, a clock that is off. */
function withFaults(world: World, claims: Claims): Claims {
  const issuer = world.faults.take('wrongIssuer');
  const skew = world.faults.take('clockSkew');
  const offset = Number(skew?.seconds ?? 0);
  const times = ['iat', 'nbf', 'exp'].map((name) => [name, Number(claims[name]) + offset]);
  return {
    ...claims,
    ...(skew ? Object.fromEntries(times) : {}),
    ...(issuer ? { iss: issuer.issuer ?? 'https://issuer.invalid/' } : {}),
  };
}
