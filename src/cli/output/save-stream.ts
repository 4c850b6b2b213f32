import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { plainText } from '../../contract/values/plain-text.ts';
import type { Sink } from '../terminal.ts';
import { Trouble } from '../trouble.ts';

/** Writes what comes to a file that only its owner can read, whole or not at all; answers how many bytes there were. */
export async function saveStream(
  cwd: string,
  name: string,
  stream: AsyncIterable<Uint8Array>,
): Promise<number> {
  const path = resolve(cwd, name);
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(stream);
      const { size } = await file.stat();
      await rename(draft, path);
      return size;
    } finally {
      await file.close();
    }
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'it ended early';
    throw new Trouble(`${name} cannot be written (${code}).`, {
      remedy: 'Check that its folder exists and that you may write there, and run the command again.',
      cause,
    });
  }
}

/** Prints what comes as it is; to a terminal, without what would control it. */
export async function pour(stream: AsyncIterable<Uint8Array>, sink: Sink): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const text = decoder.decode(bytes, { stream: true });
    sink.write(sink.isTTY ? plainText(text) : text);
  }
}
