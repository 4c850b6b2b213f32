import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { expect, test } from 'vitest';

/**
 * The floors of `src/server`, top down: a room may import rooms on lower floors, never one above it. Rooms on one floor
 * do not import each other unless `siblings` names the pair. docs/architecture.md, "Who may import whom".
 */
const floors: readonly (readonly string[])[] = [
  ['virtual'],
  ['gateway'],
  ['registry'],
  ['http', 'search', 'egress', 'oauth'],
  ['iam'],
  ['identity'],
  ['provider', 'access', 'audit', 'metrics'],
  ['changes', 'db'],
  ['net', 'failure', 'config'],
];

/** Pairs on one floor that may import each other, with the reason. */
const siblings: Readonly<Record<string, string>> = {
  'metrics > audit': 'the figures are counted from what the trail is told',
  'changes > db': 'a change is a row of the database',
  'db > changes': 'stores write changes in their own transaction',
  'oauth > http': 'consent is a page: it knows people by the session cookie, and is mounted as pages are',
  'net > config': 'the way out is set by settings',
  'net > failure': 'what cannot be reached is a failure',
  'config > net': 'settings are checked with the address rules that the way out applies',
  'config > failure': 'faults of settings are failures',
};

/** Rooms outside the server, and whom each may import besides itself. */
const outside: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  cli: ['contract'],
  ui: ['contract'],
  samples: [],
  'entra-emulator': [],
};

/** Rooms whose rules are stricter than their floor: pure code that imports the contract alone. */
const strict: Readonly<Record<string, readonly string[]>> = { access: ['contract'] };

/** Open to every server room except `access`. */
const leaves = ['ids', 'log', 'thread'].map((name) => `src/server/${name}.ts`);
/** They build the world and may import everything; nobody imports them. */
const isBuilder = (file: string): boolean => /^src\/server\/(?:(?:main|app)\.ts$|start\/)/.test(file);

function mayImport(room: string): readonly string[] {
  if (!room.startsWith('server/')) return outside[room] ?? [];
  const name = room.slice('server/'.length);
  if (strict[name]) return strict[name];
  const floor = floors.findIndex((rooms) => rooms.includes(name));
  const below = floors.slice(floor + 1).flat();
  const beside = (floors[floor] ?? []).filter((other) => siblings[`${name} > ${other}`]);
  return ['contract', ...[...below, ...beside].map((other) => `server/${other}`)];
}

/** Files that may exceed 400 lines, each with the reason. */
const longFiles: Record<string, string> = {
  'src/server/db/tables.ts': 'one interface a table: the schema is read in one place',
  'src/ui/words/de.ts': 'the words of one language are in one place, in their order',
};

/** Folders that may have more than 20 files, each with the reason. */
const fullFolders: Readonly<Record<string, string>> = {
  'src/server/db/migrations': 'a migration is a file, and none is ever changed or joined with another',
};

/** Files of under 40 lines with one importer that stay files of their own, each with the reason. */
const smallFiles: Readonly<Record<string, string>> = {
  'src/samples/flight-booking.ts': 'a sample is a file, as the others are',
  'src/server/audit/sinks/index.ts': 'the table of sinks, which a new one joins',
  'src/server/db/sqlite/reading-thread.ts': 'a thread starts in a file of its own',
  'src/server/iam/index.ts': 'the table of directories, which a new one joins',
  'src/server/iam/cognito/create.ts': 'each directory is created in the file of that name',
  'src/server/iam/entra/directory/create.ts': 'each directory is created in the file of that name',
  'src/server/iam/entra/doctor/run.ts': 'the table of checks, which a new one joins',
  'src/server/registry/users/handlers.ts': 'the endpoints of each entity are found in a file of that name',
  'src/ui/agents/card-skills.ts': 'tested without a browser, which its importer needs',
  'src/ui/audit/audit-changes.ts': 'tested without a browser, which its importer needs',
  'src/ui/mine/browser-words.ts': 'tested without a browser, which its importer needs',
  'src/ui/server/health-spans.ts': 'tested without a browser, which its importer needs',
};

/** Files that may read process.env. */
const readsEnvironment = ['src/server/config/config.ts', 'src/cli/main.ts'];
/** Files that may open connections of their own: everything else goes through outbound.ts. */
const opensConnections = [
  'src/server/net/outbound.ts',
  'src/server/net/plain.ts',
  'src/server/net/connector.ts',
  'src/server/net/messages-out.ts',
  'src/server/net/proxy.ts',
  'src/server/gateway/forward.ts',
  'src/server/gateway/upstream/upstream.ts',
  'src/server/virtual/member.ts',
  'src/contract/client.ts',
];

/** The listeners of the feed, which alone change what is kept in memory. */
const tellsByFeed = [
  'src/server/identity/identify.ts: memberships.forget(',
  'src/server/registry/servers/routes.ts: routes.set(',
  'src/server/registry/servers/routes.ts: routes.delete(',
];
/** Tables of which something is kept in memory. */
const cachedTables = [
  'servers',
  'agents',
  'scopes',
  'people',
  'cutoffs',
  'tokens',
  'sessions',
  'm2m_clients',
];
/** Files that write to such a table what no cache depends on, with the reason. */
const writesSilently: Record<string, string> = {
  'src/server/db/migrations/0028-wildcard.ts': 'a migration runs before anything is remembered',
  'src/server/identity/personal-token.ts': 'a new token is in no cache',
};

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((name) => posix.join('src', name.replaceAll('\\', '/')))
  .filter((name) => /\.tsx?$/.test(name));
const sources = files.filter((name) => !/\.test(-support)?\.tsx?$/.test(name));

function roomOf(file: string): string | undefined {
  const [, inServer, elsewhere] = /^src\/(?:server\/([^/]+)\/|([^/]+)\/)/.exec(file) ?? [];
  if (inServer) return floors.flat().includes(inServer) ? `server/${inServer}` : undefined;
  return elsewhere && elsewhere in outside ? elsewhere : undefined;
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path]) =>
    posix.normalize(join(dirname(file), path ?? '')),
  );
}

/** The ways of a graph that come back to where they begin. */
function cyclesOf(graph: ReadonlyMap<string, Iterable<string>>): string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (node: string, trail: string[]): void => {
    if (trail.includes(node)) cycles.push([...trail.slice(trail.indexOf(node)), node].join(' -> '));
    if (done.has(node) || trail.includes(node)) return;
    for (const target of graph.get(node) ?? []) visit(target, [...trail, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return cycles;
}

test('every source file is in a room or is named as a leaf or a builder', () => {
  expect(sources.filter((file) => !roomOf(file) && !leaves.includes(file) && !isBuilder(file))).toEqual([]);
});

test('rooms import only the rooms that the table allows', () => {
  const broken: string[] = [];
  for (const file of sources) {
    if (isBuilder(file)) continue;
    const room = roomOf(file);
    for (const target of importsOf(file)) {
      if (!target.startsWith('src/')) continue;
      if (leaves.includes(file) && roomOf(target) === 'server/config') continue;
      if (isBuilder(target)) broken.push(`${file} imports the builder ${target}`);
      else if (leaves.includes(target)) {
        const open =
          leaves.includes(file) || (room?.startsWith('server/') && !strict[room.slice('server/'.length)]);
        if (!open) broken.push(`${file} imports the leaf ${target}`);
      } else {
        const other = roomOf(target);
        const allowed = room ? [room, ...mayImport(room)] : ['contract'];
        if (!other || !allowed.includes(other)) broken.push(`${file} imports ${target}`);
      }
    }
  }
  expect(broken).toEqual([]);
});

test('no two modules of the server export different types under one name', () => {
  // The directories have the same parts, each in its own folder.
  const ofTheServer = sources.filter((file) => /^src\/server\/(?!iam\/)/.test(file));
  const places = new Map<string, number>();
  for (const file of ofTheServer)
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(
      /^export (?:interface|type|class) (\w+)/gm,
    ))
      places.set(name, (places.get(name) ?? 0) + 1);
  const twins = [...places].filter(([, count]) => count > 1).map(([name]) => name);
  expect(twins).toEqual([]);
});

test('there are no import cycles', () => {
  const graph = new Map(
    sources.map((file) => [file, importsOf(file).filter((target) => sources.includes(target))]),
  );
  expect(cyclesOf(graph)).toEqual([]);
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

test('no folder has more than 20 files, tests aside', () => {
  const folders = new Map<string, number>();
  for (const file of sources) folders.set(dirname(file), (folders.get(dirname(file)) ?? 0) + 1);
  const full = [...folders].filter(([, count]) => count > 20).map(([folder]) => folder);
  expect(full.filter((folder) => !(folder in fullFolders))).toEqual([]);
  expect(Object.keys(fullFolders).filter((folder) => !full.includes(folder))).toEqual([]);
});

test('a file of under 40 lines with one importer stands in that importer', () => {
  const importers = new Map<string, { readonly file: string; readonly loads: boolean }[]>();
  for (const file of sources) {
    const text = readFileSync(file, 'utf8');
    for (const [, how = '', path = ''] of text.matchAll(/(from|import\(|import|URL\()\s*'(\.[^']+)'/g)) {
      const target = posix.normalize(join(dirname(file), path));
      const known = importers.get(target) ?? [];
      if (!known.some((one) => one.file === file)) known.push({ file, loads: how === 'import(' });
      importers.set(target, known);
    }
  }
  const small = sources.filter((file) => {
    const [importer, ...others] = importers.get(file) ?? [];
    // What is loaded when it is needed, as a page of the UI is, is a file of its own for that.
    if (!importer || others.length > 0 || importer.loads) return false;
    return !(dirname(file) in fullFolders) && readFileSync(file, 'utf8').split('\n').length - 1 < 40;
  });
  expect(small.filter((file) => !(file in smallFiles))).toEqual([]);
  expect(Object.keys(smallFiles).filter((file) => !small.includes(file))).toEqual([]);
});

test('no two folders of a room import each other, not even by way of others', () => {
  // Two rooms of the server are on floors; within a room, folders beside each other are. A folder and its parent may import each other.
  const beside = new Map<string, Set<string>>();
  for (const file of sources)
    for (const target of importsOf(file)) {
      if (!sources.includes(target)) continue;
      const [from, to] = [file.split('/'), target.split('/')];
      const at = from.findIndex((part, index) => part !== to[index]);
      if (at < 2 || at >= from.length - 1 || at >= to.length - 1) continue;
      if (from[1] === 'server' && at === 2) continue;
      const folder = from.slice(0, at + 1).join('/');
      beside.set(folder, (beside.get(folder) ?? new Set()).add(to.slice(0, at + 1).join('/')));
    }
  expect(cyclesOf(beside)).toEqual([]);
});

test('only the configuration reads the environment', () => {
  const reading = /process\.env\b|import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*'(?:node:)?process'/;
  const readers = sources.filter((file) => reading.test(readFileSync(file, 'utf8')));
  expect(readers.filter((file) => !readsEnvironment.includes(file))).toEqual([]);
});

test('only the named files open connections of their own', () => {
  const named =
    /import\s*\{[^}]*\b(?:request|get|connect|createConnection|Socket)\b[^}]*\}\s*from\s*'(?:node:)?(?:https?|http2|net|tls)'/;
  const opening = new RegExp(
    `(?<![.\\w])fetch\\(|\\bhttps?\\.(?:request|get)\\(|from 'undici'|${named.source}`,
  );
  const callers = sources.filter(
    (file) => file.startsWith('src/server/') && opening.test(readFileSync(file, 'utf8')),
  );
  expect(callers.filter((file) => !opensConnections.includes(file))).toEqual([]);
});

test('nothing but the change feed tells a cache that something changed', () => {
  // A store calls recordChange; who keeps something in memory follows. Nobody else holds on to a cache to change it.
  const told = sources.flatMap((file) =>
    [
      ...readFileSync(file, 'utf8').matchAll(
        /\b(?:forget(?:Person|Token|Client)|routes\.(?:put|drop|set|delete)|scopes\.reload|(?:tokens|memberships)\.forget)\(/g,
      ),
    ]
      .map(([call]) => `${file}: ${call}`)
      .filter((found) => !tellsByFeed.includes(found)),
  );
  expect(told).toEqual([]);
});

test('every table that memory depends on is written together with a record of the change', () => {
  const written = sources.filter((file) =>
    [...readFileSync(file, 'utf8').matchAll(/(?:insertInto|updateTable|deleteFrom)\('(\w+)'/g)].some(
      ([, table]) => cachedTables.includes(table ?? ''),
    ),
  );
  const silent = written.filter((file) => !/\b(?:recordChange|changing)\(/.test(readFileSync(file, 'utf8')));
  expect(silent.filter((file) => !(file in writesSilently))).toEqual([]);
  expect(Object.keys(writesSilently).filter((file) => !written.includes(file))).toEqual([]);
});

test('there is one builder of invalid_input and one isObject', () => {
  const texts = sources.map((file) => [file, readFileSync(file, 'utf8')] as const);
  const [builds, tells] = [
    /Failure\(\s*'invalid_input'/,
    /(\w+) === 'object' && \1 !== null && !Array\.isArray\(\1\)/,
  ];
  expect(texts.filter(([, text]) => builds.test(text)).map(([file]) => file)).toEqual([
    'src/server/failure/errors.ts',
  ]);
  const found = texts.filter(([, text]) => tells.test(text.replaceAll('typeof ', '')));
  expect(found.map(([file]) => file).toSorted()).toEqual([
    'src/contract/values/json.ts',
    // It imports nothing of the others, so that it can stand alone.
    'src/entra-emulator/exchange.ts',
  ]);
});

test('there are no drawers: utils, helpers, common, lib, types, shared', () => {
  expect(
    files.filter((file) => /\/(utils?|helpers?|common|lib|types|shared)(\/|\.tsx?$)/.test(file)),
  ).toEqual([]);
});

test('docs/architecture.md names files and functions that are there', () => {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const [, happens = ''] = /## Where it happens\n([\s\S]*?)\n## /.exec(page) ?? [];
  const rows = [...happens.matchAll(/\| `([^`]+)`\s*\| `([^`]+)`/g)];
  expect(rows.length).toBeGreaterThan(4);
  for (const [, file = '', name] of rows)
    expect(readFileSync(join('src', file), 'utf8'), file).toMatch(
      new RegExp(`^export (?:async )?(?:function|const) ${name}\\b`, 'm'),
    );
});

test('the three questions of a newcomer are answered in one step each', () => {
  const page = readFileSync('docs/architecture.md', 'utf8');
  for (const [question, line] of [
    ['where is a tool call authorized?', 'export function decide('],
    ['where is a personal token revoked?', 'export async function revokeToken('],
    ['where does a setting get its default?', "default: '"],
  ] as const) {
    const [, file = ''] =
      new RegExp(`\\| ${question.replace('?', '\\?')}\\s*\\| \`([^\`]+)\``).exec(page) ?? [];
    expect(readFileSync(join('src', file), 'utf8'), question).toContain(line);
  }
});

test('what went into the house last went where docs/architecture.md says that new things go', () => {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const [, goes = ''] = /## Where a new thing goes\n([\s\S]*?)\n## /.exec(page) ?? [];
  const rows = goes.split('\n').filter((line) => /^\| (?!new |-)/.test(line));
  const named = (row: string): string[] => [...row.matchAll(/`([^`\s]+)`/g)].map(([, name = '']) => name);
  // The last cell names files that are there, below src/ or below the room that the row is about.
  const below = ['src', 'src/server', 'src/server/identity', 'src/server/identity/providers'];
  const missing = rows.flatMap((row) =>
    named(row.split('|').at(-2) ?? '').filter(
      (name) => !below.some((room) => files.includes(posix.join(room, name))),
    ),
  );
  expect(rows.length).toBeGreaterThan(6);
  expect(missing).toEqual([]);

  // Requests for access, the entity that came last: each file that its row asks for, and each line that joins it.
  const entity = rows.find((row) => row.startsWith('| entity ')) ?? '';
  for (const word of ['contract/', 'registry/', 'a migration', 'db/tables.ts', 'registry/handlers.ts'])
    expect(entity, word).toContain(word);
  const has = (file: string, text: string): boolean => readFileSync(join('src', file), 'utf8').includes(text);
  expect(files).toEqual(
    expect.arrayContaining([
      'src/contract/people/access-requests.ts',
      'src/server/registry/access-requests/store.ts',
      'src/server/registry/access-requests/handlers.ts',
    ]),
  );
  expect(has('contract/index.ts', 'accessRequestEndpoints')).toBe(true);
  expect(has('server/db/tables.ts', 'access_requests: ')).toBe(true);
  expect(has('server/db/migrate.ts', 'access-requests.ts')).toBe(true);
  expect(has('server/registry/handlers.ts', 'accessRequestHandlers')).toBe(true);
});

test('words that once meant several things in the server mean one', () => {
  const words = ['Sessions', 'Fault', 'Place', 'Asked', 'Limits', 'Ending', 'Failure'];
  const inServer = sources.filter((file) => file.startsWith('src/server/'));
  const texts = inServer.map((file) => readFileSync(file, 'utf8'));
  const twice = words.filter(
    (word) =>
      texts.filter((text) => new RegExp(`^export (?:interface|type|class) ${word}\\b`, 'm').test(text))
        .length > 1,
  );
  expect(twice).toEqual([]);
});
