import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Trouble } from '../trouble.ts';

/** Writes a file that only its owner can read, whole or not at all, whatever was there before. */
export async function writeSecret(cwd: string, name: string, text: string): Promise<void> {
  const path = resolve(cwd, name);
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new Trouble(`${name} cannot be written (${code}).`, {
      remedy: 'Check that its folder exists and that you may write there.',
      cause,
    });
  }
}
