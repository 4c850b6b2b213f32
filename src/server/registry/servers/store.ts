import type { Selectable } from 'kysely';
import type { AuthScheme } from '../../../contract/servers/server-credentials.ts';
import type { HealthReason, HealthStatus, ServerInput, Tool } from '../../../contract/servers/servers.ts';
import { changing, recordChange } from '../../changes/record.ts';
import type { Db, ServersTable } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import type { EgressSettings } from '../../egress/settings.ts';
import { Failure } from '../../failure/errors.ts';
import type { Sealed } from '../../identity/sealer.ts';
import { changedMeanwhile } from '../revision.ts';

/** What the last check found. */
export interface Health {
  readonly status: Exclude<HealthStatus, 'disabled' | 'unknown'>;
  /** What kind of trouble it is; null when the state says all, absent where it was stored before there were kinds. */
  readonly reason?: HealthReason | null;
  /** In words for everybody, without the server's address. */
  readonly detail: string | null;
  /** ISO 8601. */
  readonly checkedAt: string;
  readonly serverVersion: string | null;
  readonly protocolVersion: string | null;
  /** When the tools in store were last found to be those that it lists, where that was after they were read (ISO 8601). */
  readonly toolsAt?: string;
}

/** What a server offers besides tools, each as the server describes it (MCP `prompts/list` and so on). */
export interface Offers {
  readonly prompts: readonly Offered[];
  readonly resources: readonly Offered[];
  readonly resourceTemplates: readonly Offered[];
  /** What it says that it can do (`initialize`, `server/discover`). */
  readonly capabilities: Readonly<Record<string, unknown>>;
}

/** A prompt, resource or resource template. */
export type Offered = Readonly<Record<string, unknown>>;

/** The tools as last read from the server. */
export interface StoredTools {
  readonly tools: readonly Tool[];
  /** Names in the server's list of what is no valid tool; absent where there is none. */
  readonly invalid?: readonly string[];
  /** Absent where it was stored before it was read. */
  readonly offers?: Offers;
  /** ISO 8601. */
  readonly fetchedAt: string;
  /** Names what the server said when they were read; absent where it does not say the same twice. */
  readonly mark?: string;
}

/** What the gateway proves itself to a server with, as it is stored: names in the clear, values sealed. */
export interface StoredCredential extends Sealed {
  readonly scheme: AuthScheme;
  /** Null for the scheme `none`. */
  readonly headerName: string | null;
  readonly customHeaderNames: readonly string[];
  /** ISO 8601. */
  readonly updatedAt: string;
}

/** A registered server as it is stored. */
export interface ServerRow {
  readonly id: string;
  /** With its leading slash. */
  readonly path: string;
  readonly definition: ServerInput;
  readonly isEnabled: boolean;
  readonly health: Health | null;
  readonly tools: StoredTools | null;
  readonly registeredBy: string;
  /** keyOf(provider, subject) of the person who registered it; null where nobody known did. */
  readonly owner: string | null;
  readonly registeredAt: string;
  readonly updatedAt: string;
  /** Counts the changes that people make; checks do not count. */
  readonly revision: number;
  readonly credential: StoredCredential | null;
  /** How the credentials of people are arranged; null where the operator's goes, or nobody's. */
  readonly egress: EgressSettings | null;
}

/** Stores a new server; a path in use is a `conflict`. */
export async function insert(
  db: Db,
  row: Pick<ServerRow, 'id' | 'definition' | 'isEnabled' | 'registeredBy' | 'registeredAt'> & {
    readonly owner?: string | null;
  },
  /** Servers that the same person may have registered then. */
  most = Number.POSITIVE_INFINITY,
): Promise<ServerRow> {
  const { path } = row.definition;
  const stored = await changing(
    db,
    'server',
    async (trx) => {
      await assertRoomFor(trx, row.registeredBy, most);
      return trx
        .insertInto('servers')
        .values({
          id: row.id,
          path,
          definition: JSON.stringify(row.definition),
          is_enabled: Number(row.isEnabled),
          health: null,
          tools: null,
          registered_by: row.registeredBy,
          registered_at: row.registeredAt,
          updated_at: row.registeredAt,
          revision: 1,
          credential: null,
          egress: null,
          owner: row.owner ?? null,
        })
        .onConflict((conflict) => conflict.column('path').doNothing())
        .returningAll()
        .executeTakeFirst();
    },
    pathOf,
  );
  if (stored) return rowOf(stored);
  throw new Failure(
    'conflict',
    `A server is already registered at '${path}'. Change it (PUT or PATCH /api/servers${path}), remove it, or choose another path.`,
  );
}

async function assertRoomFor(db: Db, person: string, most: number): Promise<void> {
  if (most === Number.POSITIVE_INFINITY) return;
  const { count } = await db
    .selectFrom('servers')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('registered_by', '=', person)
    .executeTakeFirstOrThrow();
  if (Number(count) >= most)
    throw new Failure(
      'not_allowed',
      `You have registered ${most} servers, the most that one person can have (MAX_SERVERS_PER_PERSON). Remove one, or ask an administrator.`,
    );
}

/** The server at `path`; undefined when there is none. */
export async function find(db: Db, path: string): Promise<ServerRow | undefined> {
  const stored = await db.selectFrom('servers').selectAll().where('path', '=', path).executeTakeFirst();
  return stored && rowOf(stored);
}

/** Rows from memory with what their last checks found: a check that found the same as before changes only its time. */
export async function withHealth(db: Db, rows: readonly ServerRow[]): Promise<ServerRow[]> {
  const found = new Map<string, Health | null>();
  for (let from = 0; from < rows.length; from += 500) {
    const ids = rows.slice(from, from + 500).map(({ id }) => id);
    const stored = await db.selectFrom('servers').select(['id', 'health']).where('id', 'in', ids).execute();
    for (const { id, health } of stored)
      found.set(id, health === null ? null : (JSON.parse(health) as Health));
  }
  return rows.filter(({ id }) => found.has(id)).map((row) => ({ ...row, health: found.get(row.id) ?? null }));
}

/** All servers, by path. */
export async function listServers(db: Db): Promise<ServerRow[]> {
  const stored = await db.selectFrom('servers').selectAll().orderBy('path').execute();
  // A row that cannot be read costs itself alone.
  return stored.flatMap((row) => {
    try {
      return rowOf(row);
    } catch {
      return [];
    }
  });
}

/**
 * Replaces what is said about the server at `path` if it still has `revision`; otherwise `changed_meanwhile`. When
 * `forget` is true, what was known of its health and tools is dropped, because it belonged to another address; with
 * `dropCredential` its credential, because it was for another host.
 */
export async function replace(
  db: Db,
  path: string,
  change: {
    definition: ServerInput;
    revision: number;
    at: string;
    forget: boolean;
    dropCredential?: boolean;
  },
): Promise<ServerRow> {
  const stored = await changing(
    db,
    'server',
    (trx) =>
      trx
        .updateTable('servers')
        .set((at) => ({
          definition: JSON.stringify(change.definition),
          updated_at: change.at,
          revision: at('revision', '+', 1),
          ...(change.forget ? { health: null, tools: null } : {}),
          ...(change.dropCredential ? { credential: null, egress: null } : {}),
        }))
        .where('path', '=', path)
        .where('revision', '=', change.revision)
        .returningAll()
        .executeTakeFirst(),
    pathOf,
  );
  if (!stored) throw changedMeanwhile(path);
  return rowOf(stored);
}

/** Switches the server at `path` on or off; undefined when there is none. Switching to the state it has changes nothing. */
export async function setEnabled(
  db: Db,
  path: string,
  change: { enabled: boolean; at: string },
): Promise<ServerRow | undefined> {
  const stored = await changing(
    db,
    'server',
    (trx) =>
      trx
        .updateTable('servers')
        .set((at) => ({
          is_enabled: Number(change.enabled),
          updated_at: change.at,
          revision: at('revision', '+', 1),
        }))
        .where('path', '=', path)
        .where('is_enabled', '=', Number(!change.enabled))
        .returningAll()
        .executeTakeFirst(),
    pathOf,
  );
  return stored ? rowOf(stored) : find(db, path);
}

/**
 * Keeps what a check found, if the server still has the revision that was checked; without `tools` the copy in store
 * stays. Returns undefined when the server was changed or removed meanwhile: the finding is then about something else.
 * Only a finding that differs from the one before is a change that followers are told of.
 */
export async function setHealth(
  db: Db,
  checked: ServerRow,
  found: { health: Health; tools: StoredTools | null },
): Promise<ServerRow | undefined> {
  return inTransaction(db, async (trx) => {
    const before = await trx
      .selectFrom('servers')
      // The tools are long: they are read only to be compared.
      .select(found.tools ? ['health', 'tools'] : ['health'])
      .where('id', '=', checked.id)
      .where('revision', '=', checked.revision)
      .executeTakeFirst();
    if (!before) return undefined;
    const [health, tools] = [JSON.stringify(found.health), found.tools && JSON.stringify(found.tools)];
    const { numUpdatedRows } = await trx
      .updateTable('servers')
      .set({ health, ...(tools ? { tools } : {}) })
      .where('id', '=', checked.id)
      .where('revision', '=', checked.revision)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return undefined;
    const isNews =
      comparable(before.health) !== comparable(health) ||
      (tools !== null && comparable(before.tools ?? null) !== comparable(tools));
    if (isNews) await recordChange(trx, 'server', checked.path);
    return { ...checked, health: found.health, tools: found.tools ?? checked.tools };
  });
}

/** A finding without when and how it was made: what has to differ for it to be news. */
function comparable(stored: string | null): string {
  const found = JSON.parse(stored ?? '{}') as Record<string, unknown>;
  const { checkedAt: _, fetchedAt: __, toolsAt: ___, mark: ____, ...rest } = found;
  return JSON.stringify(rest);
}

/** Stores another credential for a server if it still has the row's revision; otherwise `changed_meanwhile`. */
export function setCredential(
  db: Db,
  row: ServerRow,
  change: { credential: StoredCredential | null; at: string },
): Promise<ServerRow> {
  return setPart(db, row, 'credential', change.credential, change.at);
}

/** Stores how credentials go to a server if it still has the row's revision; otherwise `changed_meanwhile`. */
export function setEgress(
  db: Db,
  row: ServerRow,
  change: { egress: EgressSettings | null; at: string },
): Promise<ServerRow> {
  return setPart(db, row, 'egress', change.egress, change.at);
}

async function setPart(
  db: Db,
  row: ServerRow,
  column: 'credential' | 'egress',
  value: object | null,
  updatedAt: string,
): Promise<ServerRow> {
  const stored = await changing(
    db,
    'server',
    (trx) =>
      trx
        .updateTable('servers')
        .set((at) => ({
          [column]: value && JSON.stringify(value),
          updated_at: updatedAt,
          revision: at('revision', '+', 1),
        }))
        .where('id', '=', row.id)
        .where('revision', '=', row.revision)
        .returningAll()
        .executeTakeFirst(),
    pathOf,
  );
  if (!stored) throw changedMeanwhile(row.path);
  return rowOf(stored);
}

/** Stores the same credential under another key, which is no change of the server. */
export function storeResealed(db: Db, id: string, credential: StoredCredential): Promise<void> {
  return resealPart(db, id, { credential: JSON.stringify(credential) });
}

/** Stores the same arrangement with its secret under another key, which is no change of the server. */
export function storeResealedEgress(db: Db, id: string, egress: EgressSettings): Promise<void> {
  return resealPart(db, id, { egress: JSON.stringify(egress) });
}

async function resealPart(
  db: Db,
  id: string,
  part: { credential: string } | { egress: string },
): Promise<void> {
  const stored = (trx: Db) =>
    trx.updateTable('servers').set(part).where('id', '=', id).returning('path').executeTakeFirst();
  await changing(db, 'server', stored, pathOf);
}

/** Removes the server at `path` if it still has `revision`; otherwise `changed_meanwhile`. */
export async function remove(db: Db, path: string, revision: number): Promise<void> {
  const gone = await changing(
    db,
    'server',
    (trx) =>
      trx
        .deleteFrom('servers')
        .where('path', '=', path)
        .where('revision', '=', revision)
        .returning('path')
        .executeTakeFirst(),
    pathOf,
  );
  if (!gone) throw changedMeanwhile(path);
}

const pathOf = ({ path }: { readonly path: string }): readonly string[] => [path];

/** What definitions do not say that were stored before there was such a setting. */
const unsaid = { forward_authorization: false, pass_headers: [], call_timeout_seconds: null };

function rowOf(stored: Selectable<ServersTable>): ServerRow {
  return {
    id: stored.id,
    path: stored.path,
    definition: { ...unsaid, ...(JSON.parse(stored.definition) as Omit<ServerInput, keyof typeof unsaid>) },
    isEnabled: stored.is_enabled === 1,
    health: stored.health === null ? null : (JSON.parse(stored.health) as Health),
    tools: stored.tools === null ? null : (JSON.parse(stored.tools) as StoredTools),
    registeredBy: stored.registered_by,
    owner: stored.owner,
    registeredAt: stored.registered_at,
    updatedAt: stored.updated_at,
    revision: stored.revision,
    credential: stored.credential === null ? null : (JSON.parse(stored.credential) as StoredCredential),
    egress: stored.egress === null ? null : egressIn(stored.egress),
  };
}

/** What was stored before there was discovery says nothing of it. */
function egressIn(text: string): EgressSettings {
  const { discovery = 'none', ...said } = JSON.parse(text) as EgressSettings;
  return { ...said, discovery };
}
