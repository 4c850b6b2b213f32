import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';

/** Where the gateway reads its settings. */
export const envFile = '.env';

/** The files that setup writes, in the directory of the gateway. */
export interface SetupFiles {
  /** The text of a file; undefined when there is none. */
  read(name: string): Promise<string | undefined>;
  /** Writes a file whole or not at all, readable by its owner only. */
  write(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** The text of examples/scopes.yml. */
  exampleScopes(): Promise<string>;
}

/** The settings of a file. */
export function settingsIn(text: string): Readonly<Record<string, string | undefined>> {
  return parseEnv(text);
}

/** The example with our groups instead of the demo tenant's: each mapping is known by the role that it gives. */
export function scopesFor(
  example: string,
  groups: Readonly<Record<string, { id: string; name: string } | undefined>>,
): string {
  return example.replaceAll(
    /^ {2}# [^\n]*\n {2}"[0-9a-f-]{36}":\n((?: {4}- [^\n]*\n)+)\n?/gm,
    (_, scopes: string) => {
      const role = /mcp-registry-(\w+)/.exec(scopes)?.[1] ?? '';
      const ours = groups[role];
      return ours ? `  # ${ours.name}\n  "${ours.id}":\n${scopes}\n` : '';
    },
  );
}

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
