import { z } from 'zod';
import { asFailure, Failure } from '../../../failure/errors.ts';
import { GraphFailure } from '../../../provider/graph-failure.ts';
import { ifFound } from '../../../provider/not-there.ts';
import { settled } from '../settled.ts';
import type { SetupWorld } from './step.ts';

const text = z.string().nullish();
const binned = z.looseObject({
  id: z.string(),
  displayName: text,
  appId: text,
  uniqueName: text,
  deletedDateTime: text,
  tags: z.array(z.string()).nullish(),
});

/** Something in the bin, where it keeps its unique name for 30 days. */
export type Deleted = z.output<typeof binned>;
type Kind = keyof typeof own;

/** What only some kinds have. */
const own = {
  application: 'appId,uniqueName,tags',
  servicePrincipal: 'appId,tags',
  group: 'uniqueName',
};

/** What setup made under that name and somebody has deleted; undefined when there is nothing. */
export async function findDeleted(
  world: SetupWorld,
  kind: Kind,
  uniqueName: string,
  appId?: string,
): Promise<Deleted | undefined> {
  const all = await listDeleted(world, kind, uniqueName);
  return all.find((one) => appId === undefined || one.appId === appId);
}

async function listDeleted({ graph, wish }: SetupWorld, kind: Kind, uniqueName: string): Promise<Deleted[]> {
  const path = `/directory/deletedItems/microsoft.graph.${kind}`;
  // Some lists leave properties out unless they are asked for.
  const query = { $select: `id,displayName,deletedDateTime,${own[kind]}` };
  const all = await graph.list(path, binned, { eventual: true, query });
  return all.filter((one) => one.uniqueName === uniqueName || one.tags?.includes(wish.tag));
}

/** What the plan says of a deleted thing: what becomes of it, and how to have it otherwise. */
export function linesOn(
  { wish }: SetupWorld,
  { displayName, deletedDateTime }: Deleted,
  what: string,
): string[] {
  const name = `the ${what} '${displayName ?? 'without a name'}', deleted ${deletedDateTime?.slice(0, 10) ?? 'before'}`;
  return wish.purgesDeleted
    ? [`purge ${name}, for good, and create it again`]
    : [`restore ${name} (with --purge-deleted it is purged and created again)`];
}

/** Restores what was deleted; whether it did. With `--purge-deleted` it is purged instead, to be made anew. */
export async function bringBack(
  world: SetupWorld,
  kind: Kind,
  uniqueName: string,
  appId?: string,
): Promise<boolean> {
  const found = await findDeleted(world, kind, uniqueName, appId);
  if (!found) return false;
  const name = `'${found.displayName ?? uniqueName}', deleted ${found.deletedDateTime?.slice(0, 10) ?? 'before'}`;
  if (world.wish.purgesDeleted) {
    await purge(world, found.id, name);
    world.say(`purged: ${name}`);
    return false;
  }
  await world.graph.send('POST', `/directory/deletedItems/${found.id}/restore`, { body: {} });
  // The bin may have shown it only after the plan was agreed to.
  world.say(`restored: ${name}`);
  return true;
}

/**
 * Takes what was just deleted out of the bin too, and comes back when it is neither there nor in the directory: the bin
 * may know of a deletion late. Throws a Failure that says what is left when that cannot be seen.
 */
export async function purge(world: SetupWorld, id: string, what: string): Promise<void> {
  const { graph } = world;
  try {
    await settled({ ...world, patience: 8 }, () => graph.send('DELETE', `/directory/deletedItems/${id}`));
  } catch (error) {
    if (asFailure(error).code !== 'not_found') throw error;
    throw new StillThere(
      what,
      'is deleted, but the bin does not show it yet, so it could not be purged',
      true,
    );
  }
  const path = `/directory/deletedItems/${id}`;
  const isLeft = await ifFound(graph.get(path, z.looseObject({ id: z.string() })));
  if (isLeft) throw new StillThere(what, 'is still in the bin', false);
}

/** Purges all that was deleted under that name; answers what was there. */
export async function purgeDeleted(world: SetupWorld, kind: Kind, uniqueName: string): Promise<Deleted[]> {
  const all = await listDeleted(world, kind, uniqueName);
  for (const one of all) await purge(world, one.id, `'${one.displayName ?? uniqueName}'`);
  return all;
}

/** Something is not gone, as far as can be seen. */
export class StillThere extends Failure {
  /** True where the bin does not show it, so that it may come yet or be gone already. */
  readonly isUnseen: boolean;
  constructor(what: string, why: string, isUnseen: boolean) {
    super(
      'directory_unavailable',
      `Not everything is removed: ${what} ${why}, and its name stays taken. Run setup with --remove again in some minutes.`,
    );
    this.isUnseen = isUnseen;
  }
}

/** Restores or makes something by its name, and waits while the name is kept by what the bin does not show yet. */
export async function settledName(world: SetupWorld, what: string, act: () => Promise<void>): Promise<void> {
  try {
    await settled(world, act, isNameTaken);
  } catch (error) {
    if (!isNameTaken(error) || asFailure(error).code === 'not_found') throw error;
    throw new Failure(
      'conflict',
      `${what} was deleted, keeps its name for 30 days, and the bin does not show it yet. Run setup again in some minutes: it ` +
        'is restored then, or purged with --purge-deleted. Or set up under another --name.',
      { cause: error },
    );
  }
}

/** Whether an upsert met a name that a deleted object keeps, or something that is not known everywhere yet. */
function isNameTaken(error: unknown): boolean {
  if (error instanceof Failure && error.code === 'not_found') return true;
  return (
    error instanceof GraphFailure && error.graph.status === 400 && /property uniqueName/.test(error.message)
  );
}
