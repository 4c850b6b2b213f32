import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/keycloak/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 100_000 } },
    fileParallelism: false,
    reporters: ['default', './test/closing-line.ts'],
  },
});
