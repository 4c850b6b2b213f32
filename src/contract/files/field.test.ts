import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { endpoints } from '../index.ts';
import { virtualServerDefinition } from '../servers/virtual-servers.ts';
import type { FileEntry } from './entry.ts';
import { readRegistryFile } from './read.ts';

/*
 * Files as they are found in the field, one directory a kind: registrations and group definitions of the system whose setup
 * guide we follow, configurations of clients, `server.json` of the official registry, A2A cards. `expected.json` says what
 * comes of each: whatever is taken must also be taken by the API.
 */
const root = new URL('field/', import.meta.url);
const expected = JSON.parse(readFileSync(new URL('expected.json', root), 'utf8')) as Record<string, unknown>;
const kinds = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const files = kinds.flatMap(({ name }) =>
  readdirSync(new URL(`${name}/`, root)).map((file) => `${name}/${file}`),
);

const takenBy: Readonly<Record<Exclude<FileEntry['kind'], 'refused'>, z.ZodType>> = {
  server: endpoints['servers.register'].body,
  agent: endpoints['agents.register'].body,
  scope: endpoints['scopes.import'].body,
  virtual_server: virtualServerDefinition,
  egress: endpoints['servers.configureEgress'].body,
};

function faultsOf(entry: FileEntry): string[] {
  if (entry.kind === 'refused') return [];
  const given =
    entry.kind === 'server' && entry.credential
      ? { ...entry.body, credential: entry.credential }
      : entry.body;
  return (takenBy[entry.kind].safeParse(given).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );
}

/** What is asserted of an entry: everything but an agent's card, which stays as it came. */
function summary(entry: FileEntry): object {
  const { kind, name, at } = entry;
  if (entry.kind === 'refused') return { kind, name, at, reason: entry.reason, remedy: entry.remedy };
  const body = entry.kind === 'agent' ? { path: entry.body.path } : entry.body;
  const credential = entry.kind === 'server' ? { credential: entry.credential } : {};
  return { kind, name, at, body, ...credential, notes: entry.notes };
}

test('at least ten files of each kind, each with what is expected of it', () => {
  expect(kinds.map(({ name }) => name).toSorted()).toEqual([
    'agents',
    'clients',
    'groups',
    'official',
    'registrations',
  ]);
  for (const { name } of kinds)
    expect(files.filter((file) => file.startsWith(`${name}/`)).length, name).toBeGreaterThanOrEqual(10);
  expect(Object.keys(expected).toSorted()).toEqual(files.toSorted());
});

describe.each(files)('%s', (file) => {
  const entries = readRegistryFile(readFileSync(new URL(file, root), 'utf8'));

  test('is read as expected', () => {
    expect(entries.map(summary)).toEqual(expected[file]);
  });

  test('what is taken of it is taken by the API', () => {
    expect(entries.flatMap(faultsOf)).toEqual([]);
  });
});
