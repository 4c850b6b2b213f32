import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Diagnosis } from '../contract/doctor.ts';
import { parseScopes } from './access/scope-set.ts';
import { type Config, readConfig, readEnvironment } from './config.ts';
import { runEntraDoctor } from './iam/entra/doctor/run.ts';
import type { Fetch } from './outbound.ts';
import { outbound } from './outbound.ts';

/** Examines the Entra tenant that the settings of this directory name; throws a ConfigFault when they cannot be used. */
export async function runDoctor(directory = process.cwd()): Promise<Diagnosis> {
  const given = readConfig(readEnvironment(directory), directory);
  const config = given.mode === 'evaluation' ? await inEvaluation(given) : given;
  const toProvider = outbound({ policy: { allowPrivate: true }, totalMs: 20_000, maxBytes: 4 << 20 });
  try {
    return await doctorOf(config, toProvider, Date.now)();
  } finally {
    await toProvider.close();
  }
}

/** The doctor for a configuration; the groups that scopes.yml maps are read anew each time. */
export function doctorOf(config: Config, fetch: Fetch, now: () => number): () => Promise<Diagnosis> {
  const { entra } = config;
  if (!entra) return async () => ({ healthy: true, findings: [] });
  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
  return async () => {
    const mapped = await mappedGroups(config);
    return runEntraDoctor({ config: entra, mapped, fetch, now, pause, newId: randomUUID });
  };
}

/** The emulator of a gateway that runs in evaluation mode on this machine. */
async function inEvaluation(config: Config): Promise<Config> {
  const { entraOfEmulator } = await import('./evaluation.ts');
  return { ...config, entra: entraOfEmulator(config, `http://127.0.0.1:${config.emulatorPort}`) };
}

/** The Object IDs that give access, each with where it is mapped; a scopes file with faults is main's to report. */
async function mappedGroups({ entra, scopesFile }: Config): Promise<Map<string, string>> {
  const mapped = new Map<string, string>();
  const settings = { ENTRA_GROUP_ADMIN_ID: entra?.groupAdminId, ENTRA_GROUP_USERS_ID: entra?.groupUsersId };
  try {
    for (const { groupMappings } of parseScopes(await readFile(scopesFile, 'utf8'), scopesFile).values())
      for (const group of groupMappings)
        if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(group))
          mapped.set(group.toLowerCase(), 'scopes.yml');
  } catch {
    // The settings may map all groups that there are.
  }
  for (const [name, id] of Object.entries(settings)) if (id) mapped.set(id, name);
  return mapped;
}
