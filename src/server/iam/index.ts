import type { Config } from '../config/config.ts';
import { cognitoDirectory } from './cognito/create.ts';
import type { Directory, DirectoryWorld } from './directory.ts';
import { entraDirectory } from './entra/directory/create.ts';
import { keycloakDirectory } from './keycloak/create.ts';

/** The directory behind each provider that has one, by the provider's name. */
const directories: Readonly<
  Record<string, (config: Config, world: DirectoryWorld) => Directory | undefined>
> = {
  entra: ({ entra }, world) => (entra ? entraDirectory(entra, world) : undefined),
  keycloak: ({ oidc }, world) => {
    const keycloak = oidc.find(({ kind }) => kind === 'keycloak');
    return keycloak && keycloakDirectory(keycloak, world);
  },
  cognito: ({ oidc }, world) => {
    const cognito = oidc.find(({ kind }) => kind === 'cognito');
    return cognito && cognitoDirectory(cognito, world);
  },
};

/** The directory of the provider that is configured; undefined when it has none that can be administered. */
export function directoryOf(config: Config, world: DirectoryWorld): Directory | undefined {
  for (const make of Object.values(directories)) {
    const directory = make(config, world);
    if (directory) return directory;
  }
  return undefined;
}
