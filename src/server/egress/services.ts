import type { egressProviders } from '../../contract/servers/egress-words.ts';

/** What is known of a service that people have accounts at. */
export interface Service {
  readonly name: string;
  readonly authorizeUrl?: string;
  readonly tokenUrl?: string;
  /** Where it takes tokens back (RFC 7009). */
  readonly revokeUrl?: string;
  /** Where its metadata is (RFC 8414), for services that have some. */
  readonly issuer?: string;
  /** Whether clients may register themselves there. */
  readonly registers?: true;
  /** Parameters that its authorization endpoint wants besides. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** What is between two scopes; a space unless given. */
  readonly scopeSeparator?: string;
  /** Whether it refuses `resource` (RFC 8707). */
  readonly refusesResource?: true;
  /** Where it says whose account a token is for, and the member that names it. */
  readonly account?: { readonly url: string; readonly member: string };
}

/** The services that the gateway knows, a row each; facts of their developer documentation. */
export const services: Readonly<Record<(typeof egressProviders)[number], Service | undefined>> = {
  custom: undefined,
  github: {
    name: 'GitHub',
    authorizeUrl: 'https://github.com/login/oauth/authorize',
    tokenUrl: 'https://github.com/login/oauth/access_token',
    refusesResource: true,
    account: { url: 'https://api.github.com/user', member: 'login' },
  },
  google: {
    name: 'Google',
    authorizeUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenUrl: 'https://oauth2.googleapis.com/token',
    revokeUrl: 'https://oauth2.googleapis.com/revoke',
    // Without these two there is no refresh token.
    parameters: { access_type: 'offline', prompt: 'consent' },
    refusesResource: true,
    account: { url: 'https://openidconnect.googleapis.com/v1/userinfo', member: 'email' },
  },
  atlassian: {
    name: 'Atlassian',
    authorizeUrl: 'https://auth.atlassian.com/authorize',
    tokenUrl: 'https://auth.atlassian.com/oauth/token',
    parameters: { audience: 'api.atlassian.com', prompt: 'consent' },
    refusesResource: true,
    account: { url: 'https://api.atlassian.com/me', member: 'email' },
  },
  microsoft: {
    name: 'Microsoft',
    authorizeUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    tokenUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    parameters: { prompt: 'select_account' },
    refusesResource: true,
  },
  slack: {
    name: 'Slack',
    authorizeUrl: 'https://slack.com/oauth/v2_user/authorize',
    tokenUrl: 'https://slack.com/api/oauth.v2.user.access',
    refusesResource: true,
  },
  notion: { name: 'Notion', issuer: 'https://mcp.notion.com', registers: true },
  linear: { name: 'Linear', issuer: 'https://mcp.linear.app', registers: true },
  sentry: { name: 'Sentry', issuer: 'https://mcp.sentry.dev', registers: true },
};
