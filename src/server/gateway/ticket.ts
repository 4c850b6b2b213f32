import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/**
 * Tickets stand for the address at which a server takes the messages of one legacy SSE session. They are sealed with
 * AES-256-GCM for one server and one identity, so that a client can neither read nor make nor lend one.
 */
export interface Tickets {
  seal(address: string, holder: readonly string[]): string;
  /** The address, or undefined when the ticket is not one of ours or was made for another holder. */
  open(ticket: string, holder: readonly string[]): string | undefined;
}

const [nonceLength, tagLength] = [12, 16];

/** Makes and opens tickets under a key of 32 bytes; processes that share the key open each other's. */
export function createTickets(key: Buffer): Tickets {
  return {
    seal(address, holder) {
      const nonce = randomBytes(nonceLength);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bytesOf(holder));
      const sealed = Buffer.concat([cipher.update(address, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open(ticket, holder) {
      const bytes = Buffer.from(ticket, 'base64url');
      if (bytes.length <= nonceLength + tagLength) return undefined;
      const sealed = bytes.subarray(nonceLength + tagLength);
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceLength));
      decipher.setAAD(bytesOf(holder)).setAuthTag(bytes.subarray(nonceLength, nonceLength + tagLength));
      try {
        return decipher.update(sealed, undefined, 'utf8') + decipher.final('utf8');
      } catch {
        return undefined;
      }
    },
  };
}

function bytesOf(holder: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(holder), 'utf8');
}
