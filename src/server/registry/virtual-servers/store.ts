import type { Selectable } from 'kysely';
import {
  type VirtualServerDefinition,
  virtualServerDefinition,
} from '../../../contract/servers/virtual-servers.ts';
import { recordChange } from '../../changes/record.ts';
import type { Db, VirtualServersTable } from '../../db/tables.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { changedMeanwhile, type Revised } from '../revision.ts';

/** A virtual server as it is stored. */
export interface VirtualServerRow extends Revised {
  readonly id: string;
  /** Whose personal one it is; empty for a shared one. */
  readonly owner: string;
  readonly definition: VirtualServerDefinition;
  readonly isEnabled: boolean;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What stands for a person as the owner of personal virtual servers. */
export function ownerOf({ provider, subject }: Pick<Identity, 'provider' | 'subject'>): string {
  return JSON.stringify([provider, subject]);
}

/** Stores a new virtual server; a path in use is a `conflict`. */
export async function insert(
  db: Db,
  made: { id: string; owner: string; definition: VirtualServerDefinition; createdBy: string; at: string },
): Promise<VirtualServerRow> {
  const { id, owner, definition, createdBy, at } = made;
  const stored = await changing(db, definition.path, (trx) =>
    trx
      .insertInto('virtual_servers')
      .values({
        ...{ id, owner, path: definition.path, revision: 1, created_by: createdBy },
        ...{ created_at: at, updated_at: at },
        ...columnsOf(definition),
      })
      .onConflict((conflict) => conflict.columns(['path', 'owner']).doNothing())
      .returningAll()
      .executeTakeFirst(),
  );
  if (stored) return rowOf(stored);
  throw new Failure(
    'conflict',
    `There is a virtual server at '${definition.path}' already. Change that one (PUT /api/virtual-servers${definition.path.slice('/virtual'.length)}), remove it, or choose another path.`,
  );
}

/** The virtual server at `path`: the owner's for a personal path, the shared one for others. */
export async function find(db: Db, path: string, owner: string): Promise<VirtualServerRow | undefined> {
  const stored = await db
    .selectFrom('virtual_servers')
    .selectAll()
    .where('path', '=', path)
    .where('owner', '=', owner)
    .executeTakeFirst();
  return stored && rowOf(stored);
}

/** All virtual servers, or those of one path, by path. */
export async function listVirtualServers(db: Db, path?: string): Promise<VirtualServerRow[]> {
  const all = db.selectFrom('virtual_servers').selectAll().orderBy('path');
  return (await (path === undefined ? all : all.where('path', '=', path)).execute()).map(rowOf);
}

/** Changes a virtual server if it still has the row's revision; otherwise `changed_meanwhile`. */
export async function change(
  db: Db,
  row: VirtualServerRow,
  to: { definition: VirtualServerDefinition; at: string },
): Promise<VirtualServerRow> {
  const stored = await changing(db, row.path, (trx) =>
    trx
      .updateTable('virtual_servers')
      .set((column) => ({
        ...columnsOf(to.definition),
        updated_at: to.at,
        revision: column('revision', '+', 1),
      }))
      .where('id', '=', row.id)
      .where('revision', '=', row.revision)
      .returningAll()
      .executeTakeFirst(),
  );
  if (!stored) throw changedMeanwhile(row.path);
  return rowOf(stored);
}

/** Removes a virtual server if it still has the row's revision; otherwise `changed_meanwhile`. */
export async function remove(db: Db, row: VirtualServerRow): Promise<void> {
  const gone = await changing(db, row.path, (trx) =>
    trx
      .deleteFrom('virtual_servers')
      .where('id', '=', row.id)
      .where('revision', '=', row.revision)
      .returning('id')
      .executeTakeFirst()
      .then(async (found) => {
        if (found) await trx.deleteFrom('virtual_ratings').where('virtual_id', '=', row.id).execute();
        return found;
      }),
  );
  if (!gone) throw changedMeanwhile(row.path);
}

/** Does a change and, when it found something to change, records it in the same transaction. */
async function changing<T>(db: Db, path: string, work: (trx: Db) => Promise<T>): Promise<T> {
  const both = async (trx: Db): Promise<T> => {
    const done = await work(trx);
    if (done !== undefined) await recordChange(trx, 'virtual_server', path);
    return done;
  };
  return db.isTransaction ? both(db) : db.transaction().execute(both);
}

function columnsOf(
  definition: VirtualServerDefinition,
): Pick<VirtualServersTable, 'definition' | 'is_enabled'> {
  return { definition: JSON.stringify(definition), is_enabled: Number(definition.is_enabled) };
}

function rowOf(stored: Selectable<VirtualServersTable>): VirtualServerRow {
  return {
    id: stored.id,
    path: stored.path,
    owner: stored.owner,
    // By its schema, so that members that a later version adds have their defaults.
    definition: virtualServerDefinition.parse(JSON.parse(stored.definition)),
    isEnabled: stored.is_enabled === 1,
    createdBy: stored.created_by,
    createdAt: stored.created_at,
    updatedAt: stored.updated_at,
    revision: stored.revision,
  };
}
