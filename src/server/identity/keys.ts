import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** What a derived key is for; one label a purpose, so that no key ever serves two. */
export type KeyPurpose =
  | StoredPurpose
  | 'personal-token'
  | 'csrf'
  | 'login-attempt'
  | 'sse-session'
  | 'mcp-session'
  | 'mcp-task'
  | 'virtual-session'
  | 'data-key'
  | 'connect-attempt'
  | 'oauth-consent';

/** What is sealed in the database: these keys come from the data key (`kms/data-keys.ts`), not from SECRET_KEY. */
export type StoredPurpose =
  | 'upstream-credential'
  | 'connection'
  | 'refresh-token'
  | 'oauth-key'
  | 'oauth-artifact'
  | 'job-secret';

/** The keys of one purpose as they are now: the first seals, each opens. */
export type SealingKeys = () => readonly [Buffer, ...Buffer[]];

/** The keys of what is sealed in the database, a purpose each. */
export interface Keyring {
  of(purpose: StoredPurpose): SealingKeys;
}

/** A ring of secrets that stay: the first seals, each opens. */
export function keyringOf(first: string | Buffer, ...others: readonly (string | Buffer)[]): Keyring {
  const made = new Map<StoredPurpose, readonly [Buffer, ...Buffer[]]>();
  return {
    of: (purpose) => () => {
      const known = made.get(purpose);
      if (known) return known;
      const keys = [deriveKey(first, purpose), ...others.map((one) => deriveKey(one, purpose))] as const;
      made.set(purpose, keys);
      return keys;
    },
  };
}

/** Derives the 256-bit key of one purpose from SECRET_KEY or a data key (HKDF with SHA-256, RFC 5869). */
export function deriveKey(secretKey: string | Buffer, purpose: KeyPurpose): Buffer {
  return Buffer.from(hkdfSync('sha256', secretKey, '', `mcp-gateway-registry/${purpose}`, 32));
}

/**
 * Encrypts a text with AES-256-GCM: base64url of nonce (12 bytes), ciphertext and tag (16 bytes). It opens only for the
 * same `holder`, so that what was sealed for one thing cannot be put in the place of another's. Whoever gives a nonce gives
 * each text and holder one of its own.
 */
export function seal(key: Buffer | SealingKeys, text: string, holder = '', nonce = randomBytes(12)): string {
  const [present] = keysIn(key);
  const cipher = createCipheriv('aes-256-gcm', present, nonce).setAAD(Buffer.from(holder, 'utf8'));
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  );
}

/** Decrypts what `seal` made; throws when it was changed or made with another key or for another holder. */
export function unseal(key: Buffer | SealingKeys, sealed: string, holder = ''): string {
  const [present, ...others] = keysIn(key);
  try {
    return unsealWith(present, sealed, holder);
  } catch (error) {
    for (const other of others)
      try {
        return unsealWith(other, sealed, holder);
      } catch {
        // Another key may have made it.
      }
    throw error;
  }
}

function keysIn(key: Buffer | SealingKeys): readonly [Buffer, ...Buffer[]] {
  return typeof key === 'function' ? key() : [key];
}

function unsealWith(key: Buffer, sealed: string, holder: string): string {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(Buffer.from(holder, 'utf8'));
  decipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8');
}

/** A fresh secret of 256 bits, base64url. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** SHA-256 in hex: how secrets that we issue are stored. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** The CSRF token of a session: a MAC over the session's stored hash, so that nothing more is stored. */
export function csrfTokenOf(key: Buffer, sessionHash: string): string {
  return createHmac('sha256', key).update(sessionHash).digest('base64url');
}

/** Compares two secrets in constant time. */
export function sameSecret(a: string, b: string): boolean {
  const [x, y] = [createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest()];
  return timingSafeEqual(x, y);
}
