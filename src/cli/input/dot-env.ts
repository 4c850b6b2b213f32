import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Terminal } from '../terminal.ts';
import { Trouble } from '../trouble.ts';

/** The environment over the `.env` file of the folder, as the server reads them; blank values count as absent. */
export async function settingsOf({ env, cwd }: Pick<Terminal, 'env' | 'cwd'>) {
  const file = await readFile(resolve(cwd, '.env'), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return '';
    throw new Trouble(`.env cannot be read (${cause.code}).`, { cause });
  });
  const given = Object.entries(env).filter(([, value]) => value?.trim());
  return { ...parseEnv(file), ...Object.fromEntries(given) } as Readonly<Record<string, string | undefined>>;
}
