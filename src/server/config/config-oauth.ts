import type { Reader } from './settings.ts';

/** What the settings say of sign-in from MCP clients. */
export interface OauthConfig {
  readonly registration: 'open' | 'approval' | 'off';
  readonly documents: 'open' | 'approval' | 'known' | 'off';
  readonly accessMinutes: number;
  readonly grantDays: number;
  readonly providersToo: boolean;
  /** Whose assertions about people are taken: the issuer's exact name, and the provider whose people they are. */
  readonly assertionIssuers: readonly { readonly name: string; readonly provider: string }[];
}

/** Reads the settings of the authorization server; an issuer of people whom nobody signs in is a fault. */
export function oauthOf({ value }: Reader, providers: readonly string[], faults: string[]): OauthConfig {
  const assertionIssuers = value('OAUTH_ASSERTION_ISSUERS');
  for (const { name, provider } of assertionIssuers)
    if (!providers.includes(provider))
      faults.push(
        `OAUTH_ASSERTION_ISSUERS: '${provider}' of ${name} is no provider of AUTH_PROVIDER (${providers.join(', ')})`,
      );
  return {
    assertionIssuers,
    registration: value('OAUTH_CLIENT_REGISTRATION'),
    documents: value('OAUTH_CLIENT_DOCUMENTS'),
    accessMinutes: value('OAUTH_ACCESS_TOKEN_MINUTES'),
    grantDays: value('OAUTH_GRANT_DAYS'),
    providersToo: value('OAUTH_PROVIDERS_TOO'),
  };
}
