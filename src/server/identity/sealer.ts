import { createHash } from 'node:crypto';
import { type SealingKeys, seal, unseal } from './keys.ts';

/** A text that only the gateway can read, and which of its keys reads it. */
export interface Sealed {
  readonly keyId: string;
  readonly sealed: string;
}

/** Seals texts of one purpose for a holder each, and says which key it was. */
export interface Sealer {
  /** The id of the key that new secrets are sealed with. */
  readonly keyId: string;
  seal(holder: string, text: string): Sealed;
  /** The text; undefined when it was changed, is another holder's, or needs a key that is not at hand. */
  open(holder: string, secret: Sealed): string | undefined;
}

/** Makes it; the keys may change meanwhile. */
export function createSealer(keysNow: SealingKeys): Sealer {
  let from: readonly Buffer[] | undefined;
  let keys = new Map<string, Buffer>();
  let presentId = '';
  const read = (): Map<string, Buffer> => {
    const now = keysNow();
    if (now === from) return keys;
    keys = new Map(now.map((key) => [idOf(key), key]));
    presentId = idOf(now[0]);
    from = now;
    return keys;
  };
  const idNow = (): string => {
    read();
    return presentId;
  };
  return {
    get keyId() {
      return idNow();
    },
    seal: (holder, text) => ({ keyId: idNow(), sealed: seal(keysNow()[0], text, holder) }),
    open(holder, { keyId, sealed }) {
      const key = read().get(keyId);
      if (!key) return undefined;
      try {
        return unseal(key, sealed, holder);
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
