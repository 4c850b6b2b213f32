import { type Config, ConfigFault, type OidcConfig } from '../../config/config.ts';
import type { NamedGroups } from '../../provider/entra-graph.ts';
import type { Provider } from '../../provider/provider.ts';
import { auth0 } from './auth0.ts';
import { cognito } from './cognito.ts';
import { entra } from './entra.ts';
import { google } from './google.ts';
import { keycloak } from './keycloak.ts';
import { anyIssuer } from './oidc.ts';
import { okta } from './okta.ts';

/** Every provider besides Entra ID, by its name in AUTH_PROVIDER; each of a file of its own. */
const oidcProviders: Readonly<Record<string, (config: OidcConfig) => Provider>> = {
  oidc: anyIssuer,
  keycloak,
  cognito,
  auth0,
  okta,
  google,
};

/**
 * The configured identity providers in the order of AUTH_PROVIDER; throws a ConfigFault when two are one issuer. `named` are
 * the groups that scopes name, for people in too many groups to read them all.
 */
export function providersOf(
  config: Pick<Config, 'providers' | 'entra' | 'oidc'>,
  named?: NamedGroups,
): Provider[] {
  const made = [
    ...(config.entra ? [entra(config.entra, named)] : []),
    ...config.oidc.flatMap((one) => oidcProviders[one.kind]?.(one) ?? []),
  ];
  const place = ({ name }: Provider): number => config.providers.indexOf(name);
  const providers = made.sort((one, other) => place(one) - place(other));
  const twice = providers.find(
    ({ issuer }, index) => issuer && providers.findIndex((other) => other.issuer === issuer) < index,
  );
  if (twice)
    throw new ConfigFault([
      `AUTH_PROVIDER: ${twice.name} has the issuer of another provider (${twice.issuer}); name each issuer once`,
    ]);
  return providers;
}
