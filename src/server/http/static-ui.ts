import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

/** Nothing from elsewhere, nothing inline, no frames: what the pages may do in a browser. */
export const contentSecurityPolicy =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

interface StaticFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly packed: Uint8Array<ArrayBuffer> | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: string;
}

/** With what the addresses of pages begin, as `ui/routes.ts` has them. */
export const pageSegments: ReadonlySet<string> = new Set([
  ...[
    '',
    'index.html',
    'login',
    'signed-out',
    'renewed',
    'no-access',
    'servers',
    'agents',
    'tools',
    'virtual-servers',
  ],
  ...[
    'tokens',
    'sessions',
    'me',
    'clients',
    'oauth-clients',
    'connections',
    'access',
    'accounts',
    'audit',
    'usage',
  ],
  ...['operations', 'docs', 'register', 'edit', 'register-agent', 'edit-agent', 'requests'],
]);

/**
 * Serves the built web pages from memory; every address of a page is the single page itself. What is neither is 404: for
 * browsers the page, which says so, and for everybody else a problem document.
 */
export function staticUi(directory: string, docsDirectory?: string): (request: Request) => Response {
  const docs = staticDocs(docsDirectory);
  const files = new Map<string, StaticFile>();
  if (existsSync(directory))
    for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }))
      if (extname(name) in types) files.set(`/${name.replaceAll('\\', '/')}`, load(directory, name));
  const page = files.get('/index.html');

  return (request) => {
    const { pathname } = new URL(request.url);
    const documentation = docs(pathname);
    if (documentation instanceof Response) return documentation;
    if (documentation) return respond(request, documentation);
    const isPage = pageSegments.has(pathname.split('/')[1] ?? '');
    const file = files.get(pathname) ?? (isPage ? page : undefined);
    if (!file && page && !pathname.startsWith('/assets/')) return notFound(request, page);
    if (!file) {
      const text = page ? 'Not found' : 'The web pages are not built. Run: npm run build';
      return new Response(text, { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' } });
    }
    return respond(request, file);
  };
}

/**
 * Finds a page of the documentation site below `/docs/` (`npm run docs`), read when it is first asked for. `/docs/api` and
 * whatever else the site does not have belongs to the web pages; without a site, all of it does.
 */
function staticDocs(directory: string | undefined): (pathname: string) => StaticFile | Response | undefined {
  const names = new Set(
    directory !== undefined && existsSync(join(directory, 'index.html'))
      ? readdirSync(directory, { recursive: true, encoding: 'utf8' })
          .map((name) => name.replaceAll('\\', '/'))
          .filter((name) => extname(name) in types)
      : [],
  );
  const files = new Map<string, StaticFile>();
  return (pathname) => {
    if (directory === undefined || names.size === 0) return undefined;
    if (pathname === '/docs')
      return new Response(null, {
        status: 308,
        headers: { location: './docs/', 'cache-control': 'no-cache' },
      });
    if (!pathname.startsWith('/docs/')) return undefined;
    const asked = pathname.slice('/docs/'.length);
    const found = [asked, `${asked}.html`, `${asked}index.html`, `${asked}/index.html`].find((name) =>
      names.has(name),
    );
    if (found === undefined) return undefined;
    const file = files.get(found) ?? load(directory, found);
    files.set(found, file);
    return file;
  };
}

function respond(request: Request, file: StaticFile): Response {
  if (request.headers.get('if-none-match') === file.etag)
    return new Response(null, { status: 304, headers: { etag: file.etag } });
  const packed =
    file.packed && /\bbr\b/.test(request.headers.get('accept-encoding') ?? '') ? file.packed : null;
  return new Response(packed ?? file.bytes, {
    headers: { ...file.headers, etag: file.etag, ...(packed ? { 'content-encoding': 'br' } : {}) },
  });
}

function notFound(request: Request, page: StaticFile): Response {
  if (request.headers.get('accept')?.includes('text/html'))
    return new Response(page.bytes, { status: 404, headers: page.headers });
  const problem = {
    type: 'about:blank',
    title: 'Not found',
    status: 404,
    code: 'not_found',
    detail: 'There is nothing at this address.',
  };
  return new Response(JSON.stringify(problem), {
    status: 404,
    headers: { 'content-type': 'application/problem+json' },
  });
}

function load(directory: string, name: string): StaticFile {
  const bytes = new Uint8Array(readFileSync(join(directory, name)));
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
  const text = /\.(html|js|css|svg|json)$/.test(name);
  return {
    bytes,
    packed: text && bytes.length > 1024 ? new Uint8Array(brotliCompressSync(bytes, quality)) : null,
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    headers: {
      'content-type': types[extname(name)] ?? 'application/octet-stream',
      // Built files carry a hash in their name; the page itself is asked for again each time.
      'cache-control': name.startsWith('assets') ? 'public, max-age=31536000, immutable' : 'no-cache',
      vary: 'accept-encoding',
    },
  };
}
