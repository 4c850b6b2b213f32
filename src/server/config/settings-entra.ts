import { withoutEndSlashes } from '../../contract/values/names.ts';
import { boolean, clientSecret, guid, list, oneOf, setting, text, url, wrong } from './setting.ts';

/** The settings of Microsoft Entra ID, by the name of their environment variable. */
export const entraSettings = {
  ENTRA_TENANT_ID: setting({
    group: 'Microsoft Entra ID',
    about: 'Directory (tenant) ID: the GUID, not the domain name.',
    default: '',
    parse: guid("use the tenant's GUID, not its domain name (guide, step 2)"),
  }),
  ENTRA_CLIENT_ID: setting({
    group: 'Microsoft Entra ID',
    about: 'Application (client) ID of the app registration.',
    default: '',
    parse: guid("copy 'Application (client) ID' (guide, step 2)"),
  }),
  ENTRA_CLIENT_SECRET: setting({
    group: 'Microsoft Entra ID',
    about: "The client secret's Value.",
    default: '',
    secret: true,
    parse: clientSecret,
  }),
  ENTRA_CLIENT_CERTIFICATE_PATH: setting({
    group: 'Microsoft Entra ID',
    about:
      'Instead of the secret: a PEM file with the certificate that the registration knows; read at each use.',
    default: '',
    parse: text,
  }),
  ENTRA_CLIENT_CERTIFICATE_KEY_PATH: setting({
    group: 'Microsoft Entra ID',
    about: "The PEM file with that certificate's private key (RSA, without a passphrase).",
    default: '',
    defaultNote: 'ENTRA_CLIENT_CERTIFICATE_PATH, with both in it',
    parse: text,
  }),
  ENTRA_FEDERATED_TOKEN_FILE: setting({
    group: 'Microsoft Entra ID',
    about:
      'Instead of the secret: a file with a token of an issuer that the registration trusts (workload identity ' +
      'federation); read at each use. In AKS the value of AZURE_FEDERATED_TOKEN_FILE.',
    default: '',
    parse: text,
  }),
  ENTRA_MANAGED_IDENTITY: setting({
    group: 'Microsoft Entra ID',
    about:
      'Instead of the secret, on Azure: the managed identity that the registration trusts (federated credential), by its ' +
      'client id, or `system` for that of the machine itself.',
    default: '',
    parse: (value) =>
      value === 'system' ? value : guid("use the identity's client id, or the word system")(value),
  }),
  IDENTITY_ENDPOINT: setting({
    group: 'Microsoft Entra ID',
    about:
      'Set by Azure App Service and Container Apps, not by hand: where ENTRA_MANAGED_IDENTITY is asked for tokens.',
    default: '',
    defaultNote: 'the Instance Metadata Service (IMDS) of the virtual machine',
    parse: text,
  }),
  IDENTITY_HEADER: setting({
    group: 'Microsoft Entra ID',
    about: 'Set by Azure together with IDENTITY_ENDPOINT.',
    default: '',
    secret: true,
    parse: text,
  }),
  ENTRA_ENABLED: setting({
    group: 'Microsoft Entra ID',
    about: 'Whether Entra ID is offered for sign-in.',
    default: 'true',
    parse: boolean,
  }),
  ENTRA_GROUP_ADMIN_ID: setting({
    group: 'Microsoft Entra ID',
    about:
      'Object ID of the group whose members administer: mapped to the administrator scopes unless scopes.yml maps it.',
    default: '',
    parse: guid('copy the Object Id of the group (guide, step 9)'),
  }),
  ENTRA_GROUP_USERS_ID: setting({
    group: 'Microsoft Entra ID',
    about:
      'Object ID of the group whose members are users: mapped to the user scopes unless scopes.yml maps it.',
    default: '',
    parse: guid('copy the Object Id of the group (guide, step 9)'),
  }),
  ENTRA_REDIRECT_URI: setting({
    group: 'Microsoft Entra ID',
    about:
      'The redirect URI as registered (guide, step 4), ending in `/oauth2/callback/entra` or `/auth/callback`. Several, ' +
      'separated by commas, when the gateway is reached by several host names: each sign-in takes that of its host, or the first.',
    default: '',
    defaultNote: '`AUTH_SERVER_EXTERNAL_URL/oauth2/callback/entra`',
    parse: list((value) =>
      /\/(oauth2\/callback\/entra|auth\/callback)$/.test(url(value))
        ? value
        : wrong(`'${value}' must end in /oauth2/callback/entra or /auth/callback, where the gateway listens`),
    ),
  }),
  ENTRA_CLOUD: setting({
    group: 'Microsoft Entra ID',
    about:
      'The cloud that the tenant is in: `global`, `usgov` (GCC High), `usgov-dod` or `china`. GCC is `global`.',
    default: 'global',
    parse: oneOf('global', 'usgov', 'usgov-dod', 'china'),
  }),
  ENTRA_LOGIN_BASE_URL: setting({
    group: 'Microsoft Entra ID',
    about: 'The login host, where ENTRA_CLOUD does not say it.',
    default: '',
    defaultNote: 'that of ENTRA_CLOUD',
    parse: url,
  }),
  ENTRA_GRAPH_BASE_URL: setting({
    group: 'Microsoft Entra ID',
    about: 'The Microsoft Graph host, where ENTRA_CLOUD does not say it.',
    default: '',
    defaultNote: 'follows ENTRA_CLOUD and ENTRA_LOGIN_BASE_URL',
    parse: url,
  }),
  ENTRA_APPLICATION_ID_URI: setting({
    group: 'Microsoft Entra ID',
    about: 'The Application ID URI, where it is not `api://CLIENT_ID`.',
    default: '',
    defaultNote: '`api://ENTRA_CLIENT_ID`',
    parse: withoutEndSlashes,
  }),
  ENTRA_AUDIENCES: setting({
    group: 'Microsoft Entra ID',
    about: 'Further audiences that bearer tokens may be for, separated by commas.',
    default: '',
    defaultNote: 'none besides the client id and the Application ID URI',
    parse: list(withoutEndSlashes),
  }),
  ENTRA_ALLOWED_TENANTS: setting({
    group: 'Microsoft Entra ID',
    about:
      'Further tenants whose bearer tokens are accepted, by GUID, separated by commas. Their administrators decide who of ' +
      'them gets an app role. People of other tenants sign in as guests.',
    default: '',
    defaultNote: 'none',
    parse: list(guid("use the tenant's GUID, not its domain name")),
  }),
  ENTRA_REQUIRED_APP_ROLE: setting({
    group: 'Microsoft Entra ID',
    about:
      'App roles, separated by commas, of which an application needs one to be let in at all; see also ' +
      'ENTRA_ALLOWED_CLIENT_IDS. What it may do is decided by groups and roles either way.',
    default: '',
    defaultNote: 'none is needed',
    parse: list(text),
  }),
  ENTRA_ALLOWED_CLIENT_IDS: setting({
    group: 'Microsoft Entra ID',
    about: 'Client ids of applications, separated by commas, that are let in without such a role.',
    default: '',
    defaultNote: 'every application of the tenant unless ENTRA_REQUIRED_APP_ROLE is set',
    parse: list(guid("copy the application's 'Application (client) ID'")),
  }),
  ENTRA_SIGN_IN_FREQUENCY_ENDS: setting({
    group: 'Microsoft Entra ID',
    about:
      'What ends when Conditional Access requires a new sign-in (sign-in frequency, AADSTS70043): ' +
      '`sessions-and-tokens`, or `sessions` alone; personal tokens and connected clients then continue with the groups that ' +
      'the directory returns, without app roles.',
    default: 'sessions-and-tokens',
    parse: oneOf('sessions-and-tokens', 'sessions'),
  }),
  IDE_OAUTH_CLIENT_ID: setting({
    group: 'Microsoft Entra ID',
    about:
      'The public client with which `mcp-gateway auth login` signs people in: a registration with the redirect URI ' +
      '`http://localhost` under "Mobile and desktop applications" that may ask for `access_as_user`.',
    default: '',
    defaultNote: 'none; `mcp-gateway auth login` says so',
    parse: guid("copy its 'Application (client) ID'"),
  }),
  ENTRA_GRAPH_CLIENT_ID: setting({
    group: 'Microsoft Entra ID',
    about:
      'The registration with application permissions on Microsoft Graph, where it is not the one for sign-in.',
    default: '',
    defaultNote: 'ENTRA_CLIENT_ID',
    parse: guid("copy its 'Application (client) ID'"),
  }),
  ENTRA_GRAPH_CLIENT_SECRET: setting({
    group: 'Microsoft Entra ID',
    about: "That registration's client secret.",
    default: '',
    secret: true,
    parse: clientSecret,
  }),
} as const;
