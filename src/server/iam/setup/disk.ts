import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SetupFiles } from './files.ts';

/** The files of a directory. A file appears whole, and readable by its owner only, or not at all. */
export function diskFiles(directory: string, exampleScopes: () => string): SetupFiles {
  const at = (name: string): string => resolve(directory, name);
  return {
    async read(name) {
      try {
        return await readFile(at(name), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(name, text) {
      const draft = `${at(name)}.${randomUUID()}.tmp`;
      try {
        await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
        await rename(draft, at(name));
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },
    remove: (name) => rm(at(name), { force: true }),
    exampleScopes: async () => exampleScopes(),
  };
}
