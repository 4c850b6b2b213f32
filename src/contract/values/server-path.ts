import { z } from 'zod';
import { looksLikeEvery, trimSlashes } from './names.ts';

/** Last path segments that the API and the gateway use themselves, so that no server path may end in them. */
const reservedLastSegments = [
  'mcp',
  'sse',
  'messages',
  'message',
  'tools',
  'toggle',
  'health',
  'auth-credential',
  'egress-auth',
  'events',
  'history',
] as const;

/** First path segments that belong to the gateway itself (pages, API, OAuth), so that no server path may begin with them. */
export const reservedFirstSegments = [
  '.well-known',
  'agent',
  'agents',
  'airegistry-tools',
  'api',
  'assets',
  'auth',
  'docs',
  'favicon.ico',
  'generate-token',
  'groups',
  'health',
  'healthz',
  'index.html',
  'keycloak',
  'login',
  'logout',
  'metrics',
  'oauth',
  'oauth2',
  'openapi.json',
  'readyz',
  'realms',
  'resources',
  'servers',
  'static',
  'tokens',
  'v0',
  'v0.1',
  'validate',
  'virtual',
] as const;

/** Gives a server path one leading slash and no trailing one: `currenttime/` becomes `/currenttime`. */
export function normalizePath(path: string): string {
  return `/${trimSlashes(path)}`;
}

/** The server's name in scopes: its path without the leading slash. */
export function nameOfPath(path: string): string {
  return normalizePath(path).slice(1);
}

const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** Why nothing may be registered under a path that scopes would take for every one. */
export const wildcardPath =
  "this path would be mistaken for 'all', which stands for every one in scopes; choose another";

function faultOfPath(path: string): string | undefined {
  if (looksLikeEvery(path)) return wildcardPath;
  const segments = path.slice(1).split('/');
  if (!segments.every((part) => segment.test(part)))
    return "use letters, digits, '.', '_' and '-' between slashes, and do not begin a segment with a dot";
  const [first = '', last = ''] = [segments[0]?.toLowerCase(), segments.at(-1)?.toLowerCase()];
  if ((reservedFirstSegments as readonly string[]).includes(first))
    return `'/${first}' belongs to the gateway itself; choose another first segment`;
  if ((reservedLastSegments as readonly string[]).includes(last))
    return `a path may not end in '/${last}', which the gateway adds itself`;
  return undefined;
}

/** The path under which the gateway serves a server; letters, digits, `._-/`; not one of the gateway's own. */
export const serverPath = z
  .string()
  .max(200)
  .transform(normalizePath)
  .superRefine((path, context) => {
    const fault = path === '/' ? 'give a path such as /currenttime' : faultOfPath(path);
    if (fault) context.addIssue({ code: 'custom', message: fault });
  });

/** The last segment of a server's URL where that is one of its endpoints by itself; undefined for every other URL. */
export function endpointSegment({ pathname }: URL): 'mcp' | 'sse' | undefined {
  const [, last] = /\/(mcp|sse)\/?$/.exec(pathname) ?? [];
  return last as 'mcp' | 'sse' | undefined;
}
