import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/keycloak/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    reporters: ['default', './test/closing-line.ts'],
  },
});
