import { isMap, parseDocument } from 'yaml';
import type { Place } from './clients.ts';

/** The file cannot be changed without losing something of it. */
export class NotEditable extends Error {}

/**
 * The text of a client's configuration with the entry set under its name; everything else in it stays as it is, comments and
 * order included. Throws NotEditable when the text is not what the client itself would take.
 */
export async function withEntry(text: string, key: string, place: Place): Promise<string> {
  if (place.format === 'toml') return inToml(text, key, place);
  if (place.format === 'yaml') return inYaml(text, key, place);
  return inJson(text, key, place);
}

async function inJson(text: string, key: string, { list, entry }: Place): Promise<string> {
  const { applyEdits, modify, parse } = await import('jsonc-parser');
  const given = text.trim() === '' ? '{}\n' : text;
  const faults: { offset: number }[] = [];
  const value: unknown = parse(given, faults as never[], { allowTrailingComma: true });
  if (faults.length > 0 || typeof value !== 'object' || value === null || Array.isArray(value))
    throw new NotEditable('it is not a valid JSON object');
  const indent = /^([ \t]+)"/m.exec(given)?.[1] ?? '  ';
  const formattingOptions = {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: '\n',
  };
  return applyEdits(given, modify(given, [...list, key], entry, { formattingOptions }));
}

/** Codex's file: the table of the server is replaced or put at the end; TOML has no editor that keeps comments. */
async function inToml(text: string, key: string, { list, entry }: Place): Promise<string> {
  const { parse, stringify } = await import('smol-toml');
  try {
    parse(text);
  } catch {
    throw new NotEditable('it is not valid TOML');
  }
  const name = [...list, key].map((part) => (/^[\w-]+$/.test(part) ? part : JSON.stringify(part))).join('.');
  const kept: string[] = [];
  let inTable = false;
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed.startsWith('[')) inTable = trimmed === `[${name}]` || trimmed.startsWith(`[${name}.`);
    if (!inTable) kept.push(line);
  }
  const rest = kept.join('\n').trimEnd();
  const table = `[${name}]\n${stringify(entry).trimEnd()}\n`;
  const changed = rest === '' ? table : `${rest}\n\n${table}`;
  parse(changed);
  return changed;
}

function inYaml(text: string, key: string, { list, entry }: Place): string {
  const document = parseDocument(text);
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents)))
    throw new NotEditable('it is not valid YAML');
  document.setIn([...list, key], document.createNode(entry));
  return document.toString();
}
