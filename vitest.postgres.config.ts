import { globSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** What is about the embedded database itself, or about both, and says so. */
const embeddedOnly = [
  // The directory, its lock and its rights.
  'src/server/db/open.test.ts',
  // The thread that writes to the file beside the process.
  'src/server/audit/sinks/database.test.ts',
  // How large the file may become.
  'src/server/audit/room.test.ts',
  // Two processes on one file; `test/replicas` is the same on PostgreSQL.
  'src/server/start/second-process.test.ts',
];

const embedded = resolve('src/server/db/open.ts');

/** Every test that opens a database, by itself or by what supports it. */
function testsWithDatabase(): string[] {
  const opens = new Map<string, boolean>();
  const doesOpen = (file: string): boolean => {
    const known = opens.get(file);
    if (known !== undefined) return known;
    opens.set(file, false);
    const imports = [...readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g)].map(([, to = '']) => to);
    const answer = imports.some(
      (to) =>
        /\/(db|postgres)\/open\.ts$/.test(resolve(dirname(file), to)) ||
        (to.endsWith('.test-support.ts') && doesOpen(relative('.', resolve(dirname(file), to)))),
    );
    opens.set(file, answer);
    return answer;
  };
  return globSync('src/**/*.test.ts').filter((file) => doesOpen(file) && !embeddedOnly.includes(file));
}

/**
 * The suite of the stores, and of what is built on them, over PostgreSQL: every test that opens a database in memory gets
 * an empty one on a real server instead. `npm run test:postgres -- [paths]`
 */
export default defineConfig({
  plugins: [
    {
      name: 'open-on-postgres',
      enforce: 'pre',
      resolveId(source, importer) {
        // What is about PostgreSQL itself opens both by itself.
        const isTest = /^(?!.*\/db\/postgres\/).*\.test(-support)?\.ts$/.test(importer ?? '');
        return isTest && source.endsWith('/open.ts') && resolve(dirname(importer ?? ''), source) === embedded
          ? resolve('test/open-on-postgres.ts')
          : null;
      },
    },
  ],
  test: {
    include: testsWithDatabase(),
    globalSetup: ['test/postgres-for-suite.ts'],
    testTimeout: 180_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 100_000 } },
    maxWorkers: 2,
    reporters: ['default', './test/closing-line.ts'],
  },
});
