/** One setting: how its text is read, what it is when absent, and what the reference says about it. */
export interface Setting<T> {
  readonly group: string;
  readonly about: string;
  /** The text assumed when the variable is absent; empty where there is none. */
  readonly default: string;
  /** What the reference shows as default when the text cannot say it. */
  readonly defaultNote?: string;
  readonly secret?: true;
  /** Reads the text; throws an Error whose message says what is wrong and what would be right. */
  readonly parse: (text: string) => T;
}

function setting<T>(definition: Setting<T>): Setting<T> {
  return definition;
}

function wrong(message: string): never {
  throw new Error(message);
}

const text = (value: string): string => value;

const integer =
  (min: number, max: number) =>
  (value: string): number =>
    /^\d{1,12}$/.test(value) && Number(value) >= min && Number(value) <= max
      ? Number(value)
      : wrong(`'${value}' is not a whole number from ${min} to ${max}`);

function boolean(value: string): boolean {
  if (['true', '1', 'yes', 'on'].includes(value.toLowerCase())) return true;
  if (['false', '0', 'no', 'off'].includes(value.toLowerCase())) return false;
  return wrong(`'${value}' is neither true nor false`);
}

const oneOf =
  <T extends string>(...known: readonly T[]) =>
  (value: string): T =>
    known.find((word) => word === value) ??
    wrong(`'${value}' is not one of: ${known.filter(Boolean).join(', ')}`);

/** An origin such as https://gateway.example.com; a trailing slash is dropped, a path refused. */
function origin(value: string): string {
  if (value === '') return '';
  const url = URL.canParse(value)
    ? new URL(value)
    : wrong(`'${value}' is not a URL; write it as https://host or http://localhost`);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    wrong(`'${value}' must begin with https:// or http://`);
  if (url.pathname !== '/' || url.search || url.hash || url.username)
    wrong(`'${value}' must be only scheme, host and port; a path is not supported`);
  return url.origin;
}

function url(value: string): string {
  if (value === '') return '';
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
    wrong(`'${value}' is not an http(s) URL`);
  return value.replace(/\/+$/, '');
}

const guid =
  (what: string) =>
  (value: string): string => {
    if (value === '' || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value))
      return value.toLowerCase();
    return wrong(`'${value}' is not a GUID such as 16c7e67e-e8ae-498c-ba2e-0593c0159e43; ${what}`);
  };

const list =
  <T>(item: (value: string) => T) =>
  (value: string): T[] =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(item);

function network(value: string): string {
  if (value === 'private' || /^[0-9a-fA-F.:]+\/\d{1,3}$/.test(value)) return value;
  return wrong(`'${value}' is neither a network such as 10.0.0.0/8 nor the word private`);
}

function clientSecret(value: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value))
    wrong("looks like the Secret ID; copy the secret's Value (guide, step 3)");
  if (/^your-secret-value/i.test(value))
    wrong('is the placeholder of the guide; put the secret that you created in step 3');
  return value;
}

/** Every setting, by the name of its environment variable. The reference in docs/reference/settings.md comes from here. */
export const settings = {
  NODE_ENV: setting({
    group: 'Mode',
    about: '`production` forbids the evaluation mode.',
    default: '',
    parse: text,
  }),
  EVALUATION: setting<boolean | null>({
    group: 'Mode',
    about:
      'Evaluation mode: embedded Entra emulator, demo accounts, sample servers, loopback only. Never for real data.',
    default: '',
    defaultNote: '`true` while neither AUTH_PROVIDER nor NODE_ENV=production is set',
    parse: (value) => (value === '' ? null : boolean(value)),
  }),
  HOST: setting({ group: 'Address', about: 'The address to listen on.', default: '127.0.0.1', parse: text }),
  PORT: setting({
    group: 'Address',
    about: 'The port to listen on.',
    default: '8080',
    parse: integer(1, 65535),
  }),
  REGISTRY_URL: setting({
    group: 'Address',
    about: 'The public URL, as people and agents type it: scheme, host and port.',
    default: '',
    defaultNote: '`http://localhost:PORT`',
    parse: origin,
  }),
  AUTH_SERVER_EXTERNAL_URL: setting({
    group: 'Address',
    about: 'The public URL of the sign-in callback, where it differs from REGISTRY_URL.',
    default: '',
    defaultNote: 'REGISTRY_URL',
    parse: origin,
  }),
  ALLOWED_ORIGINS: setting({
    group: 'Address',
    about: 'Further browser origins that may call the gateway, separated by commas.',
    default: '',
    parse: list(origin),
  }),
  TRUSTED_PROXY_HOPS: setting({
    group: 'Address',
    about:
      'How many reverse proxies in front of the gateway may be believed about the client address (X-Forwarded-For).',
    default: '0',
    parse: integer(0, 10),
  }),
  METRICS_PORT: setting({
    group: 'Address',
    about:
      'A port of its own for `GET /metrics` (Prometheus), without sign-in. 0: none; `/api/metrics` is there in any case, ' +
      'for administrators.',
    default: '0',
    parse: integer(0, 65535),
  }),
  METRICS_HOST: setting({
    group: 'Address',
    about: 'The address that METRICS_PORT listens on; let only the monitoring reach it.',
    default: '127.0.0.1',
    parse: text,
  }),
  DATA_DIR: setting({
    group: 'Storage',
    about: 'The directory of the embedded database; one process at a time.',
    default: './data',
    parse: text,
  }),
  AUDIT_RETENTION_DAYS: setting({
    group: 'Storage',
    about: 'How long audit events are kept, in days.',
    default: '90',
    parse: integer(1, 3650),
  }),
  LOG_LEVEL: setting({
    group: 'Log',
    about: 'The least important level that is logged.',
    default: 'info',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  }),
  LOG_FORMAT: setting({
    group: 'Log',
    about: '`json` or `text`.',
    default: '',
    defaultNote: '`json`; `text` in evaluation mode',
    parse: oneOf('', 'json', 'text'),
  }),
  AUTH_PROVIDER: setting({
    group: 'Identity provider',
    about: 'Where people sign in: `entra`.',
    default: '',
    parse: (value) => value.toLowerCase(),
  }),
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
      'The redirect URI as registered (guide, step 4), ending in `/oauth2/callback/entra` or `/auth/callback`.',
    default: '',
    defaultNote: '`AUTH_SERVER_EXTERNAL_URL/oauth2/callback/entra`',
    parse: (value) =>
      value === '' || /\/(oauth2\/callback\/entra|auth\/callback)$/.test(url(value))
        ? value
        : wrong(`'${value}' must end in /oauth2/callback/entra or /auth/callback, where the gateway listens`),
  }),
  ENTRA_LOGIN_BASE_URL: setting({
    group: 'Microsoft Entra ID',
    about: 'The login host, for sovereign clouds.',
    default: 'https://login.microsoftonline.com',
    parse: url,
  }),
  ENTRA_GRAPH_BASE_URL: setting({
    group: 'Microsoft Entra ID',
    about: 'The Microsoft Graph host, for sovereign clouds.',
    default: '',
    defaultNote: 'follows ENTRA_LOGIN_BASE_URL',
    parse: url,
  }),
  ENTRA_APPLICATION_ID_URI: setting({
    group: 'Microsoft Entra ID',
    about: 'The Application ID URI, where it is not `api://CLIENT_ID`.',
    default: '',
    defaultNote: '`api://ENTRA_CLIENT_ID`',
    parse: (value) => value.replace(/\/+$/, ''),
  }),
  ENTRA_EMULATOR_PORT: setting({
    group: 'Mode',
    about: 'The port of the Entra emulator in evaluation mode.',
    default: '0',
    defaultNote: 'PORT + 1',
    parse: integer(0, 65535),
  }),
  SECRET_KEY: setting({
    group: 'Security',
    about:
      'The secret from which every key is derived: 32 random characters or more, the same on every replica.',
    default: '',
    defaultNote: 'made in DATA_DIR in evaluation mode; required in production',
    secret: true,
    parse: text,
  }),
  SECRET_KEY_PREVIOUS: setting({
    group: 'Security',
    about:
      'The secret before the present SECRET_KEY: stored credentials of servers stay readable until ' +
      '`mcp-gateway rotate-secrets` has encrypted them anew.',
    default: '',
    secret: true,
    parse: text,
  }),
  SESSION_COOKIE_NAME: setting({
    group: 'Security',
    about: 'The name of the session cookie; over https it gets the prefix `__Host-`.',
    default: 'mcp_gateway_session',
    parse: (value) =>
      /^[A-Za-z0-9_-]{1,64}$/.test(value) ? value : wrong('may have letters, digits, _ and -'),
  }),
  SESSION_MAX_AGE_SECONDS: setting({
    group: 'Security',
    about: 'After how many seconds a browser session ends.',
    default: '28800',
    parse: integer(60, 604800),
  }),
  SCOPES_CONFIG_PATH: setting({
    group: 'Access',
    about: 'The scopes file; re-read when it changes.',
    default: './scopes.yml',
    defaultNote: '`./scopes.yml`; in evaluation mode the packaged `examples/scopes.yml`',
    parse: text,
  }),
  JWT_ISSUER: setting({
    group: 'Personal tokens',
    about: 'The `iss` of personal tokens.',
    default: 'mcp-auth-server',
    parse: text,
  }),
  JWT_AUDIENCE: setting({
    group: 'Personal tokens',
    about: 'The `aud` of personal tokens.',
    default: 'mcp-registry',
    parse: text,
  }),
  MCP_TOKEN_DEFAULT_TTL_HOURS: setting({
    group: 'Personal tokens',
    about: 'The lifetime of a personal token unless asked otherwise, in hours.',
    default: '8',
    parse: integer(1, 168),
  }),
  MCP_TOKEN_MAX_TTL_HOURS: setting({
    group: 'Personal tokens',
    about: 'The longest lifetime of a personal token, in hours.',
    default: '24',
    parse: integer(1, 168),
  }),
  MAX_TOKENS_PER_USER_PER_HOUR: setting({
    group: 'Personal tokens',
    about: 'How many personal tokens somebody may mint within an hour.',
    default: '100',
    parse: integer(1, 10000),
  }),
  MCP_PROXY_MAX_BODY_BYTES: setting({
    group: 'Gateway',
    about: 'The largest request body that is passed on, in bytes; larger ones get 413.',
    default: '4194304',
    parse: integer(1024, 1073741824),
  }),
  MCP_PROXY_TIMEOUT: setting({
    group: 'Gateway',
    about: 'How long a server may take until its answer begins, in seconds; then 504. Streams have no limit.',
    default: '30',
    parse: integer(1, 3600),
  }),
  HEALTH_CHECK_INTERVAL_SECONDS: setting({
    group: 'Health',
    about:
      'How often each enabled server is checked, in seconds; failing ones sooner at first. 0: only when asked to.',
    default: '300',
    parse: integer(0, 86400),
  }),
  HEALTH_SLOW_MS: setting({
    group: 'Health',
    about: 'From how many milliseconds on a check that went well calls the server slow.',
    default: '5000',
    parse: integer(1, 60000),
  }),
  UPSTREAM_ALLOWED_NETWORKS: setting({
    group: 'Gateway',
    about:
      'Networks besides the public internet in which MCP servers may be, separated by commas: CIDR, or `private` for all ' +
      'private ranges. Link-local and cloud metadata addresses are never allowed.',
    default: '',
    defaultNote: 'none; `private` in evaluation mode',
    parse: list(network),
  }),
} as const;

/** The name of a setting: its environment variable. */
export type SettingName = keyof typeof settings;

/** docs/reference/settings.md, whole. */
export function renderSettings(): string {
  const groups = [...new Set(Object.values(settings).map((one: Setting<unknown>) => one.group))];
  const sections = groups.map((group) => {
    const rows = Object.entries(settings as Record<string, Setting<unknown>>)
      .filter(([, one]) => one.group === group)
      .map(([name, one]) => {
        const fallback = one.defaultNote ?? (one.default === '' ? '' : `\`${one.default}\``);
        return `| \`${name}\` | ${fallback} | ${one.about}${one.secret ? ' **Secret.**' : ''} |`;
      });
    return `## ${group}\n\n| variable | default | meaning |\n|---|---|---|\n${rows.join('\n')}\n`;
  });
  return [
    '# Settings',
    'Read from the environment, and from a `.env` file in the working directory for what the environment does not set. All\n' +
      'faults are reported at once, each with its remedy, and nothing starts while there is one. This page is generated from\n' +
      '`src/server/settings.ts`; a test holds it.',
    ...sections,
  ].join('\n\n');
}
