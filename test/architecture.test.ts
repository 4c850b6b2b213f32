import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { expect, test } from 'vitest';

/** The rooms and whom each may import, besides itself and the leaves: docs/architecture.md, "Who may import whom". */
const mayImport: Record<string, readonly string[]> = {
  contract: [],
  cli: ['contract'],
  ui: ['contract'],
  samples: [],
  'entra-emulator': [],
  'server/access': ['contract'],
  'server/db': ['contract'],
  'server/audit': ['contract', 'server/db'],
  'server/identity': ['contract', 'server/db'],
  'server/iam': ['contract', 'server/identity'],
  'server/registry': [
    'contract',
    'server/db',
    'server/access',
    'server/audit',
    'server/identity',
    'server/iam',
  ],
  'server/gateway': ['contract', 'server/identity', 'server/access', 'server/registry', 'server/audit'],
  // It knows what the audit trail tells; where its other figures come from is passed in.
  'server/metrics': ['contract', 'server/audit'],
  'server/http': ['contract', 'server/identity', 'server/access', 'server/audit'],
};

/** Open to every server room except `access`; they import nothing of ours but the contract. */
const leaves = [
  'errors',
  'config',
  'config-entra',
  'config-oidc',
  'config-gateway',
  'setting',
  'settings',
  'settings-entra',
  'settings-oidc',
  'settings-gateway',
  'settings-operation',
  'settings-in-force',
  'ids',
  'log',
  'addresses',
  'connector',
  'proxy',
  'outbound',
].map((name) => `src/server/${name}.ts`);
/** They build the world and may import everything; nobody imports them. */
const builders = [
  ...['main', 'app', 'evaluation', 'tools'].map((name) => `src/server/${name}.ts`),
  ...['accounts', 'base', 'ending', 'heap', 'identity', 'inventory', 'planes', 'serve'].map(
    (name) => `src/server/start/${name}.ts`,
  ),
];

/** Files that may exceed 400 lines, each with the reason. */
const longFiles: Record<string, string> = {};

/** Files that may read process.env. */
const readsEnvironment = ['src/server/config.ts', 'src/cli/main.ts'];
/** Files that may open connections of their own: everything else goes through outbound.ts. */
const opensConnections = [
  'src/server/outbound.ts',
  'src/server/connector.ts',
  'src/server/proxy.ts',
  'src/server/gateway/forward.ts',
  'src/server/gateway/upstream.ts',
  'src/contract/client.ts',
];

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((name) => posix.join('src', name.replaceAll('\\', '/')))
  .filter((name) => /\.tsx?$/.test(name));
const sources = files.filter((name) => !/\.test(-support)?\.tsx?$/.test(name));

function roomOf(file: string): string | undefined {
  return Object.keys(mayImport)
    .sort((a, b) => b.length - a.length)
    .find((room) => file.startsWith(`src/${room}/`));
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path]) =>
    posix.normalize(join(dirname(file), path ?? '')),
  );
}

test('every source file is in a room or is named as a leaf or a builder', () => {
  expect(
    sources.filter((file) => !roomOf(file) && !leaves.includes(file) && !builders.includes(file)),
  ).toEqual([]);
});

test('rooms import only the rooms that the table allows', () => {
  const broken: string[] = [];
  for (const file of sources) {
    if (builders.includes(file)) continue;
    const room = roomOf(file);
    for (const target of importsOf(file)) {
      if (!target.startsWith('src/')) continue;
      if (builders.includes(target)) broken.push(`${file} imports the builder ${target}`);
      else if (leaves.includes(target)) {
        const open = leaves.includes(file) || (room?.startsWith('server/') && room !== 'server/access');
        if (!open) broken.push(`${file} imports the leaf ${target}`);
      } else {
        const other = roomOf(target);
        const allowed = room ? [room, ...(mayImport[room] ?? [])] : ['contract'];
        if (!other || !allowed.includes(other)) broken.push(`${file} imports ${target}`);
      }
    }
  }
  expect(broken).toEqual([]);
});

test('there are no import cycles', () => {
  const graph = new Map(
    sources.map((file) => [file, importsOf(file).filter((target) => sources.includes(target))]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, trail: string[]): void => {
    if (trail.includes(file)) cycles.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
    if (done.has(file) || trail.includes(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of sources) visit(file, []);
  expect(cycles).toEqual([]);
});

test('no file is longer than 400 lines, and app.ts stays a table of contents of 120', () => {
  const long = sources
    .map((file) => [file, readFileSync(file, 'utf8').split('\n').length - 1] as const)
    .filter(([file, lines]) => lines > (file === 'src/server/app.ts' ? 120 : 400) && !(file in longFiles));
  expect(long).toEqual([]);
});

test('exceptions of the size rule name files that exist and need it', () => {
  const stale = Object.keys(longFiles).filter(
    (file) => !sources.includes(file) || readFileSync(file, 'utf8').split('\n').length <= 400,
  );
  expect(stale).toEqual([]);
});

test('only the configuration reads the environment', () => {
  const readers = sources.filter((file) => /process\.env\b/.test(readFileSync(file, 'utf8')));
  expect(readers.filter((file) => !readsEnvironment.includes(file))).toEqual([]);
});

test('only the named files open connections of their own', () => {
  const callers = sources.filter(
    (file) =>
      file.startsWith('src/server/') &&
      /(?<![.\w])fetch\(|\bhttps?\.(?:request|get)\(|from 'undici'/.test(readFileSync(file, 'utf8')),
  );
  expect(callers.filter((file) => !opensConnections.includes(file))).toEqual([]);
});

test('there are no drawers: utils, helpers, common, lib, types, shared', () => {
  expect(
    files.filter((file) => /\/(utils?|helpers?|common|lib|types|shared)(\/|\.tsx?$)/.test(file)),
  ).toEqual([]);
});
