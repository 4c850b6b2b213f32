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
export type Purpose =
  | 'personal-token'
  | 'csrf'
  | 'login-attempt'
  | 'refresh-token'
  | 'sse-session'
  | 'mcp-session'
  | 'mcp-task'
  | 'virtual-session'
  | 'upstream-credential'
  | 'connection'
  | 'connect-attempt'
  | 'job-secret'
  | 'oauth-key'
  | 'oauth-artifact'
  | 'oauth-consent';

/** Derives the 256-bit key of one purpose from SECRET_KEY (HKDF with SHA-256, RFC 5869). */
export function deriveKey(secretKey: string, purpose: Purpose): Buffer {
  return Buffer.from(hkdfSync('sha256', secretKey, '', `mcp-gateway-registry/${purpose}`, 32));
}

/**
 * Encrypts a text with AES-256-GCM: base64url of nonce (12 bytes), ciphertext and tag (16 bytes). It opens only for the
 * same `holder`, so that what was sealed for one thing cannot be put in the place of another's. Whoever gives a nonce gives
 * each text and holder one of its own.
 */
export function seal(key: Buffer, text: string, holder = '', nonce = randomBytes(12)): string {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(holder, 'utf8'));
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  );
}

/** Decrypts what `seal` made; throws when it was changed or made with another key or for another holder. */
export function unseal(key: Buffer, sealed: string, holder = ''): string {
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
