import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Tests of what one gateway does for clients, people and agents, which three have to do alike. */
const outside = [
  'agent-tools',
  'attack/open-streams',
  'browser-session',
  'conformance',
  'conformance-oauth',
  'groups',
  'login',
  'mcp-clients',
  'oauth',
  'oauth-sdk',
  'oauth-security',
  'permissions',
  'roles',
  'scopes',
  'virtual-clients',
].map((name) => `test/${name}.test.ts`);

const harness = resolve('test/harness.ts');

/**
 * Three gateways in production mode on one PostgreSQL behind nginx: what is about them, and the outside tests, in which
 * each gateway that is started is three. `npm run test:replicas -- [paths]`
 */
export default defineConfig({
  plugins: [
    {
      name: 'three-gateways',
      enforce: 'pre',
      resolveId(source, importer = '') {
        const isOutside = !importer.includes('/test/replicas/') && source.endsWith('/harness.ts');
        return isOutside && resolve(importer, '..', source) === harness
          ? resolve('test/replicas/harness.ts')
          : null;
      },
    },
  ],
  test: {
    include: ['test/replicas/**/*.test.ts', ...outside],
    globalSetup: ['test/postgres-for-suite.ts'],
    testTimeout: 240_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 100_000 } },
    maxWorkers: 2,
    reporters: ['default', './test/closing-line.ts'],
  },
});
