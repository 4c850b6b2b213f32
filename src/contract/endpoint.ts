import type { z } from 'zod';
import type { UiPermission } from './permissions.ts';
import { installPlainIssues } from './values/plain-issues.ts';

installPlainIssues();

/**
 * Who may call an endpoint. `public`: anybody; `identity`: anyone who has signed in or has a valid token; `session`: a
 * browser session only; `administrator`: members of an administrator scope; an object: the named permission, on the thing
 * that the route's `path` parameter names (`on: 'path'`) or on at least one thing (`on: 'any'`).
 */
export type Permission =
  | 'public'
  | 'identity'
  | 'session'
  | 'administrator'
  | { readonly can: UiPermission; readonly on: 'path' | 'any' };

/** HTTP methods that the API uses. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One endpoint of the API, as data: server routes, the OpenAPI document and the typed client all come from it. */
export interface Endpoint {
  readonly method: Method;
  /** The URL path; `{path}` may span several segments, every other parameter is one segment. */
  readonly path: string;
  readonly permission: Permission;
  readonly summary: string;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly output: z.ZodType;
  /**
   * The media type of an answer that is not JSON: the handler gives its text, or a stream of its bytes. Of several types
   * the handler names the one it gives in the `content-type` of a `Reply`.
   */
  readonly media?: string | readonly [string, ...string[]];
  /** The status of a success; 200 unless given. */
  readonly status?: 200 | 201 | 204;
  /** Takes its body as an HTML form (application/x-www-form-urlencoded) too: every field a text, each at most once. */
  readonly form?: true;
  /** Honours the `If-Match` request header: the handler gets it as `ifMatch` and refuses with 412 when it does not hold. */
  readonly conditional?: true;
  /** What it costs beyond a look-up, so that it is bounded for each identity: `reach` goes out to a server, `heavy` reads or computes much. */
  readonly cost?: 'reach' | 'heavy';
  /** Changes nothing although its method is not GET: it asks, or checks; the audit has it as a read. */
  readonly reads?: true;
  /**
   * The endpoint that it is another form of: the audit trail has that one. Where its permission is `on: 'path'` and its URL
   * names nothing, the member `path` of its body does.
   */
  readonly countsAs?: string;
  /** The handler also gets the text of the body as `text`, for what is kept to the byte. */
  readonly keepsText?: true;
}

/** A table of endpoints by id (`servers.list`). */
export type Endpoints = Readonly<Record<string, Endpoint>>;

/** What a caller of endpoint E sends: path parameters, query and body. */
export interface Input<E extends Endpoint> {
  params: E['params'] extends z.ZodType ? z.output<E['params']> : unknown;
  query: E['query'] extends z.ZodType ? z.output<E['query']> : unknown;
  body: E['body'] extends z.ZodType ? z.output<E['body']> : unknown;
  /** The `If-Match` request header as sent; only for endpoints that are `conditional`. */
  ifMatch?: string | undefined;
  /** The body as it came; only for endpoints that say `keepsText`. */
  text?: string | undefined;
}

/** What endpoint E answers. */
export type Output<E extends Endpoint> = z.input<E['output']>;

/** An answer with response headers (`ETag`, `Cache-Control`); handlers may also return the bare body. */
export class Reply<T> {
  readonly body: T;
  readonly headers: Readonly<Record<string, string>>;
  constructor(body: T, headers: Readonly<Record<string, string>> = {}) {
    this.body = body;
    this.headers = headers;
  }
}

/** The functions that answer the endpoints of a table; `C` is what the server tells them about the caller. */
export type Handlers<T extends Endpoints, C> = {
  readonly [K in keyof T]: (
    input: Input<T[K]>,
    caller: C,
  ) => Promise<Output<T[K]> | Reply<Output<T[K]>>> | Output<T[K]> | Reply<Output<T[K]>>;
};
