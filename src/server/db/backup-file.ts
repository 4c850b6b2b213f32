import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  createWriteStream,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { RestoreRefused } from './backup.ts';

/** Begins an encrypted backup; 16 bytes of salt and 12 of nonce follow, AES-256-GCM, and its tag of 16 bytes at the end. */
const magic = Buffer.from('MCPGWBK1');
const [saltBytes, nonceBytes, tagBytes] = [16, 12, 16];
const headBytes = magic.length + saltBytes + nonceBytes;

/** The key of a passphrase (RFC 7914; 64 MB and about a quarter of a second, which makes guessing dear). */
function keyOf(passphrase: string, salt: Buffer): Buffer {
  return scryptSync(passphrase, salt, 32, { N: 65_536, r: 8, p: 1, maxmem: 128 << 20 });
}

/**
 * Writes a compressed file for its owner only, encrypted where there is a passphrase. It must not be there yet; what is not
 * written whole is removed again.
 */
export async function writeBackupFile<T>(
  file: string,
  passphrase: string | undefined,
  write: (to: Writable) => Promise<T>,
): Promise<T> {
  const out = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  const source = new PassThrough();
  try {
    const written = write(source).then((result) => {
      source.end();
      return result;
    });
    written.catch((error: Error) => source.destroy(error));
    if (passphrase === undefined) await pipeline(source, createGzip(), out);
    else {
      const [salt, nonce] = [randomBytes(saltBytes), randomBytes(nonceBytes)];
      const cipher = createCipheriv('aes-256-gcm', keyOf(passphrase, salt), nonce);
      out.write(Buffer.concat([magic, salt, nonce]));
      await pipeline(
        source,
        createGzip(),
        cipher,
        async function* withTag(parts: AsyncIterable<Buffer>) {
          yield* parts;
          yield cipher.getAuthTag();
        },
        out,
      );
    }
    return await written;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') rmSync(file, { force: true });
    throw error;
  }
}

/** Reads a backup file; `read` gets its text, and what it has done must not count before this resolves: only then is the file known to be whole. */
export async function readBackupFile<T>(
  file: string,
  passphrase: string | undefined,
  read: (from: Readable) => Promise<T>,
): Promise<T> {
  const { size } = statSync(file);
  const head = bytesOf(file, 0, headBytes);
  const isEncrypted = head.subarray(0, magic.length).equals(magic);
  if (isEncrypted && passphrase === undefined)
    throw new RestoreRefused(
      'the backup is encrypted; name the file with its passphrase (--passphrase-file)',
    );
  const text = new PassThrough();
  const steps = isEncrypted
    ? [
        createReadStream(file, { start: headBytes, end: size - tagBytes - 1 }),
        decipherOf(file, head, passphrase ?? ''),
      ]
    : [createReadStream(file)];
  const flow = pipeline([...steps, createGunzip(), text]).then(
    () => undefined,
    (error: unknown) => error ?? new Error('the file cannot be read'),
  );
  const reading = read(text);
  // Whoever gives up leaves the rest of the file unread.
  reading.catch(() => text.destroy());
  const [done, failed] = await Promise.all([Promise.allSettled([reading]), flow]);
  // Its own reason to give up goes first; what it heard from the stream is not one.
  if (done[0].status === 'rejected' && done[0].reason !== failed) throw done[0].reason;
  if (failed)
    throw new RestoreRefused(
      isEncrypted
        ? 'the passphrase is not the one of this backup, or the file is damaged'
        : 'the file is damaged, or no backup',
      { cause: failed },
    );
  const [{ value }] = done as [PromiseFulfilledResult<T>];
  return value;
}

function decipherOf(file: string, head: Buffer, passphrase: string) {
  const salt = head.subarray(magic.length, magic.length + saltBytes);
  const decipher = createDecipheriv(
    'aes-256-gcm',
    keyOf(passphrase, salt),
    head.subarray(magic.length + saltBytes),
  );
  return decipher.setAuthTag(bytesOf(file, statSync(file).size - tagBytes, tagBytes));
}

function bytesOf(file: string, at: number, count: number): Buffer {
  const buffer = Buffer.alloc(count);
  const opened = openSync(file, 'r');
  readSync(opened, buffer, 0, count, Math.max(0, at));
  closeSync(opened);
  return buffer;
}
