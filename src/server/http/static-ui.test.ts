import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { pageSegments, staticUi } from './static-ui.ts';

const folder = mkdtempSync(join(tmpdir(), 'ui-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'index.html'), '<title>page</title>');
const ui = staticUi(folder);
const ask = (path: string, accept = '*/*') =>
  ui(new Request(`http://localhost${path}`, { headers: { accept } }));

test('every route of the pages is one that is served', () => {
  const first = [
    ...readFileSync('src/ui/routes.ts', 'utf8').matchAll(
      /getParentRoute: \(\) => (?:root\w*|signedIn),\s*path: '\/([^'/$]*)/g,
    ),
  ].map(([, name = '']) => name);
  expect(first.length).toBeGreaterThan(15);
  expect(first.filter((name) => !pageSegments.has(name))).toEqual([]);
});

test.each(['/', '/servers', '/servers/team/search', '/access/scopes/a/b', '/docs/api'])(
  '%s is a page',
  async (path) => {
    expect(ask(path).status).toBe(200);
  },
);

test.each(['/.env', '/.git/config', '/v1/models', '/v2', '/nowhere', '/wp-login.php', '/assets/gone.js'])(
  '%s is 404, JSON for who does not ask for HTML',
  async (path) => {
    expect(ask(path).status).toBe(404);
    expect(ask(path, 'text/html').status).toBe(404);
    if (!path.startsWith('/assets')) {
      expect(await ask(path).json()).toMatchObject({ status: 404, code: 'not_found' });
      expect(await ask(path, 'text/html,*/*').text()).toContain('<title>');
    }
  },
);
