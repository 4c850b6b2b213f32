import { boolean, integer, list, oneOf, origin, type Setting, setting, text, wrong } from './setting.ts';
import { databaseSettings } from './settings-database.ts';
import { entraSettings } from './settings-entra.ts';
import { gatewaySettings } from './settings-gateway.ts';
import { keysSettings } from './settings-keys.ts';
import { oauthSettings } from './settings-oauth.ts';
import { oidcSettings } from './settings-oidc.ts';
import { operationSettings } from './settings-operation.ts';
import { searchSettings } from './settings-search.ts';

/** The settings of credentials that people have at servers: a part of `settings`. */
const egressSettings = {
  EGRESS_ALLOWED_AUDIENCES: setting({
    group: 'Per-person credentials',
    about:
      'For which audiences tokens of people may be asked for (`target_audience` of servers), separated by commas; `*` at the end ' +
      'stands for anything, as in api://*. Checked when a server is set up and at each use. Empty: any.',
    default: '',
    parse: list(text),
  }),
  EGRESS_ALLOWED_SCOPES: setting({
    group: 'Per-person credentials',
    about:
      'Which scopes tokens of people may be asked for, separated by commas, with `*` at the end as above. Empty: any.',
    default: '',
    parse: list(text),
  }),
} as const;

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
  REGISTRY_API_PUBLIC: setting({
    group: 'Address',
    about:
      'Whether anyone can read the registry in the form of the official MCP registry (`/v0.1/servers`: names, descriptions and ' +
      'gateway URLs of all enabled servers), as VS Code and Copilot allow lists do. `false`: only callers with a token, each what they may list.',
    default: 'false',
    parse: boolean,
  }),
  TRUSTED_PROXY_HOPS: setting({
    group: 'Address',
    about:
      'How many reverse proxies in front of the gateway may be believed about the client address (X-Forwarded-For).',
    default: '0',
    parse: integer(0, 10),
  }),
  DATA_DIR: setting({
    group: 'Storage',
    about: 'The directory of the embedded database; one process at a time.',
    default: './data',
    parse: text,
  }),
  ...databaseSettings,
  AUDIT_RETENTION_DAYS: setting({
    group: 'Storage',
    about: 'How long audit events are kept, in days.',
    default: '90',
    parse: integer(1, 3650),
  }),
  AUDIT_MAX_MB: setting({
    group: 'Storage',
    about:
      'How large the audit trail may become, in MB; in the embedded database everything else counts too. At the limit there is an alarm, and refusals of unknown callers are only counted and the oldest deleted; what people and agents did is always kept for AUDIT_RETENTION_DAYS. 0: no limit.',
    default: '10240',
    parse: integer(0, 100_000_000),
  }),
  AUDIT_MIN_FREE_MB: setting({
    group: 'Storage',
    about:
      'How much of the disk of DATA_DIR has to stay free, in MB: with less there is an alarm, as with AUDIT_MAX_MB. Only for the embedded database. 0: not watched.',
    default: '256',
    parse: integer(0, 100_000_000),
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
    about:
      'Where people sign in: `entra` or another provider of docs/providers/, or several of them, separated by commas. Groups ' +
      'of the first one are mapped by their bare names, those of the others as `provider:group` (docs/access.md).',
    default: '',
    parse: list((value) => value.toLowerCase()),
  }),
  ...entraSettings,
  ...oidcSettings,
  GROUPS_MAX_AGE_SECONDS: setting({
    group: 'Security',
    about:
      'After how many seconds the groups of a session, of the owner of a personal token or of an agent are read again from ' +
      'the identity provider; what is cached may make it a minute more.',
    default: '600',
    parse: integer(30, 840),
  }),
  GROUPS_GRACE_SECONDS: setting({
    group: 'Security',
    about:
      'How much longer groups are believed while they cannot be read, in seconds; after that access is refused.',
    default: '3600',
    parse: integer(0, 86400),
  }),
  IAM_SECRET_MAX_DAYS: setting({
    group: 'Security',
    about:
      'How many days a secret that the gateway makes for an application is valid at most, and unless asked otherwise.',
    default: '180',
    parse: integer(1, 730),
  }),
  IAM_MANAGES: setting({
    group: 'Security',
    about:
      'What the gateway changes in the directory, whatever its permissions there would let it: `mapped` changes and deletes groups ' +
      'that scopes map or that it created, and deletes accounts that it created; `own` only what it created; `all` everything ' +
      '(docs/iam.md).',
    default: 'mapped',
    parse: oneOf('own', 'mapped', 'all'),
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
      'The secret before the present SECRET_KEY: what is sealed in the database stays readable until ' +
      '`mcp-gateway gateway rotate-secrets` has rewrapped the data key.',
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
    about: 'After how many seconds a browser session ends, however it is used.',
    default: '28800',
    parse: integer(60, 604800),
  }),
  SESSION_IDLE_SECONDS: setting({
    group: 'Security',
    about: 'After how many seconds without a request a browser session ends.',
    default: '7200',
    parse: integer(120, 604800),
  }),
  SCOPES_CONFIG_PATH: setting({
    group: 'Access',
    about:
      'The scopes file; re-read when it changes. Where there is none, the four roles of `examples/roles.yml` are built in, for the groups ' +
      'of ENTRA_GROUP_ADMIN_ID and ENTRA_GROUP_USERS_ID.',
    default: './scopes.yml',
    defaultNote:
      '`./scopes.yml`, else `./auth_server/scopes.yml`; in evaluation mode the packaged `examples/scopes.yml`',
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
  SIGN_IN_STARTS_PER_MINUTE: setting({
    group: 'Security',
    about:
      'How many sign-ins one address (of IPv6, one /64 network) may start within a minute on one replica; 0 is no limit. ' +
      'Behind proxies set TRUSTED_PROXY_HOPS, or everyone has the same address.',
    default: '300',
    parse: integer(0, 100_000),
  }),
  MAX_TOKENS_PER_USER_PER_HOUR: setting({
    group: 'Personal tokens',
    about: 'How many personal tokens a person can create within an hour.',
    default: '100',
    parse: integer(1, 10000),
  }),
  MAX_SERVERS_PER_PERSON: setting({
    group: 'Registry',
    about: 'How many servers a person who is not an administrator can register.',
    default: '100',
    parse: integer(1, 100_000),
  }),
  ACCESS_REQUESTS: setting({
    group: 'Registry',
    about:
      'Whether people may ask for access to servers: `named`, to a server whose address they know; `catalog`, also to ' +
      'those that they find in a list of all enabled servers (name, description, tags); or `off`. The person who ' +
      'registered the server or an administrator decides.',
    default: 'named',
    parse: oneOf('named', 'catalog', 'off'),
  }),
  ...oauthSettings,
  ...egressSettings,
  ...gatewaySettings,
  ...keysSettings,
  ...operationSettings,
  ...searchSettings,
} as const;

/** The name of a setting: its environment variable. */
export type SettingName = keyof typeof settings;

/** Reads settings: their values, and whether they were given. */
export interface Reader {
  value<N extends SettingName>(name: N): ReturnType<(typeof settings)[N]['parse']>;
  given(name: SettingName): boolean;
}

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
      'problems are reported together, each with its fix, and the gateway does not start until all are resolved. This page is generated from\n' +
      '`src/server/config/settings.ts`; a test holds it.',
    ...sections,
  ].join('\n\n');
}
