import type { FileEntry } from '../../contract/files/entry.ts';
import { readTextFile } from '../input/json-file.ts';
import { type JsonPlaces, jsonPlaces } from '../input/json-places.ts';
import type { Terminal } from '../terminal.ts';
import { Trouble } from '../trouble.ts';

/** What a file describes, with the places in it where that is known. */
export interface ReadFile {
  /** What messages call it. */
  readonly name: string;
  readonly entries: readonly FileEntry[];
  /** Only of a file that is plain JSON: others have no places that a path could be looked up in. */
  readonly places: JsonPlaces | undefined;
}

/** Reads a file of this trade (`contract/files/read.ts`), or standard input for `-`. */
export async function readEntries(file: string, terminal: Terminal): Promise<ReadFile> {
  const { name, text } = await readTextFile(file, terminal);
  const { FileFault, readRegistryFile } = await import('../../contract/files/read.ts');
  try {
    const entries = readRegistryFile(text);
    const places = jsonPlaces(text);
    return { name, entries, places: places.fault ? undefined : places };
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    throw new Trouble(error.message.replace(/^The file/, name), {
      code: 'invalid_file',
      remedy: 'examples/server.json shows a complete registration.',
    });
  }
}
