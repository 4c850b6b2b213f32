import type { z } from 'zod';
import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import { type BatchAnswer, type BatchRequest, sendBatch } from './graph-batch.ts';
import { doubtAbout, type GraphRequest, graphFailure, isUncertainStatus } from './graph-failure.ts';
import { jsonBody } from './json-body.ts';
import { ifFound } from './not-there.ts';
import { noPlace } from './page-place.ts';
import { isWorthRepeating, type Pause, retryAfter, waitBefore } from './retry.ts';

/** Pages of a list that are read at most: 999 objects each, as many as a directory may have in one group. */
const mostPages = 200;

/** Gets an access token for Graph; asked again with `claims` when Graph wants a newer or stronger one. */
export type TokenSource = (again?: { readonly claims: string | null }) => Promise<string>;

/** What a Graph client is made of. */
export interface GraphWorld {
  /** Scheme, host and what is before `/v1.0`. */
  readonly baseUrl: string;
  readonly token: TokenSource;
  readonly fetch: Fetch;
  readonly pause: Pause;
  readonly newId: () => string;
}

/** What a request may say besides its path. */
export interface GraphOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Advanced query: `ConsistencyLevel: eventual` and `$count=true`. */
  readonly eventual?: boolean;
  /** The permission that it takes, for the message when it is missing. */
  readonly permission?: string;
}

/** One page of a list; `count` is of the whole list, where it was asked for: Graph says it with the first page alone. */
export interface GraphPage<T> {
  readonly items: T[];
  readonly next: string | null;
  readonly count: number | undefined;
}

/** Microsoft Graph v1.0. Every method throws a GraphFailure for what Graph refuses. */
export interface Graph {
  /** Scheme, host and path up to `/v1.0`, for references to objects. */
  readonly baseUrl: string;
  /** The parsed body, undefined when there is none (204). */
  send(method: string, path: string, options?: GraphOptions): Promise<unknown>;
  get<S extends z.ZodType>(path: string, schema: S, options?: GraphOptions): Promise<z.output<S>>;
  /** The object, or undefined when Graph has none (404). */
  find<S extends z.ZodType>(
    path: string,
    schema: S,
    options?: GraphOptions,
  ): Promise<z.output<S> | undefined>;
  /** Every object of a list, page by page; the pages must be of the same origin, since they get the token too. */
  list<S extends z.ZodType>(path: string, schema: S, options?: GraphOptions): Promise<z.output<S>[]>;
  /** One page of a list. The cursor is what Graph's link to the next page asks for, so it only ever leads to `path`. */
  page<S extends z.ZodType>(
    path: string,
    schema: S,
    options?: GraphOptions & { readonly from?: string | null | undefined },
  ): Promise<GraphPage<z.output<S>>>;
  /** Answers in the order of the requests, twenty to a round trip; each has its own status. */
  batch(requests: readonly BatchRequest[]): Promise<BatchAnswer[]>;
}

/** Makes a client; nothing is sent until it is used. */
export function createGraph(world: GraphWorld): Graph {
  const base = `${world.baseUrl.replace(/\/$/, '')}/v1.0`;
  const send: Graph['send'] = (method, path, options = {}) =>
    request(world, urlOf(base, path, options), { method, path, permission: options.permission }, options);
  return {
    baseUrl: base,
    send,
    get: async (path, schema, options) => parse(schema, await send('GET', path, options), path),
    find: (path, schema, options) =>
      ifFound(send('GET', path, options).then((body) => parse(schema, body, path))),
    async list(path, schema, options = {}) {
      const found: unknown[] = [];
      const asked = { method: 'GET', path, permission: options.permission };
      let url: URL | undefined = urlOf(base, path, options);
      for (let pages = 0; url && pages < mostPages; pages++) {
        const page: { value?: unknown; '@odata.nextLink'?: unknown } = Object(
          await request(world, url, asked, options),
        );
        if (Array.isArray(page.value)) found.push(...page.value);
        url = nextPage(page['@odata.nextLink'], base);
      }
      if (url)
        throw new Failure('directory_unavailable', `The list ${path} has more pages than can be read.`);
      return found.map((one) => parse(schema, one, path));
    },
    async page(path, schema, { from, ...options } = {}) {
      const url = urlOf(base, path, from ? {} : options);
      const place = from ? placeIn(from) : undefined;
      if (place) url.search = place.query;
      const asked = { method: 'GET', path, permission: options.permission };
      const page: { value?: unknown; '@odata.nextLink'?: unknown; '@odata.count'?: unknown } = Object(
        await request(world, url, asked, options),
      );
      const next = nextPage(page['@odata.nextLink'], base);
      const said = page['@odata.count'];
      const count = typeof said === 'number' ? said : place?.count;
      const items = Array.isArray(page.value) ? page.value : [];
      return {
        items: items.map((one) => parse(schema, one, path)),
        next: next ? Buffer.from(`${count ?? ''}${next.search}`).toString('base64url') : null,
        count,
      };
    },
    batch: (requests) => sendBatch(requests, (body) => send('POST', '/$batch', { body }), world.pause),
  };
}

/** A text as OData writes it: in single quotes, those inside doubled. */
export function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** The path of an object by an alternate key: `/groups(uniqueName='x')`. */
export function keyed(set: string, key: string, value: string): string {
  return `/${set}(${key}=${encodeURIComponent(quoted(value)).replaceAll("'", '%27')})`;
}

/** Where a cursor leads, and how long the whole list was. */
function placeIn(cursor: string): { query: string; count: number | undefined } {
  const text = Buffer.from(cursor, 'base64url').toString();
  const at = text.indexOf('?');
  const [count, query] = [text.slice(0, at), text.slice(at)];
  // Only a cursor of ours begins so; anything else is somebody's guess.
  if (at < 0 || !/^\d{0,9}$/.test(count) || !/^[\x21-\x7e]+$/.test(query) || !/skiptoken=./i.test(query))
    throw noPlace();
  return { query, count: count === '' ? undefined : Number(count) };
}

function urlOf(base: string, path: string, { query = {}, eventual }: GraphOptions): URL {
  const url = new URL(`${base}${path}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  if (eventual) url.searchParams.set('$count', 'true');
  return url;
}

async function request(
  world: GraphWorld,
  url: URL,
  asked: GraphRequest,
  options: GraphOptions,
): Promise<unknown> {
  const id = world.newId();
  let again: { claims: string | null } | undefined;
  let mayBeDone = false;
  for (let attempt = 1; ; attempt++) {
    const token = await world.token(again);
    const answer = await once(world, url, asked, options, { token, id });
    if (answer instanceof Failure) {
      const wait = asked.method === 'POST' ? undefined : waitBefore(attempt + 1, undefined);
      if (wait === undefined) throw answer;
      mayBeDone = true;
      await world.pause(wait);
      continue;
    }
    // What an attempt before removed, though its answer said otherwise or was lost, is not there any more.
    if (asked.method === 'DELETE' && answer.status === 404 && mayBeDone) {
      await answer.body?.cancel();
      return undefined;
    }
    if (isUncertainStatus(answer.status)) mayBeDone = true;
    if (answer.ok) return answer.status === 204 ? undefined : await jsonBody(answer);
    const challenge = again ? undefined : challengeOf(answer);
    const wait = isWorthRepeating(asked.method, answer.status)
      ? waitBefore(attempt + 1, retryAfter(answer.headers.get('retry-after')))
      : undefined;
    if (!challenge && wait === undefined)
      throw graphFailure(asked, answer.status, await jsonBody(answer), answer.headers.get('request-id'));
    await answer.body?.cancel();
    again = challenge ?? again;
    if (!challenge && wait) await world.pause(wait);
  }
}

async function once(
  world: GraphWorld,
  url: URL,
  asked: GraphRequest,
  { body, headers, eventual }: GraphOptions,
  call: { token: string; id: string },
): Promise<Response | Failure> {
  try {
    return await world.fetch(url, {
      method: asked.method,
      headers: {
        authorization: `Bearer ${call.token}`,
        accept: 'application/json',
        'client-request-id': call.id,
        ...(eventual ? { consistencylevel: 'eventual' } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    const why = cause instanceof Failure ? cause.message : 'The connection failed.';
    const words = `Microsoft Graph cannot be reached. ${why}${doubtAbout(asked)}`;
    return new Failure('directory_unavailable', words, { cause });
  }
}

/** A 401 that a new token answers: a claims challenge (continuous access evaluation), or a token that has run out. */
function challengeOf({ status, headers }: Response): { claims: string | null } | undefined {
  if (status !== 401) return undefined;
  const encoded = /\bclaims="([A-Za-z0-9+/=_-]+)"/.exec(headers.get('www-authenticate') ?? '')?.[1];
  return { claims: encoded ? Buffer.from(encoded, 'base64').toString() : null };
}

function nextPage(link: unknown, base: string): URL | undefined {
  if (typeof link !== 'string') return undefined;
  // The next page gets our token: only Graph itself may name it (reference: nextLink to a foreign host).
  if (URL.canParse(link) && new URL(link).origin === new URL(base).origin) return new URL(link);
  throw new Failure('directory_refused', 'The next page of a list is at another host than Microsoft Graph.');
}

function parse<S extends z.ZodType>(schema: S, value: unknown, path: string): z.output<S> {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw new Failure('directory_unavailable', `Microsoft Graph answered ${path} with something unexpected.`, {
    cause: read.error,
  });
}
