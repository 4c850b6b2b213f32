import { boolean, integer, issuerUrl, oneOf, setting, wrong } from './setting.ts';

const group = 'Sign-in from MCP clients';

/** The settings of the authorization server for MCP clients: a part of `settings`. */
export const oauthSettings = {
  OAUTH_CLIENT_REGISTRATION: setting({
    group,
    about:
      'Whether MCP clients may register themselves (RFC 7591): `open`; `approval`, then an administrator has to approve each ' +
      'before anyone can sign in from it; or `off`.',
    default: 'open',
    parse: oneOf('open', 'approval', 'off'),
  }),
  OAUTH_CLIENT_DOCUMENTS: setting({
    group,
    about:
      'Whether MCP clients may name themselves by the URL of a client metadata document: `open`; `approval`, as above; ' +
      '`known`, only those whose documents ship with the gateway, and nothing is fetched; or `off`.',
    default: 'open',
    parse: oneOf('open', 'approval', 'known', 'off'),
  }),
  OAUTH_ACCESS_TOKEN_MINUTES: setting({
    group,
    about:
      'How long an access token of an MCP client is valid, in minutes; clients refresh it by themselves.',
    default: '15',
    parse: integer(1, 60),
  }),
  OAUTH_GRANT_DAYS: setting({
    group,
    about: 'After how many days a person has to allow an MCP client again.',
    default: '30',
    parse: integer(1, 365),
  }),
  OAUTH_ASSERTION_ISSUERS: setting({
    group,
    about:
      'Issuers whose assertions of identity (ID-JAG, enterprise-managed authorization) are taken, separated by commas, each as ' +
      '`<issuer>=<provider>`, such as `https://acme.okta.com=okta`: the provider of AUTH_PROVIDER whose people its `sub` names. ' +
      'None by default.',
    default: '',
    parse: assertionIssuers,
  }),
  OAUTH_PROVIDERS_TOO: setting({
    group,
    about:
      'Names the identity providers as further authorization servers of every MCP endpoint, for clients that sign in there ' +
      'themselves (such as VS Code with its built-in Microsoft sign-in).',
    default: 'false',
    parse: boolean,
  }),
} as const;

/** `https://acme.okta.com=okta, ...`; the last `=` divides, since issuers may hold one. */
function assertionIssuers(value: string): { readonly name: string; readonly provider: string }[] {
  const entries = value.split(',').map((one) => one.trim());
  return entries
    .filter((one) => one !== '')
    .map((one) => {
      const at = one.lastIndexOf('=');
      if (at < 1) wrong(`'${one}' must read <issuer>=<provider>, such as https://acme.okta.com=okta`);
      return { name: issuerUrl(one.slice(0, at)), provider: one.slice(at + 1) };
    });
}
