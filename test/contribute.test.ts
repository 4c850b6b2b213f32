import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** The worked examples of docs/contribute, followed in a copy of the code. */
let copy: string;
const pages = ['first-change', 'add-a-provider', 'add-a-page'];

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'contribute-'));
  for (const name of ['src', 'docs', 'test', 'bin', 'examples', 'deploy'])
    cpSync(name, join(copy, name), { recursive: true, filter: (file) => !/images|node_modules/.test(file) });
  for (const name of ['package.json', 'tsconfig.json', 'vitest.config.ts', '.env.example', 'README.md'])
    cpSync(name, join(copy, name));
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  execFileSync('git', ['init', '--quiet'], { cwd: copy });
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

function diffsOf(page: string): string[] {
  const text = readFileSync(`docs/contribute/${page}.md`, 'utf8');
  return [...text.matchAll(/^```diff\n([\s\S]*?)^```$/gm)].map(([, diff = '']) => diff);
}

test.each(pages)('every diff of %s applies', (page) => {
  const diffs = diffsOf(page);
  expect(diffs.length).toBeGreaterThan(1);
  for (const diff of diffs) {
    writeFileSync(join(copy, 'change.diff'), diff);
    const { status, stderr } = spawnSync('git', ['apply', '--recount', 'change.diff'], {
      cwd: copy,
      encoding: 'utf8',
    });
    expect([status, stderr], diff).toEqual([0, '']);
  }
});

test('the tests that the pages name pass with the changes', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [resolve('node_modules/vitest/vitest.mjs'), 'run', ...args], {
      cwd: copy,
      encoding: 'utf8',
      env: { ...process.env, CI: 'false' },
    });
  const provider = run('src/server/identity/providers/contract.test.ts', '-t', 'authentik');
  expect(provider.status, provider.stdout + provider.stderr).toBe(0);
  expect(provider.stdout).toMatch(/tests: [1-9]\d+ passed/);
  const suggestion = run('src/cli/main.test.ts', '-t', 'wrong use');
  expect(suggestion.status, suggestion.stdout + suggestion.stderr).toBe(0);
  expect(readFileSync(join(copy, 'src/cli/main.test.ts'), 'utf8')).toContain("['upstream', 'list']");
  const contents = readFileSync(join(copy, 'docs/.vitepress/contents.ts'), 'utf8');
  expect(contents).toContain("['Name your servers', 'naming']");
});
