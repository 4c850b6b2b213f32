import { defineConfig } from 'vitest/config';

/** Which tests need which program; main.ts says which is not there, and why. */
const needs = { kms: ['REAL_OPENBAO'], s3: ['REAL_MINIO'], gateway: ['REAL_OPENBAO', 'REAL_MINIO'] };
const isThere = (name: string): boolean => Boolean(process.env[name]);

export default defineConfig({
  test: {
    include: Object.entries(needs).flatMap(([test, of]) =>
      of.every(isThere) ? [`test/real/${test}.test.ts`] : [],
    ),
    passWithNoTests: true,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    fileParallelism: false,
    reporters: ['default', './test/closing-line.ts'],
  },
});
