import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'corpus');

/** The inputs that earlier runs kept for a target: one line each, base64. */
export function readCorpus(target: string): Buffer[] {
  const file = join(folder, `${target}.txt`);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => Buffer.from(line, 'base64'));
}

/** Keeps what a run found; of equal inputs one. */
export function keepCorpus(target: string, found: readonly Buffer[], most: number): void {
  mkdirSync(folder, { recursive: true });
  const known = new Map([...readCorpus(target), ...found].map((input) => [input.toString('base64'), input]));
  const small = [...known.values()].sort((a, b) => a.length - b.length).slice(0, most);
  writeFileSync(
    join(folder, `${target}.txt`),
    small.map((input) => `${input.toString('base64')}\n`).join(''),
  );
}

/** Writes the input that broke a promise where it can be looked at, and returns the file. */
export function keepCrash(target: string, input: Buffer): string {
  const name = createHash('sha256').update(input).digest('hex').slice(0, 12);
  mkdirSync(join(folder, 'crashes'), { recursive: true });
  const file = join(folder, 'crashes', `${target}-${name}`);
  writeFileSync(file, input);
  return file;
}

/** What broke a promise once, so that it never does again. */
export function readCrashes(target: string): { name: string; input: Buffer }[] {
  const crashes = join(folder, 'crashes');
  if (!existsSync(crashes)) return [];
  return readdirSync(crashes)
    .filter((name) => name.startsWith(`${target}-`))
    .map((name) => ({ name, input: readFileSync(join(crashes, name)) }));
}
