import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import type { SettingInForce } from '../../contract/system.ts';
import { textOfFile } from '../../contract/values/file-text.ts';
import type { ProxyRules } from '../net/proxy.ts';
import { type SinkConfig, sinkConfigOf } from './config-audit.ts';
import { databaseOf, type PostgresSettings } from './config-database.ts';
import { type EntraConfig, entraOf } from './config-entra.ts';
import { extraAuthorities, type GatewayConfig, gatewayOf, proxyOf } from './config-gateway.ts';
import { type KmsSettings, kmsOf } from './config-keys.ts';
import { type OauthConfig, oauthOf } from './config-oauth.ts';
import { type OidcConfig, oidcOf, providerLeftOut, providersIn } from './config-oidc.ts';
import { misspelledSettings, settingsInForce } from './environment.ts';
import { bitsOf } from './secret-strength.ts';
import { isLoopback } from './setting.ts';
import { type Reader, type SettingName, settings } from './settings.ts';
import type { PublicServers } from './settings-search.ts';

export type { EntraConfig } from './config-entra.ts';
export type { OidcConfig } from './config-oidc.ts';

/** Everything that the settings decide, parsed once at start; see docs/reference/settings.md. */
export interface Config extends SinkConfig {
  readonly mode: 'evaluation' | 'production';
  readonly host: string;
  readonly port: number;
  /** The public origin, without a trailing slash. */
  readonly registryUrl: string;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Whether `/v0.1/servers` may be read without signing in. */
  readonly registryApiPublic: boolean;
  readonly trustedProxyHops: number;
  readonly dataDir: string;
  /** PostgreSQL; null: the embedded database in `dataDir`. */
  readonly database: PostgresSettings | null;
  /** Processes that serve; `auto`: one a core. */
  readonly workers: number | 'auto';
  /** How long verified tokens are believed while the database is away. */
  readonly databaseGraceSeconds: number;
  readonly log: { readonly level: string; readonly format: 'json' | 'text' };
  /** Empty in evaluation mode until one is made in the data directory. */
  readonly secretKey: string;
  /** Empty unless a rotation is under way. */
  readonly previousSecretKey: string;
  /** What wraps data keys besides what is built in; null where nothing else is set up. */
  readonly kms: KmsSettings | null;
  /** The identity providers by name; the first one's groups need no prefix in scopes. */
  readonly providers: readonly string[];
  readonly entra: EntraConfig | null;
  /** Those of `providers` that are not Entra ID. */
  readonly oidc: readonly OidcConfig[];
  readonly scopesFile: string;
  readonly session: {
    readonly cookieName: string;
    readonly maxAgeSeconds: number;
    readonly idleSeconds: number;
    readonly secure: boolean;
    /** Sign-ins that one address may start; 0 is no limit. */
    readonly startsPerMinute: number;
  };
  /** How long groups are believed, and how much longer while they cannot be read anew, in seconds. */
  readonly groups: { readonly maxAgeSeconds: number; readonly graceSeconds: number };
  readonly tokens: {
    readonly issuer: string;
    readonly audience: string;
    readonly defaultHours: number;
    readonly maxHours: number;
    readonly perHour: number;
  };
  /** Servers that one person may have registered. */
  readonly serversPerPerson: number;
  /** Whether people may ask for access, and whether they find in a list what there is. */
  readonly accessRequests: 'named' | 'catalog' | 'off';
  /** Sign-in from MCP clients. */
  readonly oauth: OauthConfig;
  /** Which audiences and scopes tokens of people may be asked for at servers; empty: any. */
  readonly egress: { readonly audiences: readonly string[]; readonly scopes: readonly string[] };
  readonly gateway: GatewayConfig;
  /** The forward proxies for whatever the gateway itself reaches. */
  readonly proxy: ProxyRules;
  /** Authorities (PEM) trusted besides the usual ones; null for none. */
  readonly extraCa: string | null;
  /** Networks beyond the public internet that MCP servers may be in: CIDR, or `private` for all private ranges. */
  readonly allowedNetworks: readonly string[];
  readonly health: { readonly intervalSeconds: number; readonly slowMs: number };
  /** How long it serves on after SIGTERM. */
  readonly shutdownDelaySeconds: number;
  /** Port 0: no address of their own. */
  readonly metrics: { readonly host: string; readonly port: number };
  /** The search: how often one person or agent may ask, and what anybody may find. */
  readonly search: {
    readonly perMinute: number;
    readonly publicServers: PublicServers;
    /** A service of embeddings; null where none is set. */
    readonly embeddings: { readonly url: string; readonly model: string; readonly key: string } | null;
  };
  readonly emulatorPort: number;
  readonly auditRetentionDays: number;
  /** How large the audit trail may become, and how much of its disk has to stay free, in bytes; 0: no such limit. */
  readonly auditRoom: { readonly maxBytes: number; readonly minFreeBytes: number };
  /** Accounts that the gateway makes in a directory. */
  readonly iam: { readonly secretMaxDays: number; readonly manages: 'own' | 'mapped' | 'all' };
  /** What is allowed and yet probably not meant, a sentence each. */
  readonly warnings: readonly string[];
  /** What all of this was read from, without secrets. */
  readonly settings: readonly SettingInForce[];
}

/** The settings cannot be used; `faults` has a sentence for each, naming the variable and the remedy. */
export class ConfigFault extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(
      `${faults.length === 1 ? 'One setting is' : `${faults.length} settings are`} not valid:\n- ${faults.join('\n- ')}`,
    );
    this.name = 'ConfigFault';
    this.faults = faults;
  }
}

/** Raw settings by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process over the `.env` file in `directory`; blank values count as absent. */
export function readEnvironment(directory: string, environment: Environment = process.env): Environment {
  let file: Environment = {};
  try {
    file = parseEnv(textOfFile(readFileSync(resolve(directory, '.env'))));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const own: Environment = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== ''),
  );
  // Most programs take these in lower case, so that is how they are often set.
  const lower = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'].map((name) => [name, own[name.toLowerCase()]]);
  return { ...file, ...Object.fromEntries(lower.filter(([, value]) => value !== undefined)), ...own };
}

/** Reads single settings; what is wrong with one goes into `faults`, and its default is taken. */
export function readerOf(environment: Environment, faults: string[]): Reader {
  return {
    value<N extends SettingName>(name: N) {
      const { parse, default: otherwise } = settings[name];
      try {
        return parse(environment[name]?.trim() || otherwise) as ReturnType<(typeof settings)[N]['parse']>;
      } catch (error) {
        faults.push(`${name}: ${(error as Error).message}`);
        return parse(otherwise) as ReturnType<(typeof settings)[N]['parse']>;
      }
    },
    given: (name) => Boolean(environment[name]?.trim()),
  };
}

/** Turns raw settings into the configuration; throws one ConfigFault with every fault. */
export function readConfig(environment: Environment, directory: string): Config {
  const faults: string[] = [];
  const read = readerOf(environment, faults);
  const { value } = read;
  const mode = modeOf(read, faults);
  const port = value('PORT');
  const registryUrl = value('REGISTRY_URL') || `http://localhost:${port}`;
  const authUrl = value('AUTH_SERVER_EXTERNAL_URL') || registryUrl;
  const { asked, providers } = mode === 'production' ? providersIn(read, faults) : inEvaluation;
  const entra = asked.includes('entra') ? entraOf(read, { authUrl, directory }, faults) : null;
  checkPlaces(mode, { host: value('HOST'), registryUrl, authUrl }, faults);
  if (mode === 'production') checkSecretKey(value('SECRET_KEY'), faults);
  const config: Config = {
    mode,
    host: value('HOST'),
    port,
    registryUrl,
    allowedHosts: hostsOf([registryUrl, authUrl, ...(entra?.redirectUris ?? [])], value('HOST'), port),
    registryApiPublic: value('REGISTRY_API_PUBLIC'),
    allowedOrigins: originsOf([registryUrl, ...(entra?.redirectUris ?? []), ...value('ALLOWED_ORIGINS')]),
    trustedProxyHops: value('TRUSTED_PROXY_HOPS'),
    dataDir: resolve(directory, value('DATA_DIR')),
    database: databaseOf(read, directory, faults),
    workers: value('WORKERS'),
    databaseGraceSeconds: value('DATABASE_GRACE_SECONDS'),
    log: {
      level: value('LOG_LEVEL'),
      format: value('LOG_FORMAT') || (mode === 'evaluation' ? 'text' : 'json'),
    },
    secretKey: value('SECRET_KEY'),
    previousSecretKey: value('SECRET_KEY_PREVIOUS'),
    kms: kmsOf(read, directory, faults),
    providers,
    entra,
    oidc: oidcOf(read, { authUrl, asked }, faults),
    scopesFile: scopesFileOf(read, { directory, mode }, faults),
    session: {
      cookieName: value('SESSION_COOKIE_NAME'),
      maxAgeSeconds: value('SESSION_MAX_AGE_SECONDS'),
      idleSeconds: value('SESSION_IDLE_SECONDS'),
      secure: registryUrl.startsWith('https:'),
      startsPerMinute: value('SIGN_IN_STARTS_PER_MINUTE'),
    },
    groups: { maxAgeSeconds: value('GROUPS_MAX_AGE_SECONDS'), graceSeconds: value('GROUPS_GRACE_SECONDS') },
    tokens: {
      issuer: value('JWT_ISSUER'),
      audience: value('JWT_AUDIENCE'),
      defaultHours: value('MCP_TOKEN_DEFAULT_TTL_HOURS'),
      maxHours: value('MCP_TOKEN_MAX_TTL_HOURS'),
      perHour: value('MAX_TOKENS_PER_USER_PER_HOUR'),
    },
    serversPerPerson: value('MAX_SERVERS_PER_PERSON'),
    accessRequests: value('ACCESS_REQUESTS'),
    oauth: oauthOf(read, asked, faults),
    egress: { audiences: value('EGRESS_ALLOWED_AUDIENCES'), scopes: value('EGRESS_ALLOWED_SCOPES') },
    gateway: gatewayOf(read, directory, faults),
    proxy: proxyOf(read),
    extraCa: extraAuthorities(read, directory, faults),
    allowedNetworks: [...value('UPSTREAM_ALLOWED_NETWORKS'), ...(mode === 'evaluation' ? ['private'] : [])],
    health: {
      intervalSeconds: value('HEALTH_CHECK_INTERVAL_SECONDS'),
      slowMs: value('HEALTH_SLOW_MS'),
    },
    shutdownDelaySeconds: value('SHUTDOWN_DELAY_SECONDS') ?? (mode === 'production' ? 5 : 0),
    metrics: { host: value('METRICS_HOST'), port: value('METRICS_PORT') },
    ...sinkConfigOf(read, faults),
    search: {
      perMinute: value('SEARCH_REQUESTS_PER_MINUTE'),
      publicServers: value('WELL_KNOWN_SERVERS'),
      embeddings: value('SEARCH_EMBEDDINGS_URL')
        ? {
            url: value('SEARCH_EMBEDDINGS_URL'),
            model: value('SEARCH_EMBEDDINGS_MODEL'),
            key: value('SEARCH_EMBEDDINGS_KEY'),
          }
        : null,
    },
    emulatorPort: value('ENTRA_EMULATOR_PORT') || port + 1,
    auditRetentionDays: value('AUDIT_RETENTION_DAYS'),
    auditRoom: {
      maxBytes: value('AUDIT_MAX_MB') * 1024 ** 2,
      minFreeBytes: value('AUDIT_MIN_FREE_MB') * 1024 ** 2,
    },
    iam: { secretMaxDays: value('IAM_SECRET_MAX_DAYS'), manages: value('IAM_MANAGES') },
    warnings: [
      ...misspelledSettings(environment, Object.keys(settings), asked),
      ...(mode === 'evaluation' && !read.given('EVALUATION') ? providerLeftOut(read) : []),
      ...otherPort({ REGISTRY_URL: registryUrl, AUTH_SERVER_EXTERNAL_URL: authUrl }, port),
    ],
    settings: settingsInForce(settings, environment, asked),
  };
  if (config.tokens.defaultHours > config.tokens.maxHours)
    faults.push('MCP_TOKEN_DEFAULT_TTL_HOURS: must not be more than MCP_TOKEN_MAX_TTL_HOURS');
  if (faults.length > 0) throw new ConfigFault([...new Set(faults)]);
  return config;
}

/** The evaluation mode has an emulator of Entra ID, which brings its own settings. */
const inEvaluation = { asked: [], providers: ['entra'] };

/** Evaluation is what somebody gets who has configured nothing; production is asked for by a provider or by NODE_ENV. */
function modeOf(read: Reader, faults: string[]): Config['mode'] {
  const production = read.value('NODE_ENV') === 'production';
  const asked = read.value('EVALUATION');
  if (asked && production) {
    faults.push(
      'EVALUATION: evaluation mode uses demo accounts that everyone knows and does not start with NODE_ENV=production; ' +
        'unset one of the two',
    );
    return 'evaluation';
  }
  if (asked !== null) return asked ? 'evaluation' : 'production';
  return production || read.given('AUTH_PROVIDER') ? 'production' : 'evaluation';
}

function checkPlaces(
  mode: Config['mode'],
  places: { host: string; registryUrl: string; authUrl: string },
  faults: string[],
): void {
  const urls = { REGISTRY_URL: places.registryUrl, AUTH_SERVER_EXTERNAL_URL: places.authUrl };
  for (const [name, url] of Object.entries(urls)) {
    const { protocol, hostname } = new URL(url);
    if (mode === 'evaluation' && !isLoopback(hostname))
      faults.push(
        `${name}: evaluation mode serves this machine only; use a localhost URL, or configure a provider (AUTH_PROVIDER)`,
      );
    if (mode === 'production' && protocol === 'http:' && !isLoopback(hostname))
      faults.push(
        `${name}: must be an https:// URL: sign-in cookies and tokens would cross the network in the clear`,
      );
  }
  if (mode === 'evaluation' && !isLoopback(places.host))
    faults.push(`HOST: evaluation mode listens on loopback only; use 127.0.0.1 instead of ${places.host}`);
}

/** What a URL of this machine that leads to another port than the gateway's means. */
function otherPort(urls: Readonly<Record<string, string>>, port: number): string[] {
  const off = Object.entries(urls).filter(([, url]) => {
    const { hostname, port: named, protocol } = new URL(url);
    return isLoopback(hostname) && Number(named || (protocol === 'https:' ? 443 : 80)) !== port;
  });
  const [first] = off;
  if (!first) return [];
  return [
    `${off.map(([name]) => name).join(' and ')} ${off.length > 1 ? 'are' : 'is'} ${first[1]}, but the gateway listens on port ${port}: ` +
      `browsers and agents that follow it reach nothing unless something in front passes it on. Set ${off.map(([name]) => name).join(' and ')} to ` +
      `http://localhost:${port}, or PORT to ${new URL(first[1]).port || (first[1].startsWith('https:') ? 443 : 80)}.`,
  ];
}

/** A random secret of 32 hexadecimal digits has 90 and more; what people think up stays below. */
const leastBits = 72;

function checkSecretKey(key: string, faults: string[]): void {
  const remedy =
    'make one with: openssl rand -hex 32 (the same on every replica; changing it ends all sessions and tokens)';
  if (key === '') faults.push(`SECRET_KEY: is missing; ${remedy}`);
  else if (/^(your|change|secret|example|replace|placeholder)[-_ ]|change-?me|your-super-secure/i.test(key))
    faults.push(`SECRET_KEY: is a placeholder; ${remedy}`);
  else if (key.length < 32)
    faults.push(`SECRET_KEY: has ${key.length} characters and needs at least 32; ${remedy}`);
  else if (bitsOf(key) < leastBits)
    faults.push(
      `SECRET_KEY: is a pattern that can be guessed (a sequence, a repetition, words or too few characters), not random; ${remedy}`,
    );
}

function hostsOf(urls: readonly (string | undefined)[], host: string, port: number): string[] {
  const own = [
    `localhost:${port}`,
    `127.0.0.1:${port}`,
    `[::1]:${port}`,
    host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
  ];
  return [...new Set([...urls.filter((url) => url !== undefined).map((url) => new URL(url).host), ...own])];
}

function originsOf(urls: readonly string[]): string[] {
  return [...new Set(urls.map((url) => new URL(url).origin))];
}

function scopesFileOf(
  read: Reader,
  { directory, mode }: { directory: string; mode: Config['mode'] },
  faults: string[],
): string {
  const isGiven = read.given('SCOPES_CONFIG_PATH');
  if (mode === 'evaluation' && !isGiven) return packagedFile('examples/scopes.yml');
  const file = resolve(directory, read.value('SCOPES_CONFIG_PATH'));
  // Where the setup guide has it.
  const ofGuide = resolve(directory, 'auth_server/scopes.yml');
  if (!isGiven && !existsSync(file) && existsSync(ofGuide)) return ofGuide;
  if (isGiven && !existsSync(file))
    faults.push(
      `SCOPES_CONFIG_PATH: the file ${file} does not exist; create it with: ${copyOfExample('scopes.yml', file)}`,
    );
  return file;
}

/** The command that creates a file from an example of the package. */
export function copyOfExample(example: string, file: string): string {
  return `${process.platform === 'win32' ? 'copy' : 'cp'} ${packagedFile(`examples/${example}`)} ${file}`;
}

/** A file that ships with the package, found from the bundle (`dist/`) as well as from the source (`src/server/config/`). */
export function packagedFile(name: string): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const root = here.endsWith('dist') ? resolve(here, '..') : resolve(here, '../../..');
  return resolve(root, name);
}
