import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
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

describe('the documentation site', () => {
  const site = mkdtempSync(join(tmpdir(), 'docs-'));
  afterAll(() => rmSync(site, { recursive: true }));
  mkdirSync(join(site, 'assets'));
  mkdirSync(join(site, 'connect'));
  for (const name of ['index.html', 'access.html', 'connect/index.html', 'assets/app.1234.js', 'secret.env'])
    writeFileSync(join(site, name), name);
  const both = staticUi(folder, site);
  const get = (path: string) =>
    both(new Request(`http://localhost${path}`, { headers: { accept: 'text/html' } }));

  test.each([
    ['/docs/', 'index.html'],
    ['/docs/access', 'access.html'],
    ['/docs/access.html', 'access.html'],
    ['/docs/connect/', 'connect/index.html'],
    ['/docs/connect', 'connect/index.html'],
    ['/docs/assets/app.1234.js', 'assets/app.1234.js'],
  ])('%s is %s', async (path, text) => {
    expect([get(path).status, await get(path).text()]).toEqual([200, text]);
  });

  test('assets are kept for ever, pages are not', () => {
    expect(get('/docs/assets/app.1234.js').headers.get('cache-control')).toContain('immutable');
    expect(get('/docs/access').headers.get('cache-control')).toBe('no-cache');
    const etag = get('/docs/access').headers.get('etag') ?? '';
    const again = new Request('http://localhost/docs/access', { headers: { 'if-none-match': etag } });
    expect(both(again).status).toBe(304);
  });

  test('the API page stays, nothing outside is reached, and without a site all is as before', async () => {
    expect(await get('/docs/api').text()).toContain('<title>');
    expect(get('/docs').headers.get('location')).toBe('./docs/');
    for (const path of ['/docs/secret.env', '/docs/..%2f..%2findex.html', '/docs//etc/passwd'])
      expect(await get(path).text()).toContain('<title>page');
    expect(await ask('/docs/access').text()).toContain('<title>page');
  });
});
