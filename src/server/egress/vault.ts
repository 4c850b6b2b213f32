import { createHash } from 'node:crypto';
import { deriveKey, seal, unseal } from '../identity/keys.ts';

/**
 * What a sealed secret belongs to, bound into it as associated data: sealed for one person, server, purpose and address, it
 * cannot be opened as another's, for another use, or to be sent elsewhere.
 */
export interface SealedFor {
  readonly provider: string;
  readonly subject: string;
  readonly serverId: string;
  readonly purpose: string;
  /** The origin that it goes to. */
  readonly address: string;
}

/** Which of the secrets of a connection or server it is. */
export type SecretPart = 'access' | 'refresh' | 'client-secret';

/** Seals the secrets of connections with the present key and opens those of the key before. */
export interface ConnectionVault {
  /** The id of the key that seals. */
  readonly keyId: string;
  seal(owner: SealedFor, part: SecretPart, text: string): string;
  /** The text; undefined when it is another's, was changed, or needs a key that is not at hand. */
  open(owner: SealedFor, part: SecretPart, secret: { keyId: string; sealed: string }): string | undefined;
}

/** Makes the vault from SECRET_KEY, and SECRET_KEY_PREVIOUS where there is one. */
export function createConnectionVault(secretKey: string, previous = ''): ConnectionVault {
  const keys = new Map<string, Buffer>();
  for (const secret of [previous, secretKey]) {
    if (secret === '') continue;
    const key = deriveKey(secret, 'connection');
    keys.set(idOf(key), key);
  }
  const present = deriveKey(secretKey, 'connection');
  const keyId = idOf(present);
  return {
    keyId,
    seal: (owner, part, text) => seal(present, text, boundTo(owner, part)),
    open(owner, part, secret) {
      const key = keys.get(secret.keyId);
      if (!key) return undefined;
      try {
        return unseal(key, secret.sealed, boundTo(owner, part));
      } catch {
        return undefined;
      }
    },
  };
}

function boundTo({ provider, subject, serverId, purpose, address }: SealedFor, part: SecretPart): string {
  return JSON.stringify(['connection', provider, subject, serverId, purpose, address, part]);
}

/** The key is 256 random bits, so a part of its hash tells nothing of it. */
function idOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}
