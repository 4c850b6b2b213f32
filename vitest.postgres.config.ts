import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

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
        const isTest = /\.test(-support)?\.ts$/.test(importer ?? '');
        return isTest && source.endsWith('/db/open.ts') ? resolve('test/open-on-postgres.ts') : null;
      },
    },
  ],
  test: {
    include: [
      'src/server/{changes,registry,identity,oauth,start,audit,virtual,search}/**/*.test.ts',
      'src/server/db/lease.test.ts',
      'src/server/db/postgres/*.test.ts',
    ],
    globalSetup: ['test/postgres-for-suite.ts'],
    testTimeout: 60_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
  },
});
