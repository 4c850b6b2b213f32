import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isManagedIdentityEndpoint } from '../net/outbound.ts';
import { isLoopback } from './setting.ts';
import type { Reader, SettingName } from './settings.ts';

/** The settings of Microsoft Entra ID. */
export interface EntraConfig {
  readonly tenantId: string;
  readonly clientId: string;
  /** Empty where a certificate or a federated token takes its place. */
  readonly clientSecret: string;
  /** PEM files of the client certificate and its key. */
  readonly certificate?: { readonly path: string; readonly keyPath: string };
  /** A file with a token of an issuer that the registration trusts (workload identity federation). */
  readonly federatedTokenFile?: string;
  /** The managed identity that the registration trusts. */
  readonly managedIdentity?: ManagedIdentity;
  readonly redirectUri: string;
  /** Every registered redirect URI that is used, the first one included; a sign-in takes that of the host it comes by. */
  readonly redirectUris?: readonly string[];
  readonly loginBaseUrl: string;
  readonly graphBaseUrl: string;
  readonly applicationIdUri: string | null;
  readonly groupAdminId: string | null;
  readonly groupUsersId: string | null;
  /** Further tenants whose bearer tokens are accepted. */
  readonly allowedTenants?: readonly string[];
  /** Further audiences of bearer tokens. */
  readonly audiences?: readonly string[];
  /** Applications need one of these app roles, or to be among the allowed clients; nothing is asked when both are empty. */
  readonly requiredAppRoles?: readonly string[];
  readonly allowedClientIds?: readonly string[];
  /** Whether personal tokens and connected clients go on when Conditional Access asks for a new sign-in. */
  readonly tokensOutliveSignIn?: boolean;
  /** The public client with which the command line signs people in. */
  readonly commandLineClientId?: string;
  /** Another registration that asks Microsoft Graph; the sign-in registration asks when there is none. */
  readonly graph?: { readonly clientId: string; readonly clientSecret: string };
}

/** A managed identity of Azure and where its tokens come from. */
export interface ManagedIdentity {
  /** Of a user-assigned identity; null for the one of the machine. */
  readonly clientId: string | null;
  readonly endpoint: string;
  /** What App Service and Container Apps want to see; null for IMDS, which wants another header. */
  readonly header: string | null;
}

/** The settings of Microsoft Entra ID, where AUTH_PROVIDER names it. */
export function entraOf(
  read: Reader,
  { authUrl, directory }: { authUrl: string; directory: string },
  faults: string[],
): EntraConfig {
  if (read.value('ENTRA_ENABLED') === false)
    faults.push(
      'ENTRA_ENABLED: is false although AUTH_PROVIDER is entra; set it to true or choose another provider',
    );
  for (const [name, where] of Object.entries(requiredForEntra))
    if (!read.given(name as SettingName)) faults.push(`${name}: is missing; ${where}`);
  const { loginBaseUrl, graphBaseUrl } = hostsOf(read);
  if (loginBaseUrl.startsWith('http:'))
    faults.push(
      'ENTRA_LOGIN_BASE_URL: must be https://; an emulator belongs to the evaluation mode (EVALUATION=true)',
    );
  if (graphBaseUrl.startsWith('http:'))
    faults.push(
      'ENTRA_GRAPH_BASE_URL: must be https://; tokens for Microsoft Graph would cross the network in the clear',
    );
  return {
    tenantId: read.value('ENTRA_TENANT_ID'),
    clientId: read.value('ENTRA_CLIENT_ID'),
    ...credentialOf(read, directory, faults),
    ...redirectsOf(read, authUrl, faults),
    loginBaseUrl,
    graphBaseUrl,
    applicationIdUri: read.value('ENTRA_APPLICATION_ID_URI') || null,
    groupAdminId: read.value('ENTRA_GROUP_ADMIN_ID') || null,
    groupUsersId: read.value('ENTRA_GROUP_USERS_ID') || null,
    allowedTenants: read.value('ENTRA_ALLOWED_TENANTS'),
    audiences: read.value('ENTRA_AUDIENCES'),
    requiredAppRoles: read.value('ENTRA_REQUIRED_APP_ROLE'),
    allowedClientIds: read.value('ENTRA_ALLOWED_CLIENT_IDS'),
    tokensOutliveSignIn: read.value('ENTRA_SIGN_IN_FREQUENCY_ENDS') === 'sessions',
    ...graphClientOf(read, faults),
    ...(read.given('IDE_OAUTH_CLIENT_ID') ? { commandLineClientId: read.value('IDE_OAUTH_CLIENT_ID') } : {}),
  };
}

function redirectsOf(read: Reader, authUrl: string, faults: string[]) {
  const given = read.value('ENTRA_REDIRECT_URI');
  for (const uri of given)
    if (uri.startsWith('http:') && !isLoopback(new URL(uri).hostname))
      faults.push(
        `ENTRA_REDIRECT_URI: ${uri} must be https://, as Entra ID asks for everywhere but on localhost`,
      );
  const redirectUris = given.length > 0 ? given : [`${authUrl}/oauth2/callback/entra`];
  return { redirectUri: redirectUris[0] ?? '', redirectUris };
}

function graphClientOf(read: Reader, faults: string[]): Pick<EntraConfig, 'graph'> {
  const [clientId, clientSecret] = [
    read.value('ENTRA_GRAPH_CLIENT_ID'),
    read.value('ENTRA_GRAPH_CLIENT_SECRET'),
  ];
  if (!clientId && !clientSecret) return {};
  if (!clientId) faults.push('ENTRA_GRAPH_CLIENT_ID: is missing although ENTRA_GRAPH_CLIENT_SECRET is set');
  if (!clientSecret)
    faults.push('ENTRA_GRAPH_CLIENT_SECRET: is missing although ENTRA_GRAPH_CLIENT_ID is set');
  return { graph: { clientId, clientSecret } };
}

const requiredForEntra: Partial<Record<SettingName, string>> = {
  ENTRA_TENANT_ID: "copy 'Directory (tenant) ID' from the app registration's Overview page (guide, step 2)",
  ENTRA_CLIENT_ID: "copy 'Application (client) ID' from the app registration's Overview page (guide, step 2)",
};

/** Login and Graph hosts of the clouds that Microsoft documents. */
const clouds = {
  global: { login: 'https://login.microsoftonline.com', graph: 'https://graph.microsoft.com' },
  usgov: { login: 'https://login.microsoftonline.us', graph: 'https://graph.microsoft.us' },
  'usgov-dod': { login: 'https://login.microsoftonline.us', graph: 'https://dod-graph.microsoft.us' },
  china: {
    login: 'https://login.partner.microsoftonline.cn',
    graph: 'https://microsoftgraph.chinacloudapi.cn',
  },
} as const;

/** The login and Graph hosts that the settings name, or those of their cloud. */
export function hostsOf(read: Reader): { loginBaseUrl: string; graphBaseUrl: string } {
  const loginBaseUrl = read.value('ENTRA_LOGIN_BASE_URL') || clouds[read.value('ENTRA_CLOUD')].login;
  return { loginBaseUrl, graphBaseUrl: read.value('ENTRA_GRAPH_BASE_URL') || graphOf(read, loginBaseUrl) };
}

/** Graph's host: of ENTRA_CLOUD, else of the cloud that a known login host belongs to. */
function graphOf(read: Reader, loginBaseUrl: string): string {
  if (read.given('ENTRA_CLOUD')) return clouds[read.value('ENTRA_CLOUD')].graph;
  if (new URL(loginBaseUrl).host === 'login.chinacloudapi.cn') return clouds.china.graph;
  const known = Object.values(clouds).find(({ login }) => login === new URL(loginBaseUrl).origin);
  return (known ?? clouds.global).graph;
}

/** The one credential of the registration: a secret, a certificate, a federated token or a managed identity. */
function credentialOf(
  read: Reader,
  directory: string,
  faults: string[],
): Pick<EntraConfig, 'clientSecret' | 'certificate' | 'federatedTokenFile' | 'managedIdentity'> {
  const names = [
    'ENTRA_CLIENT_SECRET',
    'ENTRA_CLIENT_CERTIFICATE_PATH',
    'ENTRA_FEDERATED_TOKEN_FILE',
    'ENTRA_MANAGED_IDENTITY',
  ] as const;
  const given = names.filter((name) => read.given(name));
  const clientSecret = read.value('ENTRA_CLIENT_SECRET');
  if (given.length === 0)
    faults.push(
      "ENTRA_CLIENT_SECRET: is missing; create one under 'Certificates & secrets' and copy its Value, not its Secret ID " +
        '(guide, step 3), or set one of ENTRA_CLIENT_CERTIFICATE_PATH, ENTRA_FEDERATED_TOKEN_FILE and ENTRA_MANAGED_IDENTITY instead',
    );
  if (given.length > 1) faults.push(`${given.join(', ')}: set only one of them`);
  if (read.given('ENTRA_CLIENT_CERTIFICATE_KEY_PATH') && !read.given('ENTRA_CLIENT_CERTIFICATE_PATH'))
    faults.push('ENTRA_CLIENT_CERTIFICATE_KEY_PATH: is set although ENTRA_CLIENT_CERTIFICATE_PATH is not');
  if (given.length !== 1 || given[0] === 'ENTRA_CLIENT_SECRET') return { clientSecret };
  if (given[0] === 'ENTRA_MANAGED_IDENTITY')
    return { clientSecret, managedIdentity: managedIdentityOf(read, faults) };
  const file = resolve(directory, read.value(given[0] ?? 'ENTRA_FEDERATED_TOKEN_FILE'));
  if (given[0] === 'ENTRA_FEDERATED_TOKEN_FILE') {
    checkFiles(
      'ENTRA_FEDERATED_TOKEN_FILE',
      () => readFileSync(file, 'utf8').split('.').length === 3,
      faults,
    );
    return { clientSecret, federatedTokenFile: file };
  }
  const keyPath = resolve(directory, read.value('ENTRA_CLIENT_CERTIFICATE_KEY_PATH') || file);
  const fits = () =>
    new X509Certificate(readFileSync(file)).checkPrivateKey(createPrivateKey(readFileSync(keyPath)));
  checkFiles('ENTRA_CLIENT_CERTIFICATE_PATH', fits, faults);
  return { clientSecret, certificate: { path: file, keyPath } };
}

/** Where the Instance Metadata Service of every Azure virtual machine gives tokens. */
const imds = 'http://169.254.169.254/metadata/identity/oauth2/token';

function managedIdentityOf(read: Reader, faults: string[]): ManagedIdentity {
  const identity = read.value('ENTRA_MANAGED_IDENTITY');
  const clientId = identity === 'system' ? null : identity;
  const [endpoint, header] = [read.value('IDENTITY_ENDPOINT'), read.value('IDENTITY_HEADER')];
  if (!endpoint && !header) return { clientId, endpoint: imds, header: null };
  if (!endpoint || !header)
    faults.push(
      `${endpoint ? 'IDENTITY_HEADER' : 'IDENTITY_ENDPOINT'}: is missing although the other of the two is set; Azure sets both`,
    );
  if (endpoint && !isManagedIdentityEndpoint(endpoint))
    faults.push(
      'IDENTITY_ENDPOINT: must be an http:// URL on this machine or a link-local address, as Azure sets it; remove it to use IMDS',
    );
  return { clientId, endpoint, header };
}

function checkFiles(name: SettingName, isRight: () => boolean, faults: string[]): void {
  const wanted =
    name === 'ENTRA_FEDERATED_TOKEN_FILE'
      ? 'a file with a JWT'
      : 'a PEM file with a certificate that fits its private key';
  try {
    if (!isRight()) faults.push(`${name}: is not ${wanted}`);
  } catch (error) {
    faults.push(`${name}: cannot be used (${(error as Error).message}); it must be ${wanted}`);
  }
}
