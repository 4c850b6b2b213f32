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

test('what the first page loads of scripts is 150 KB compressed at most', () => {
  const page = read('index.html');
  const files = new Set(
    [...page.matchAll(/(?:src|href)="\/(assets\/[\w.-]+\.js)"/g)].flatMap(([, file = '']) => [
      ...withImports(file),
    ]),
  );
  const [home] =
    read([...files].find((file) => file.includes('index-')) ?? '').match(/home-page-[\w-]+\.js/) ?? [];
  expect(home, 'the page that is opened first').toBeDefined();
  for (const file of withImports(`assets/${home}`)) files.add(file);
  const bytes = [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(built, file))).length, 0);
  console.log(`${files.size} scripts, ${(bytes / 1000).toFixed(1)} KB compressed`);
  expect(files.size).toBeGreaterThan(5);
  expect(bytes).toBeLessThanOrEqual(150_000);
  // What only some pages need is not among them.
  for (const file of files) expect(file).not.toMatch(/assets\/(?:palette|usage|de-|agent-form|scope-edit)/);
});
