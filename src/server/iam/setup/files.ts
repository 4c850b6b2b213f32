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
