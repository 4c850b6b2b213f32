import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Diagnosis } from '../../contract/diagnosis/doctor.ts';
import type { EntraComparison, EntraRecord } from '../../contract/diagnosis/entra-record.ts';
import type { SetupOptions, SetupProvider, SetupResult, SetupTalk } from '../../contract/diagnosis/setup.ts';
import { parseScopes } from '../access/scope-set.ts';
import {
  type Config,
  ConfigFault,
  type Environment,
  packagedFile,
  readConfig,
  readEnvironment,
  readerOf,
} from '../config/config.ts';
import { hostsOf } from '../config/config-entra.ts';
import { extraAuthorities, proxyOf } from '../config/config-gateway.ts';
import { type Reader, settings } from '../config/settings.ts';
import { runEntraDoctor } from '../iam/entra/doctor/run.ts';
import { recordEntra } from '../iam/entra/record/record.ts';
import { performSetup } from '../iam/entra/setup/perform.ts';
import { runKeycloakDoctor } from '../iam/keycloak/doctor.ts';
import { performKeycloakSetup } from '../iam/keycloak/setup/perform.ts';
import { runOidcDoctor } from '../iam/oidc/doctor.ts';
import { diskFiles } from '../iam/setup/files.ts';
import { providersOf } from '../identity/providers/index.ts';
import { trustAlso } from '../net/connector.ts';
import { type Fetch, type Outbound, outbound } from '../net/outbound.ts';
import type { ProxyRules } from '../net/proxy.ts';
import type { Provider } from '../provider/provider.ts';
import { namesWithoutId } from '../registry/scopes/warnings.ts';
import { builtInRoles } from './inventory.ts';

/** Examines a provider that the settings of this directory name; throws a ConfigFault when they cannot be used or do not. */
export async function runDoctor(provider: string, directory = process.cwd()): Promise<Diagnosis> {
  const given = readConfig(readEnvironment(directory), directory);
  trustAlso(given.extraCa);
  const config = given.mode === 'evaluation' ? await inEvaluation(given) : given;
  if (!config.providers.includes(provider))
    throw new ConfigFault([
      `AUTH_PROVIDER: does not name '${provider}', so there is nothing to check; it names: ${config.providers.join(', ')}`,
    ]);
  return withOutbound(config.proxy, (toProvider) => doctorOf(config, toProvider, Date.now, [provider])());
}

/** The shapes of what the tenant in the settings of this directory answers; throws a ConfigFault where there is none. */
export async function recordEntraTenant(directory = process.cwd()): Promise<EntraRecord> {
  const given = readConfig(readEnvironment(directory), directory);
  const { entra, proxy } = given.mode === 'evaluation' ? await inEvaluation(given) : given;
  if (!entra) throw new ConfigFault(['AUTH_PROVIDER: does not name entra, so there is no tenant to record']);
  return withOutbound(proxy, (fetch) => recordEntra({ config: entra, fetch, now: Date.now }));
}

/** Where the emulator answers otherwise than a recorded tenant. */
export async function compareEmulator(recorded: unknown): Promise<EntraComparison[]> {
  const { compareWithEmulator } = await import('./entra-record.ts');
  const noProxy = proxyOf(readerOf({}, []));
  return withOutbound(noProxy, (fetch) => compareWithEmulator(recorded, fetch));
}

/** Sets a tenant or realm up for the gateway in this directory, or takes that back; the doctor has the last word. */
export async function runSetup(
  provider: SetupProvider,
  options: SetupOptions,
  talk: SetupTalk,
  directory = process.cwd(),
): Promise<SetupResult> {
  const environment = readEnvironment(directory);
  const faults: string[] = [];
  const read = readerOf(environment, faults);
  const given = { environment, read, registryUrl: read.value('REGISTRY_URL') || 'http://localhost:8080' };
  const work = setups[provider](given, directory);
  const proxy = proxyOf(read);
  const extraCa = extraAuthorities(read, directory, faults);
  if (faults.length > 0) throw new ConfigFault(faults);
  trustAlso(extraCa);
  const chosen = {
    ...options,
    ...(options.url ? { url: settings.REGISTRY_URL.parse(options.url) } : {}),
    ...(options.serverUrl ? { serverUrl: settings.KEYCLOAK_URL.parse(options.serverUrl) } : {}),
  };
  const result = await withOutbound(proxy, (fetch) => work(fetch, chosen, talk));
  if (!result.done || result.removed) return result;
  const diagnose = provider === 'entra' ? afterSetup(directory, talk) : runDoctor(provider, directory);
  return { ...result, diagnosis: await diagnose };
}

/** What the settings of a directory say before there is a configuration. */
interface Given {
  readonly environment: Environment;
  readonly read: Reader;
  readonly registryUrl: string;
}

type Setup = (fetch: Fetch, options: SetupOptions, talk: SetupTalk) => Promise<SetupResult>;

/** The setup of each provider that has one. What is wrong with the settings goes where `read` puts it. */
const setups: Readonly<Record<SetupProvider, (given: Given, directory: string) => Setup>> = {
  entra({ read, registryUrl }, directory) {
    const { loginBaseUrl, graphBaseUrl } = hostsOf(read);
    const cloud = { ENTRA_LOGIN_BASE_URL: loginBaseUrl, ENTRA_GRAPH_BASE_URL: graphBaseUrl };
    const place = createHash('sha256').update(`${hostname()}\n${directory}`).digest('hex').slice(0, 8);
    const world = {
      ...{ loginBaseUrl, graphBaseUrl, place, registryUrl, newId: randomUUID, ...setupWorld(directory) },
      settings: loginBaseUrl === 'https://login.microsoftonline.com' ? {} : cloud,
    };
    return (fetch, options, talk) => performSetup({ ...world, fetch }, options, talk);
  },
  keycloak({ environment, read, registryUrl }, directory) {
    const world = {
      ...setupWorld(directory),
      given: {
        ...{ serverUrl: read.value('KEYCLOAK_URL'), realm: read.value('KEYCLOAK_REALM'), registryUrl },
        ...{ clientId: read.value('KEYCLOAK_CLIENT_ID'), audience: read.value('KEYCLOAK_AUDIENCE')[0] },
        groupsClaim: read.value('KEYCLOAK_GROUPS_CLAIM'),
        authUrl: read.value('AUTH_SERVER_EXTERNAL_URL'),
      },
      client: {
        clientId: environment.KEYCLOAK_SETUP_CLIENT_ID ?? '',
        clientSecret: environment.KEYCLOAK_SETUP_CLIENT_SECRET ?? '',
      },
    };
    return (fetch, options, talk) => performKeycloakSetup({ ...world, fetch }, options, talk);
  },
};

function setupWorld(directory: string) {
  return {
    files: diskFiles(directory, () => readFileSync(packagedFile('examples/scopes.yml'), 'utf8')),
    ...{ pause, now: Date.now, newKey: () => randomBytes(32).toString('hex') },
  };
}

/** A credential that has just been made is refused for some seconds; that is no finding. */
async function afterSetup(directory: string, talk: SetupTalk): Promise<Diagnosis> {
  for (const seconds of [2, 4, 8, 15, 15]) {
    const diagnosis = await runDoctor('entra', directory);
    if (
      !diagnosis.findings.some(
        ({ level, what }) => level === 'fail' && /AADSTS(7000215|700016|700027)\b/.test(what),
      )
    )
      return diagnosis;
    talk.say('Waiting until Entra ID knows the new credential everywhere ...');
    await pause(seconds * 1000);
  }
  return runDoctor('entra', directory);
}

async function withOutbound<T>(proxy: ProxyRules, use: (fetch: Outbound) => Promise<T>): Promise<T> {
  const toProvider = outbound({ proxy, policy: { allowPrivate: true }, totalMs: 20_000, maxBytes: 4 << 20 });
  try {
    return await use(toProvider);
  } finally {
    await toProvider.close();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The doctor for these providers of a configuration; the groups that scopes.yml maps are read anew each time. */
export function doctorOf(
  config: Config,
  fetch: Fetch,
  now: () => number,
  names: readonly string[] = config.providers,
): () => Promise<Diagnosis> {
  const { entra } = config;
  const examine = async (provider: Provider): Promise<Diagnosis> => {
    const oidc = config.oidc.find(({ name }) => name === provider.name);
    if (oidc?.kind === 'keycloak')
      return runKeycloakDoctor({ provider, config: oidc, fetch, now, pause, newId: randomUUID });
    if (provider.name !== 'entra' || !entra) return runOidcDoctor({ provider, fetch, now });
    const [mapped, names] = await mappedGroups(config);
    return runEntraDoctor({ config: entra, mapped, names, fetch, now, pause, newId: randomUUID });
  };
  return async () => {
    const asked = providersOf(config).filter(({ name }) => names.includes(name));
    return allOf(asked.map(examine));
  };
}

/** Several diagnoses as one. */
export async function allOf(asked: readonly Promise<Diagnosis>[]): Promise<Diagnosis> {
  const diagnoses = await Promise.all(asked);
  return {
    healthy: diagnoses.every(({ healthy }) => healthy),
    findings: diagnoses.flatMap(({ findings }) => findings),
    credentials: diagnoses.flatMap(({ credentials }) => credentials),
  };
}

/** The emulator of a gateway that runs in evaluation mode on this machine. */
async function inEvaluation(config: Config): Promise<Config> {
  const { entraOfEmulator } = await import('./evaluation.ts');
  return { ...config, entra: entraOfEmulator(config, `http://127.0.0.1:${config.emulatorPort}`) };
}

/** The Object IDs that give access, each with where it is mapped, and the names that give none; a scopes file with faults is main's to report. */
async function mappedGroups({ entra, scopesFile }: Config): Promise<[Map<string, string>, string[]]> {
  const names = new Set<string>();
  const mapped = new Map<string, string>();
  const settings = { ENTRA_GROUP_ADMIN_ID: entra?.groupAdminId, ENTRA_GROUP_USERS_ID: entra?.groupUsersId };
  try {
    for (const scope of parseScopes(
      await readFile(scopesFile, 'utf8'),
      scopesFile,
      builtInRoles(),
    ).values()) {
      for (const name of namesWithoutId(scope)) names.add(name);
      for (const group of scope.groupMappings)
        if (/^(entra:)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(group))
          mapped.set(group.replace(/^entra:/, '').toLowerCase(), 'scopes.yml');
    }
  } catch {
    // The settings may map all groups that there are.
  }
  for (const [name, id] of Object.entries(settings)) if (id) mapped.set(id, name);
  return [mapped, [...names]];
}
