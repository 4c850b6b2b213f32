/**
 * Whose credential goes to a server. `none`: nobody's; `operator_credential`: one for all, stored with the server;
 * `oauth_user`: each person's own, by OAuth at the server's authorization server; `pat`: a token that each person enters;
 * `obo_exchange`: the person's sign-in, exchanged for a token of the server; `client_credentials`: the gateway's own, by OAuth.
 */
export const egressModes = [
  'none',
  'operator_credential',
  'oauth_user',
  'pat',
  'obo_exchange',
  'client_credentials',
] as const;

/** Whose credential goes to a server. */
export type EgressMode = (typeof egressModes)[number];

/** Services whose OAuth endpoints the gateway knows (`src/server/egress/services.ts`); `custom`: those that are given or discovered. */
export const egressProviders = [
  'custom',
  'github',
  'google',
  'atlassian',
  'microsoft',
  'slack',
  'notion',
  'linear',
  'sentry',
] as const;

/**
 * Who looks at what a server offers, for its checks and the stored catalogue; nobody stands in for another, and none of these
 * makes calls. `none`: nobody; `client_credentials`: the gateway's client there; `person`: a connection that an administrator
 * consented to for lists alone; `app_only`: the gateway's own client at the identity provider.
 */
export const discoveryModes = ['none', 'client_credentials', 'person', 'app_only'] as const;
