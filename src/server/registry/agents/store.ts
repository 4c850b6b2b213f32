import type { Selectable } from 'kysely';
import { type AgentInterface, interfacesOf, summaryOf } from '../../../contract/agents/agent-card.ts';
import type { AgentNotes } from '../../../contract/agents/agents.ts';
import { changing } from '../../changes/record.ts';
import type { AgentsTable, Db } from '../../db/tables.ts';
import { Failure } from '../../failure/errors.ts';
import { changedMeanwhile, type Revised } from '../revision.ts';
import type { Description } from './description.ts';

/** What lists show of an agent: read from its card once, when it is stored. */
interface Extract {
  readonly notes: AgentNotes;
  readonly summary: ReturnType<typeof summaryOf>;
  /** The ways to reach it, the preferred one first. */
  readonly interfaces: readonly AgentInterface[];
}

/** A registered agent as lists need it: without its card. */
export interface ListedAgent extends Revised, Extract {
  readonly id: string;
  readonly isEnabled: boolean;
  readonly registeredBy: string;
  readonly registeredAt: string;
  readonly updatedAt: string;
}

/** A registered agent as it is stored. */
export interface AgentRow extends ListedAgent {
  /** The text of the card as it was registered. */
  readonly card: string;
}

const listed = [
  'id',
  'path',
  'definition',
  'is_enabled',
  'registered_by',
  'registered_at',
  'updated_at',
  'revision',
] as const;

/** Stores a new agent; a path in use is a `conflict`. */
export async function insert(
  db: Db,
  made: {
    id: string;
    path: string;
    description: Description;
    isEnabled: boolean;
    registeredBy: string;
    at: string;
  },
): Promise<AgentRow> {
  const { id, path, at } = made;
  const stored = await changing(
    db,
    'agent',
    (trx) =>
      trx
        .insertInto('agents')
        .values({
          ...{ id, path, revision: 1, registered_at: at, updated_at: at, registered_by: made.registeredBy },
          ...columnsOf(made.description),
          is_enabled: Number(made.isEnabled),
        })
        .onConflict((conflict) => conflict.column('path').doNothing())
        .returningAll()
        .executeTakeFirst(),
    pathOf,
  );
  if (stored) return rowOf(stored);
  throw new Failure(
    'conflict',
    `An agent is already registered at '${path}'. Change it (PUT or PATCH /api/agents${path}), remove it, or choose another path.`,
  );
}

/** The agent at `path`; undefined when there is none. */
export async function find(db: Db, path: string): Promise<AgentRow | undefined> {
  const stored = await db.selectFrom('agents').selectAll().where('path', '=', path).executeTakeFirst();
  return stored && rowOf(stored);
}

/** All agents, without their cards. */
export async function listAgents(db: Db): Promise<ListedAgent[]> {
  return (await db.selectFrom('agents').select(listed).execute()).map(listedOf);
}

/** Changes an agent if it still has the row's revision; otherwise `changed_meanwhile`. What is not given stays. */
export async function change(
  db: Db,
  row: Revised,
  to: { description?: Description; isEnabled?: boolean | undefined; at: string },
): Promise<AgentRow> {
  const stored = await changing(
    db,
    'agent',
    (trx) =>
      trx
        .updateTable('agents')
        .set((column) => ({
          ...(to.description ? columnsOf(to.description) : {}),
          ...(to.isEnabled === undefined ? {} : { is_enabled: Number(to.isEnabled) }),
          updated_at: to.at,
          revision: column('revision', '+', 1),
        }))
        .where('path', '=', row.path)
        .where('revision', '=', row.revision)
        .returningAll()
        .executeTakeFirst(),
    pathOf,
  );
  if (!stored) throw changedMeanwhile(row.path);
  return rowOf(stored);
}

/** Removes an agent if it still has the row's revision; otherwise `changed_meanwhile`. */
export async function remove(db: Db, { path, revision }: Revised): Promise<void> {
  const gone = await changing(
    db,
    'agent',
    (trx) =>
      trx
        .deleteFrom('agents')
        .where('path', '=', path)
        .where('revision', '=', revision)
        .returning('path')
        .executeTakeFirst(),
    pathOf,
  );
  if (!gone) throw changedMeanwhile(path);
}

const pathOf = ({ path }: Pick<AgentsTable, 'path'>): readonly string[] => [path];

function columnsOf({ card, text, notes }: Description): Pick<AgentsTable, 'card' | 'definition'> {
  const extract: Extract = { notes, summary: summaryOf(card), interfaces: interfacesOf(card) };
  return { card: text, definition: JSON.stringify(extract) };
}

function rowOf(stored: Selectable<AgentsTable>): AgentRow {
  return { ...listedOf(stored), card: stored.card };
}

function listedOf(stored: Pick<Selectable<AgentsTable>, (typeof listed)[number]>): ListedAgent {
  return {
    ...(JSON.parse(stored.definition) as Extract),
    ...{ id: stored.id, path: stored.path, revision: stored.revision },
    isEnabled: stored.is_enabled === 1,
    registeredBy: stored.registered_by,
    registeredAt: stored.registered_at,
    updatedAt: stored.updated_at,
  };
}
