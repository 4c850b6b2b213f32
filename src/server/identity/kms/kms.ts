import { deriveKey, seal, unseal } from '../keys.ts';

/**
 * What keeps the key that wraps data keys (envelope encryption). A data key is 32 bytes that seal what is stored; the
 * database has it wrapped only.
 */
export interface Kms {
  /** Which one it is, as it is stored beside what it wrapped: `embedded`, or `transit:` with mount and key. */
  readonly name: string;
  /** Wraps a data key for its id. Fails with `KmsFailed`. */
  wrap(key: Buffer, id: string): Promise<string>;
  /** The data key. Fails with `KmsFailed`. */
  unwrap(wrapped: string, id: string): Promise<Buffer>;
  /** The same data key wrapped with the newest key of the KMS. Fails with `KmsFailed`. */
  rewrap(wrapped: string, id: string): Promise<string>;
}

/** The KMS did not do what was asked; the message names the remedy and no secret. */
export class KmsFailed extends Error {
  /** Whether it may do so soon: it is away, sealed or busy. */
  readonly isAway: boolean;
  constructor(message: string, isAway: boolean, cause?: unknown) {
    super(message, { cause });
    this.isAway = isAway;
  }
}

/** The KMS that is built in: keys derived from SECRET_KEY, the first of which wraps. */
export function embeddedKms(first: string, ...others: readonly string[]): Kms {
  const keys = [first, ...others].map((secret) => deriveKey(secret, 'data-key'));
  const ring = () => keys as [Buffer, ...Buffer[]];
  const wrap = async (key: Buffer, id: string) => seal(ring, key.toString('base64'), holderOf(id));
  const unwrap = async (wrapped: string, id: string) => {
    try {
      return Buffer.from(unseal(ring, wrapped, holderOf(id)), 'base64');
    } catch (cause) {
      throw new KmsFailed(
        'it was wrapped with another SECRET_KEY; give that in SECRET_KEY_PREVIOUS',
        false,
        cause,
      );
    }
  };
  return {
    ...{ name: 'embedded', wrap, unwrap },
    rewrap: async (wrapped, id) => wrap(await unwrap(wrapped, id), id),
  };
}

function holderOf(id: string): string {
  return `data key ${id}`;
}
