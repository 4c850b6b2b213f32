import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/clients/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    expect: { poll: { timeout: 100_000 } },
    reporters: ['default', './test/closing-line.ts'],
  },
});
