import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeCertificate } from './certificate.ts';
import { writePrivate } from './write-private.ts';

/** A signing key as Entra publishes it: `kid` is the SHA-1 thumbprint of its certificate (base64url). */
export type SigningKey = { kid: string; privateKey: KeyObject; n: string; e: string; x5c: string };

/** How the keys roll: announced beforehand, at once with the old key dropped, or to a key that is not published. */
export type KeyRoll = 'normal' | 'emergency' | 'unpublished';

/** The keys of one emulator. Keys are made when first needed and, with a data directory, kept there. */
export type Keyring = {
  /** The key that signs now. */
  current(): Promise<SigningKey>;
  /** The keys in the JWKS: always several, in no meaningful order. */
  published(): Promise<SigningKey[]>;
  /** Every key that ever signed here, to recognise own tokens. */
  known(): Promise<SigningKey[]>;
  /** The key of an application that has one of its own; in no key set but that application's. */
  own(): Promise<SigningKey>;
  roll(how: KeyRoll): Promise<void>;
};

type Kept = { pem: string; x5c: string; published: boolean };

const generate = promisify(generateKeyPair);
const pool: Promise<SigningKey>[] = [];

/**
 * The keyring of the data directory. Without a directory keys live in the process and several emulators in it share
 * them, because making an RSA key takes longer than everything else an emulator does at its start.
 */
export function openKeyring(dataDir?: string): Keyring {
  const file = dataDir && join(dataDir, 'entra-emulator-keys.json');
  let made = 0;
  const next = (): Promise<SigningKey> => {
    if (file) return makeSigningKey();
    const position = made++;
    pool[position] ??= makeSigningKey();
    return pool[position];
  };
  let own: Promise<SigningKey> | undefined;
  let state: Promise<{ key: SigningKey; published: boolean }[]> | undefined;
  const open = () => {
    state ??= (
      file && existsSync(file) ? Promise.resolve(read(file)) : Promise.all([next(), next()]).then(fresh)
    ).then((keys) => save(keys));
    return state;
  };
  const save = (keys: { key: SigningKey; published: boolean }[]) => {
    if (file) writePrivate(file, JSON.stringify(keys.map(toKept)));
    return keys;
  };
  return {
    current: async () => first(await open()),
    published: async () => (await open()).filter((entry) => entry.published).map((entry) => entry.key),
    known: async () => [...(await open()).map((entry) => entry.key), ...(own ? [await own] : [])],
    own: () => {
      own ??= makeSigningKey();
      return own;
    },
    roll: async (how) => {
      state = Promise.all([open(), next()]).then(([keys, key]) => save(rolled(keys, key, how)));
      await state;
    },
  };
}

type Entry = { key: SigningKey; published: boolean };

/** The first entry signs; a normal roll promotes the second, which clients have already seen. */
function rolled(keys: Entry[], made: SigningKey, how: KeyRoll): Entry[] {
  const [old, announced, ...rest] = keys;
  const fresh = { key: made, published: true };
  if (how === 'normal') return [announced, fresh, old, ...rest].filter((entry) => entry !== undefined);
  const retired = how === 'emergency' ? { published: false } : {};
  const others = keys.map((entry, index) => ({ ...entry, ...(index === 0 ? retired : {}) }));
  return [{ key: made, published: how === 'emergency' }, ...others.slice(1), ...others.slice(0, 1)];
}

function fresh(keys: SigningKey[]): Entry[] {
  return keys.map((key) => ({ key, published: true }));
}

function first(keys: Entry[]): SigningKey {
  const [entry] = keys;
  if (!entry) throw new Error('The keyring is empty');
  return entry.key;
}

async function makeSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generate('rsa', { modulusLength: 2048 });
  const certificate = makeCertificate({
    subject: 'Entra emulator token signing',
    publicKey,
    signWith: privateKey,
    from: new Date('2020-01-01'),
    to: new Date('2049-12-31'),
  });
  return describe(privateKey, certificate.toString('base64'));
}

function describe(privateKey: KeyObject, x5c: string): SigningKey {
  const { n = '', e = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const kid = createHash('sha1').update(Buffer.from(x5c, 'base64')).digest('base64url');
  return { kid, privateKey, n, e, x5c };
}

function toKept({ key, published }: Entry): Kept {
  const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { pem, x5c: key.x5c, published };
}

function read(file: string): Entry[] {
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Kept[];
  return kept.map(({ pem, x5c, published }) => ({ key: describe(createPrivateKey(pem), x5c), published }));
}
