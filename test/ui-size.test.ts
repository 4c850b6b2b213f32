import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const built = 'dist/ui';
const read = (file: string): string => readFileSync(join(built, file), 'utf8');

/** The scripts that a file loads at once, itself included: what it imports, not what it may import later. */
function withImports(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = read(file);
  for (const [, name] of text.matchAll(/(?:from|import)\s*"\.\/([\w.-]+\.js)"/g))
    withImports(`assets/${name}`, found);
  return found;
}

test('what the first page loads of scripts is 140 KB compressed at most', () => {
  const page = read('index.html');
  const files = new Set(
    [...page.matchAll(/(?:src|href)="\/(assets\/[\w.-]+\.js)"/g)].flatMap(([, file = '']) => [
      ...withImports(file),
    ]),
  );
  const bytes = [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(built, file))).length, 0);
  console.log(`${files.size} scripts, ${(bytes / 1000).toFixed(1)} KB compressed`);
  expect(bytes).toBeGreaterThan(50_000);
  expect(bytes).toBeLessThanOrEqual(140_000);
  // Home is in them; of what only some pages need, nothing is.
  const text = [...files].map(read).join('');
  expect(text).toContain('Connect your client');
  for (const later of ['Create a virtual server', 'Why is a call allowed or denied?', 'Client verbinden'])
    expect(text).not.toContain(later);
});
