import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { allOf } from './confirm.ts';
import { type JsonPlaces, jsonPlaces } from './json-places.ts';
import type { Terminal } from './terminal.ts';
import { Trouble } from './trouble.ts';

/** A JSON file that was read. */
export interface JsonFile {
  /** How messages name it. */
  readonly name: string;
  readonly text: string;
  readonly value: unknown;
  readonly places: JsonPlaces;
}

/** Reads a JSON file, or standard input for `-`; a trouble says what and where it is that cannot be read. */
export async function readJsonFile(file: string, terminal: Terminal): Promise<JsonFile> {
  const name = file === '-' ? 'standard input' : file;
  const text = (await readText(file, terminal)).replace(/^\ufeff/, '');
  const places = jsonPlaces(text);
  const { fault } = places;
  if (fault)
    throw new Trouble(
      `${name} is not valid JSON: line ${fault.line}, column ${fault.column}: ${fault.message}.`,
    );
  return { name, text, value: JSON.parse(text), places };
}

async function readText(file: string, { stdin, cwd }: Terminal): Promise<string> {
  if (file === '-') return allOf(stdin);
  try {
    return await readFile(resolve(cwd, file), 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new Trouble(`${file} ${code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`}.`, {
      cause,
    });
  }
}
