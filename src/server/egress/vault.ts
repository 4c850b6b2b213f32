import type { Keyring } from '../identity/keys.ts';
import { createSealer } from '../identity/sealer.ts';

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

/** Seals the secrets of connections with the present key and opens those of the keys before. */
export interface ConnectionVault {
  /** The id of the key that seals. */
  readonly keyId: string;
  seal(owner: SealedFor, part: SecretPart, text: string): string;
  /** The text; undefined when it is another's, was changed, or needs a key that is not at hand. */
  open(owner: SealedFor, part: SecretPart, secret: { keyId: string; sealed: string }): string | undefined;
}

/** Makes the vault from the keys of what is stored. */
export function createConnectionVault(ring: Keyring): ConnectionVault {
  const sealer = createSealer(ring.of('connection'));
  return {
    get keyId() {
      return sealer.keyId;
    },
    seal: (owner, part, text) => sealer.seal(boundTo(owner, part), text).sealed,
    open: (owner, part, secret) => sealer.open(boundTo(owner, part), secret),
  };
}

function boundTo({ provider, subject, serverId, purpose, address }: SealedFor, part: SecretPart): string {
  return JSON.stringify(['connection', provider, subject, serverId, purpose, address, part]);
}
