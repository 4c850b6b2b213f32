import { createHash } from 'node:crypto';
import { deriveKey, seal, unseal } from '../../identity/keys.ts';

/** A text that only the gateway can read, and which of its keys reads it. */
export interface Sealed {
  readonly keyId: string;
  readonly sealed: string;
}

/** Encrypts the credentials of servers, each for one server: it cannot be opened as another's. */
export interface Vault {
  /** The id of the key that new secrets are sealed with. */
  readonly keyId: string;
  seal(serverId: string, text: string): Sealed;
  /** The text; undefined when it was changed, is another server's, or needs a key that is not at hand. */
  open(serverId: string, secret: Sealed): string | undefined;
}

/** Makes a vault that seals with the key of `secretKey`, and opens also what was sealed with the key of `previous`. */
export function createVault(secretKey: string, previous = ''): Vault {
  const keys = new Map<string, Buffer>();
  for (const secret of [previous, secretKey]) {
    if (secret === '') continue;
    const key = deriveKey(secret, 'upstream-credential');
    keys.set(idOf(key), key);
  }
  const key = deriveKey(secretKey, 'upstream-credential');
  const keyId = idOf(key);
  return {
    keyId,
    seal: (serverId, text) => ({ keyId, sealed: seal(key, text, serverId) }),
    open(serverId, secret) {
      const known = keys.get(secret.keyId);
      if (!known) return undefined;
      try {
        return unseal(known, secret.sealed, serverId);
      } catch {
        return undefined;
      }
    },
  };
}

/** The key is 256 random bits, so a part of its hash tells nothing of it. */
function idOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}
