import { type ServerInput, serverInput } from '../../contract/servers/servers.ts';
import type { Db } from '../db/tables.ts';
import { readDescription } from './agents/description.ts';
import { find as findAgent, insert as insertAgent } from './agents/store.ts';
import { find, insert, replace, type ServerRow } from './servers/store.ts';

/** Who is named as the registrant of the servers and agents that evaluation mode brings along. */
export const seedName = 'evaluation';

/** What seeding works with. */
export interface SeedWorld {
  readonly db: Db;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
}

/** A server to have in the registry: what is said about it, with the defaults left out. */
export type Seed = Pick<ServerInput, 'server_name' | 'path' | 'proxy_pass_url'> &
  Partial<Omit<ServerInput, 'server_name' | 'path' | 'proxy_pass_url'>>;

/**
 * Registers each of the servers whose path is free, switched on. One that it registered at an earlier start keeps what
 * people have changed since; only its `proxy_pass_url` follows, because samples get another port at each start. A server
 * that somebody else has registered at the path stays as it is. Answers the servers that it looks after.
 */
export async function ensureServers(
  { db, now, newId }: SeedWorld,
  seeds: readonly Seed[],
): Promise<ServerRow[]> {
  const ours: ServerRow[] = [];
  for (const seed of seeds) {
    const definition = serverInput.parse(seed);
    const at = new Date(now()).toISOString();
    const present = await find(db, definition.path);
    if (present && present.registeredBy !== seedName) continue;
    const row = present
      ? await follow(db, present, { url: definition.proxy_pass_url, at })
      : await insert(db, {
          id: newId(),
          definition,
          isEnabled: true,
          registeredBy: seedName,
          registeredAt: at,
        });
    ours.push(row);
  }
  return ours;
}

async function follow(db: Db, row: ServerRow, { url, at }: { url: string; at: string }): Promise<ServerRow> {
  if (row.definition.proxy_pass_url === url) return row;
  const definition = { ...row.definition, proxy_pass_url: url };
  return replace(db, row.path, { definition, revision: row.revision, at, forget: false });
}

/** An agent to have in the registry: its path, its card and its tags. */
export interface AgentSeed {
  readonly path: string;
  readonly card: Readonly<Record<string, unknown>>;
  readonly tags: readonly string[];
}

/** Registers an agent, switched on, in the name of `registeredBy`, unless something is registered at its path. */
export async function ensureAgent(
  { db, now, newId }: SeedWorld,
  seed: AgentSeed,
  registeredBy: string,
): Promise<void> {
  const { path, description } = readDescription({ ...seed }, JSON.stringify(seed, null, 2));
  if (await findAgent(db, path)) return;
  const at = new Date(now()).toISOString();
  await insertAgent(db, { id: newId(), path, description, isEnabled: true, registeredBy, at });
}
