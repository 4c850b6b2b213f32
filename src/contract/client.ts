import type { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import type { EndpointId, endpoints } from './index.ts';
import type { Problem } from './problem.ts';
import { routes } from './routes.ts';
import { trimSlashes } from './values/names.ts';

/** What a caller of the typed client gives: path parameters, query and body, before defaults are applied. */
export interface Call<E extends Endpoint> {
  params?: Record<string, string>;
  query?: E['query'] extends z.ZodType ? z.input<E['query']> : never;
  body?: E['body'] extends z.ZodType ? z.input<E['body']> : never;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** An answer of the API that is not a success; `problem` holds what the server said. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem;
  constructor(status: number, said: Problem) {
    super(said.detail);
    this.name = 'ApiError';
    this.status = status;
    this.problem = said;
  }
}

/** The API as typed calls: `api('servers.list', { query: { limit: 10 } })`. */
export type Api = <K extends EndpointId>(
  id: K,
  call?: Call<(typeof endpoints)[K]>,
) => Promise<z.output<(typeof endpoints)[K]['output']>>;

/** Makes a typed client for the registry at `baseUrl`; `headers` is asked before every call. */
export function connect(
  baseUrl: string,
  headers: () => Record<string, string> | Promise<Record<string, string>>,
  send: typeof fetch = (input, init) => globalThis.fetch(input, init),
): Api {
  return async <K extends EndpointId>(id: K, call: Call<(typeof endpoints)[K]> = {}) => {
    const { method, path } = routes[id];
    const url = new URL(urlPath(path, call.params ?? {}), withSlash(baseUrl));
    for (const [key, value] of Object.entries(call.query ?? {}))
      if (value !== undefined) url.searchParams.set(key, String(value));
    const response = await send(url, {
      method,
      headers: {
        accept: 'application/json',
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(await headers()),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      ...(call.signal ? { signal: call.signal } : {}),
      redirect: 'error',
    });
    if (!response.ok) throw new ApiError(response.status, await problemOf(response));
    // The server has already held its answer to the schema: parsing it again would only cost start-up and time.
    const value: unknown = response.status === 204 ? undefined : await bodyOf(response);
    return value as z.output<(typeof endpoints)[K]['output']>;
  };
}

/** An export comes as the stream that it is; whatever else should be JSON. */
function bodyOf(response: Response): unknown {
  const type = response.headers.get('content-type') ?? '';
  return /^(?:application\/x-ndjson|text\/csv)\b/i.test(type) ? response.body : response.json();
}

function urlPath(pattern: string, params: Record<string, string>): string {
  const path = pattern.replace(/\{(\w+)\}/g, (_, name: string) => {
    const given = params[name] ?? '';
    // Only `{path}` spans segments; the slash in a scope's name is part of its one segment.
    const parts = name === 'path' ? trimSlashes(given).split('/') : [given];
    if (!parts[0]) throw new Error(`the parameter '${name}' is missing`);
    return parts.map(encodeURIComponent).join('/');
  });
  return path.slice(1);
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const said: unknown = JSON.parse(text);
    if (isProblem(said)) return said;
  } catch {
    // Not JSON: a proxy in between has answered.
  }
  return {
    type: 'about:blank',
    title: response.statusText || 'Error',
    status: response.status,
    code: 'unexpected_answer',
    detail: `The server answered ${response.status} without saying why.`,
  };
}

function isProblem(said: unknown): said is Problem {
  return (
    typeof said === 'object' &&
    said !== null &&
    'code' in said &&
    typeof said.code === 'string' &&
    'detail' in said &&
    typeof said.detail === 'string'
  );
}
