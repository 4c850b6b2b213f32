import type { Reader } from './settings.ts';

/** What the settings say of sign-in from MCP clients. */
export interface OauthConfig {
  readonly registration: 'open' | 'approval' | 'off';
  readonly documents: 'open' | 'approval' | 'known' | 'off';
  readonly accessMinutes: number;
  readonly grantDays: number;
  readonly providersToo: boolean;
}

/** Reads the settings of the authorization server. */
export function oauthOf({ value }: Reader): OauthConfig {
  return {
    registration: value('OAUTH_CLIENT_REGISTRATION'),
    documents: value('OAUTH_CLIENT_DOCUMENTS'),
    accessMinutes: value('OAUTH_ACCESS_TOKEN_MINUTES'),
    grantDays: value('OAUTH_GRANT_DAYS'),
    providersToo: value('OAUTH_PROVIDERS_TOO'),
  };
}
