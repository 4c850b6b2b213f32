import type { Config } from '../config.ts';
import type { Directory } from './directory.ts';
import { type DirectoryWorld, entraDirectory } from './entra/directory/create.ts';

/** The directory behind each provider that has one, by the provider's name. */
const directories: Readonly<
  Record<string, (config: Config, world: DirectoryWorld) => Directory | undefined>
> = {
  entra: ({ entra }, world) => (entra ? entraDirectory(entra, world) : undefined),
};

/** The directory of the provider that is configured; undefined when it has none that can be administered. */
export function directoryOf(config: Config, world: DirectoryWorld): Directory | undefined {
  for (const make of Object.values(directories)) {
    const directory = make(config, world);
    if (directory) return directory;
  }
  return undefined;
}
