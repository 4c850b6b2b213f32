import { withoutEndSlashes } from '../../contract/values/names.ts';
import { boolean, claimPath, hostName, issuerUrl, list, setting, text, wrong } from './setting.ts';

/** Part of every row of a provider: the heading in the reference, and the provider's name in AUTH_PROVIDER. */
const anyIssuer = { group: 'OpenID Connect', provider: 'oidc', default: '' } as const;
const keycloak = { group: 'Keycloak', provider: 'keycloak', default: '' } as const;
const cognito = { group: 'Amazon Cognito', provider: 'cognito', default: '' } as const;
const auth0 = { group: 'Auth0', provider: 'auth0', default: '' } as const;
const okta = { group: 'Okta', provider: 'okta', default: '' } as const;
const google = { group: 'Google', provider: 'google', default: '' } as const;

/** The settings of every provider but Entra ID, by the name of their environment variable. */
export const oidcSettings = {
  OIDC_ISSUER: setting({
    ...anyIssuer,
    about: 'The issuer, exactly as its discovery document calls it, trailing slash included.',
    required:
      "it is the value 'issuer' of the provider's /.well-known/openid-configuration (docs/providers/oidc.md, step 2)",
    parse: issuerUrl,
  }),
  OIDC_CLIENT_ID: setting({
    ...anyIssuer,
    about: 'The client id of the gateway at that issuer.',
    required:
      'register the gateway as a confidential web client at the provider (docs/providers/oidc.md, step 1)',
    parse: text,
  }),
  OIDC_CLIENT_SECRET: setting({
    ...anyIssuer,
    about: "That client's secret.",
    required: 'the provider shows it where the client is registered',
    secret: true,
    parse: text,
  }),
  OIDC_AUDIENCE: setting({
    ...anyIssuer,
    about: 'The audiences (`aud`) of which access tokens need one, separated by commas.',
    defaultNote: 'OIDC_CLIENT_ID',
    parse: list(text),
  }),
  OIDC_GROUPS_CLAIM: setting({
    ...anyIssuer,
    about:
      'Where the groups are: a claim, a path such as `realm_access.roles`, or a JSON list of segments for names with dots. ' +
      'What the ID token lacks is looked for at the userinfo endpoint.',
    default: 'groups',
    parse: claimPath,
  }),
  OIDC_USERNAME_CLAIM: setting({
    ...anyIssuer,
    about: 'The claim with the name of an account, for display and logs.',
    defaultNote: '`preferred_username`, else `email`, else `sub`',
    parse: text,
  }),
  OIDC_EMAIL_CLAIM: setting({
    ...anyIssuer,
    about: 'The claim with the e-mail address.',
    default: 'email',
    parse: text,
  }),
  OIDC_SCOPES: setting({
    ...anyIssuer,
    about:
      'Scopes asked for at sign-in, separated by spaces; `offline_access` only where the provider lists it.',
    default: 'openid profile email offline_access',
    parse: (value) =>
      value.split(/\s+/).includes('openid') ? value : wrong('must have openid among its scopes'),
  }),
  OIDC_NAME: setting({
    ...anyIssuer,
    about: 'The provider in addresses (`/oauth2/callback/NAME`) and before its groups (`NAME:group`).',
    default: 'oidc',
    parse: (value) =>
      /^[a-z][a-z0-9-]{0,30}$/.test(value)
        ? value
        : wrong('may have small letters, digits and -, and begins with a letter'),
  }),
  OIDC_DISPLAY_NAME: setting({
    ...anyIssuer,
    about: 'What the sign-in button says after "Sign in with".',
    default: 'single sign-on',
    parse: text,
  }),

  KEYCLOAK_URL: setting({
    ...keycloak,
    about: 'Where the gateway reaches Keycloak, without `/realms/...`.',
    required: 'it is the address of the Keycloak server, such as https://sso.example.com',
    parse: (value) => withoutEndSlashes(issuerUrl(value)),
  }),
  KEYCLOAK_EXTERNAL_URL: setting({
    ...keycloak,
    about: 'The address by which Keycloak calls itself (its hostname setting), where that is another one.',
    defaultNote: 'KEYCLOAK_URL',
    parse: (value) => withoutEndSlashes(issuerUrl(value)),
  }),
  KEYCLOAK_REALM: setting({
    ...keycloak,
    about: 'The realm.',
    default: 'mcp-gateway',
    parse: text,
  }),
  KEYCLOAK_CLIENT_ID: setting({
    ...keycloak,
    about: 'The client id of the gateway in the realm.',
    required: 'make a client with client authentication on (docs/providers/keycloak.md, step 1)',
    parse: text,
  }),
  KEYCLOAK_CLIENT_SECRET: setting({
    ...keycloak,
    about: "That client's secret.",
    required: "copy it from the client's Credentials tab",
    secret: true,
    parse: text,
  }),
  KEYCLOAK_AUDIENCE: setting({
    ...keycloak,
    about: 'The audiences of which access tokens need one, separated by commas.',
    defaultNote: 'KEYCLOAK_CLIENT_ID',
    parse: list(text),
  }),
  KEYCLOAK_GROUPS_CLAIM: setting({
    ...keycloak,
    about: 'Where the groups are: a claim, a path such as `realm_access.roles`, or a JSON list of segments.',
    default: 'groups',
    parse: claimPath,
  }),
  KEYCLOAK_ADMIN_CLIENT_ID: setting({
    ...keycloak,
    about:
      'The client of the realm as which the gateway manages users, groups and agents: with service accounts roles and, of ' +
      '`realm-management`, the roles manage-users and manage-clients.',
    defaultNote: 'none: the gateway manages no accounts in Keycloak',
    parse: text,
  }),
  KEYCLOAK_ADMIN_CLIENT_SECRET: setting({
    ...keycloak,
    about: "That client's secret.",
    secret: true,
    parse: text,
  }),
  KEYCLOAK_ENABLED: setting({
    ...keycloak,
    about: 'Whether Keycloak is offered for sign-in.',
    default: 'true',
    parse: boolean,
  }),

  COGNITO_USER_POOL_ID: setting({
    ...cognito,
    about: 'The user pool; its first part is the region.',
    required: "copy 'User pool ID' from the pool's overview, such as eu-central-1_AbCdEfGhI",
    parse: (value) =>
      value === '' || /^[a-z]{2}(-[a-z]+)+-\d_[A-Za-z0-9]+$/.test(value)
        ? value
        : wrong(`'${value}' is not a user pool id such as eu-central-1_AbCdEfGhI`),
  }),
  COGNITO_CLIENT_ID: setting({
    ...cognito,
    about: 'The app client for sign-in.',
    required: "copy 'Client ID' of the app client (docs/providers/cognito.md, step 1)",
    parse: text,
  }),
  COGNITO_CLIENT_SECRET: setting({
    ...cognito,
    about: "That app client's secret.",
    required: "copy 'Client secret' of the app client",
    secret: true,
    parse: text,
  }),
  COGNITO_ALLOWED_CLIENT_IDS: setting({
    ...cognito,
    about:
      'Further app clients, separated by commas, whose access tokens are accepted: those of agents. Cognito tokens name no ' +
      'audience, so every other client is refused.',
    defaultNote: 'only COGNITO_CLIENT_ID',
    parse: list(text),
  }),
  COGNITO_DOMAIN: setting({
    ...cognito,
    about: "The host of the pool's managed login, for signing out.",
    defaultNote: "what the pool's discovery document says",
    parse: hostName,
  }),
  COGNITO_DIRECTORY: setting({
    ...cognito,
    about:
      'Whether the gateway manages users and groups of the pool, as the AWS identity that the default chain of the AWS SDK ' +
      'finds (`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, a web identity, a role of the container or machine).',
    default: 'false',
    parse: boolean,
  }),
  COGNITO_IDP_ENDPOINT: setting({
    ...cognito,
    about: 'Where the user pools API is asked for that, such as the endpoint of a VPC.',
    defaultNote: 'that of the region',
    parse: issuerUrl,
  }),
  COGNITO_ENABLED: setting({
    ...cognito,
    about: 'Whether Cognito is offered for sign-in.',
    default: 'true',
    parse: boolean,
  }),

  AUTH0_DOMAIN: setting({
    ...auth0,
    about: 'The tenant or custom domain, such as `example.eu.auth0.com`.',
    required: "copy 'Domain' from the application's settings",
    parse: hostName,
  }),
  AUTH0_CLIENT_ID: setting({
    ...auth0,
    about: 'The application (Regular Web Application) for sign-in.',
    required: "copy 'Client ID' from the application's settings (docs/providers/auth0.md, step 1)",
    parse: text,
  }),
  AUTH0_CLIENT_SECRET: setting({
    ...auth0,
    about: "That application's secret.",
    required: "copy 'Client Secret' from the application's settings",
    secret: true,
    parse: text,
  }),
  AUTH0_AUDIENCE: setting({
    ...auth0,
    about: 'The identifier of the API that stands for the gateway; access tokens must be for it.',
    defaultNote: 'none: people sign in, but no access token is accepted',
    parse: text,
  }),
  AUTH0_GROUPS_CLAIM: setting({
    ...auth0,
    about: 'The claim that an Action fills with groups or roles.',
    default: 'https://mcp-gateway/groups',
    parse: claimPath,
  }),
  AUTH0_ENABLED: setting({
    ...auth0,
    about: 'Whether Auth0 is offered for sign-in.',
    default: 'true',
    parse: boolean,
  }),

  OKTA_DOMAIN: setting({
    ...okta,
    about: 'The org or its custom domain, such as `example.okta.com`.',
    required: 'it is the host of the Okta sign-in page, such as example.okta.com',
    parse: (value) =>
      /-admin\.okta/i.test(value)
        ? wrong(`'${value}' is the Admin Console; leave -admin out of it`)
        : hostName(value),
  }),
  OKTA_CLIENT_ID: setting({
    ...okta,
    about: 'The app integration (OIDC, Web Application) for sign-in.',
    required: "copy 'Client ID' from the app integration (docs/providers/okta.md, step 1)",
    parse: text,
  }),
  OKTA_CLIENT_SECRET: setting({
    ...okta,
    about: "That app integration's secret.",
    required: "copy it from the app integration's client secrets",
    secret: true,
    parse: text,
  }),
  OKTA_AUTHORIZATION_SERVER: setting({
    ...okta,
    about:
      "The id of the custom authorization server, or `org` for the org's own: people sign in there, but no access token is " +
      'accepted.',
    default: 'default',
    parse: (value) =>
      /^[A-Za-z0-9]+$/.test(value)
        ? value
        : wrong(
            `'${value}' is not the id of an authorization server, such as default or aus9o8wzkhckw9TLa0h7z`,
          ),
  }),
  OKTA_AUDIENCE: setting({
    ...okta,
    about:
      'The audiences of which access tokens need one, separated by commas: that of the authorization server.',
    default: 'api://default',
    parse: list(text),
  }),
  OKTA_GROUPS_CLAIM: setting({
    ...okta,
    about: 'The claim with the groups, as it is added to the authorization server.',
    default: 'groups',
    parse: claimPath,
  }),
  OKTA_ENABLED: setting({
    ...okta,
    about: 'Whether Okta is offered for sign-in.',
    default: 'true',
    parse: boolean,
  }),

  GOOGLE_CLIENT_ID: setting({
    ...google,
    about: 'The OAuth client (Web application) for sign-in.',
    required: 'make an OAuth client in the Google Cloud console (docs/providers/google.md, step 2)',
    parse: text,
  }),
  GOOGLE_CLIENT_SECRET: setting({
    ...google,
    about: "That client's secret.",
    required: 'the Google Cloud console shows it with the OAuth client',
    secret: true,
    parse: text,
  }),
  GOOGLE_HOSTED_DOMAINS: setting({
    ...google,
    about:
      'Workspace domains, separated by commas, whose accounts may sign in. Everyone with a Google account has one.',
    required: 'name the domains of your organization, such as example.com (docs/providers/google.md, step 3)',
    parse: list(hostName),
  }),
} as const;
