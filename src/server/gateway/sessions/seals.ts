import { createHmac } from 'node:crypto';
import { seal, unseal } from '../../identity/keys.ts';

/**
 * Seals what a server gave for one holder alone (an address for messages, a session id), so that a client can neither read
 * it nor make one nor lend it: AES-256-GCM with the holder as associated data. Nothing is remembered, so what was
 * sealed before a restart, or by another process with the same keys, opens.
 */
export interface Seals {
  seal(text: string, holder: readonly string[]): string;
  /** What was sealed; undefined when it is not one of ours or was made for another holder. */
  open(sealed: string, holder: readonly string[]): string | undefined;
}

/**
 * Seals with the first key (32 bytes) and opens with each of them, so that a key can be replaced by another. What clients
 * compare is sealed `always the same` for one holder: the nonce is a MAC of holder and text, as in RFC 8452.
 */
export function createSeals(
  [key, ...previous]: readonly [Buffer, ...Buffer[]],
  how: 'always another' | 'always the same' = 'always another',
): Seals {
  const nonceOf = (whose: string, text: string) =>
    how === 'always another'
      ? undefined
      : createHmac('sha256', key)
          .update(JSON.stringify([whose, text]))
          .digest()
          .subarray(0, 12);
  return {
    seal(text, holder) {
      const whose = JSON.stringify(holder);
      return seal(key, text, whose, nonceOf(whose, text));
    },
    open(sealed, holder) {
      // Base64 is read leniently: only one spelling of each is ours.
      if (Buffer.from(sealed, 'base64url').toString('base64url') !== sealed) return undefined;
      for (const one of [key, ...previous])
        try {
          return unseal(one, sealed, JSON.stringify(holder));
        } catch {
          // Another key may open it.
        }
      return undefined;
    },
  };
}
