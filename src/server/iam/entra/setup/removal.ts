import { z } from 'zod';
import { asFailure, Failure } from '../../../failure/errors.ts';
import { ifFound, ifThere } from '../../../provider/not-there.ts';
import { purge, StillThere } from './bin.ts';
import type { SetupWorld, Step } from './step.ts';

/** Where a removal notes what it is about to delete: the id by which it is purged is known nowhere else afterwards. */
const notesFile = '.setup-entra-removal.json';
/** Milliseconds after which the bin will not show a deletion any more that it has not shown: it was purged before. */
const longestLag = 600_000;

const note = z.object({ id: z.string(), path: z.string(), what: z.string(), at: z.number() });
type Note = z.output<typeof note>;

/** Something to delete for good. */
export interface Discarded {
  readonly id: string;
  readonly path: string;
  /** In words, such as `the registration 'x'`. */
  readonly what: string;
}

/**
 * Deletes the first of some things, which takes the others along, and purges them all by `purgeOne`. A process that is
 * killed in between leaves notes, with which the next removal goes on.
 */
export async function discard(
  world: SetupWorld,
  all: readonly [Discarded, ...Discarded[]],
  purgeOne: (one: Discarded) => Promise<unknown> = (one) => purge(world, one.id, one.what),
): Promise<void> {
  const notes = all.map(({ id, path, what }): Note => ({ id, path, what, at: world.now() }));
  await writeNotes(world, [...(await readNotes(world)), ...notes]);
  await ifThere(() => world.graph.send('DELETE', all[0].path));
  for (const one of all) {
    await purgeOne(one);
    await forget(world, one.id);
  }
}

/** Goes on where a removal was killed between deleting and purging; undone first of all steps. */
export const unfinishedRemoval: Step = {
  id: 'unfinished-removal',
  title: 'Finish a removal that was interrupted',
  plan: async () => [],
  apply: async () => {},
  async undo(world, removed) {
    const failures: Failure[] = [];
    for (const one of await readNotes(world))
      try {
        const what = await finish(world, one);
        await forget(world, one.id);
        if (what) removed(what);
      } catch (error) {
        failures.push(asFailure(error));
      }
    const [first] = failures;
    if (first)
      throw new Failure(first.code, failures.map(({ message }) => message).join(' '), { cause: first });
    return [];
  },
};

/** What is gone now, in words; undefined for what was not even deleted: the other steps find that. */
async function finish(world: SetupWorld, { id, path, what, at }: Note): Promise<string | undefined> {
  if (await ifFound(world.graph.get(path, z.looseObject({ id: z.string() })))) return undefined;
  try {
    await purge(world, id, what);
    return what;
  } catch (error) {
    // Not seen, and long enough ago: the process was killed after the purge, before it could note that.
    if (!(error instanceof StillThere && error.isUnseen)) throw error;
    if (world.now() - at <= longestLag)
      throw new Failure(
        error.code,
        `Whether ${what} is gone is not known: a removal that was interrupted deleted it, and the bin does not show it, or not ` +
          'yet. Run setup with --remove again in some minutes.',
        { cause: error },
      );
    return `${what} (deleted ${new Date(at).toISOString().slice(0, 16)}; the bin does not have it)`;
  }
}

async function readNotes({ files }: SetupWorld): Promise<Note[]> {
  const text = await files.read(notesFile);
  try {
    return z.array(note).parse(JSON.parse(text ?? '[]'));
  } catch {
    return [];
  }
}

async function writeNotes({ files }: SetupWorld, notes: readonly Note[]): Promise<void> {
  await (notes.length === 0
    ? files.remove(notesFile)
    : files.write(notesFile, `${JSON.stringify(notes, null, 2)}\n`));
}

async function forget(world: SetupWorld, id: string): Promise<void> {
  await writeNotes(
    world,
    (await readNotes(world)).filter((one) => one.id !== id),
  );
}
