import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { textOfFile } from '../../contract/values/file-text.ts';
import type { Terminal } from '../terminal.ts';
import { Trouble } from '../trouble.ts';
import { allOf } from './confirm.ts';
import { type JsonPlaces, jsonPlaces } from './json-places.ts';

/** A JSON file that was read. */
export interface JsonFile {
  /** What messages call it. */
  readonly name: string;
  readonly text: string;
  readonly value: unknown;
  readonly places: JsonPlaces;
}

/** Reads a text file, or standard input for `-`, without a byte order mark; `name` is what messages call it. */
export async function readTextFile(
  file: string,
  terminal: Terminal,
): Promise<{ name: string; text: string }> {
  const name = file === '-' ? 'standard input' : file;
  return { name, text: (await readWhole(file, terminal)).replace(/^\ufeff/, '') };
}

/** Reads a JSON file, or standard input for `-`; a fault is told with line and column. */
export async function readJsonFile(file: string, terminal: Terminal): Promise<JsonFile> {
  const { name, text } = await readTextFile(file, terminal);
  const places = jsonPlaces(text);
  const { fault } = places;
  if (fault)
    throw new Trouble(
      `${name} is not valid JSON: line ${fault.line}, column ${fault.column}: ${fault.message}.`,
      { code: 'invalid_file' },
    );
  return { name, text, value: JSON.parse(text) as unknown, places };
}

/** `line 3, column 7: tags.0: <message>`: a fault at a path of a JSON file; what is missing stands where its parent does. */
export function faultLine({ at }: JsonPlaces, path: string, message: string): string {
  let place = at(path);
  for (let parent = path; !place && parent !== ''; ) {
    parent = parent.slice(0, Math.max(0, parent.lastIndexOf('.')));
    place = at(parent);
  }
  return `line ${place?.line}, column ${place?.column}: ${path ? `${path}: ` : ''}${message}`;
}

async function readWhole(file: string, { stdin, cwd }: Terminal): Promise<string> {
  if (file === '-') return allOf(stdin);
  try {
    return textOfFile(await readFile(resolve(cwd, file)));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    const missing = code === 'ENOENT';
    throw new Trouble(`${file} ${missing ? 'does not exist' : `cannot be read (${code})`}.`, {
      code: missing ? 'no_file' : 'unreadable_file',
      cause,
    });
  }
}
