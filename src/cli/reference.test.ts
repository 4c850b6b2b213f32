import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderReference } from './reference.ts';

const file = 'docs/reference/cli.md';

test('docs/reference/cli.md says what the program does', () => {
  const rendered = renderReference();
  if (process.env.UPDATE_DOCS) {
    mkdirSync('docs/reference', { recursive: true });
    writeFileSync(file, rendered);
  }
  expect(readFileSync(file, 'utf8')).toBe(rendered);
});
