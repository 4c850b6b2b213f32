import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // They need a Keycloak, third-party clients, real servers, or many processes: `npm run test:keycloak`, `test:clients`,
    // `test:real` and `test:replicas` bring them.
    exclude: [
      ...configDefaults.exclude,
      'test/keycloak/**',
      'test/clients/**',
      'test/real/**',
      'test/replicas/**',
    ],
    // Most of the time goes to processes and browsers that the tests start: a machine of two cores would run one file at a time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Only what hangs meets these, on the busiest machine too.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 100_000 } },
    reporters: ['default', './test/closing-line.ts'],
  },
});
