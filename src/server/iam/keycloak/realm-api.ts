import { z } from 'zod';
import { Failure, type FailureCode } from '../../failure/errors.ts';
import type { TokenSource } from '../../provider/graph.ts';
import { jsonBody } from '../../provider/json-body.ts';
import { ifFound } from '../../provider/not-there.ts';
import { noPlace } from '../../provider/page-place.ts';
import { isWorthRepeating, retryAfter, waitBefore } from '../../provider/retry.ts';
import type { DirectoryWorld } from '../directory.ts';

const text = z.string().catch('');
const said = z
  .object({ error: text, errorMessage: text, error_description: text, field: text })
  .catch({ error: '', errorMessage: '', error_description: '', field: '' });

/** What was asked of Keycloak, for the message. */
export interface RealmRequest {
  readonly method: string;
  /** Below `/admin/realms/{realm}`. */
  readonly path: string;
  /** The role of `realm-management` that it takes. */
  readonly role: string;
  /** Who asks, for the message when the role is missing. */
  readonly who: string;
}

/** The failure that an answer of the Admin REST API with a status of 400 or more amounts to. */
function keycloakFailure(asked: RealmRequest, status: number, body: unknown): Failure {
  const { error, errorMessage, error_description, field } = said.parse(body);
  const words = [field, errorMessage || error_description || error].filter(Boolean).join(': ');
  const [code, message] = judge(asked, status, words.replace(/\.$/, '') || 'it does not say why');
  return new Failure(code, `${message} (${asked.method} ${asked.path}: status ${status}).`);
}

function judge({ role, who }: RealmRequest, status: number, words: string): [FailureCode, string] {
  if (status === 401) return ['directory_denied', `Keycloak does not accept the gateway's token: ${words}`];
  if (status === 403)
    return ['directory_denied', `Keycloak denies this: ${who} lacks the role ${role} of realm-management`];
  if (status === 404) return ['not_found', 'Keycloak has no such object'];
  if (status === 409) return ['conflict', `Keycloak has it already: ${words}`];
  if (status === 429 || status >= 500)
    return ['directory_unavailable', 'Keycloak is not available right now; try again in a minute'];
  return ['directory_refused', `Keycloak refuses this: ${words}`];
}

/** What a request may say besides its path. */
export interface ApiOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The role of `realm-management` that it takes, for the message when it is missing. */
  readonly role: string;
}

/** The Admin REST API of one realm; paths begin after `/admin/realms/{realm}`. Every method throws a Failure. */
export interface RealmApi {
  /** Answers the parsed body, and the id of what was made (from Location; empty otherwise). */
  send(method: string, path: string, options: ApiOptions): Promise<{ body: unknown; id: string }>;
  get<S extends z.ZodType>(path: string, schema: S, options: ApiOptions): Promise<z.output<S>>;
  /** The object, or undefined when Keycloak has none (404). */
  find<S extends z.ZodType>(path: string, schema: S, options: ApiOptions): Promise<z.output<S> | undefined>;
  /** One page of a list, and where the next one begins; null at its end. */
  page<S extends z.ZodType>(path: string, schema: S, options: PageOptions): Promise<ApiPage<z.output<S>>>;
}

/** A page that is asked for. */
export interface PageOptions extends ApiOptions {
  readonly limit: number;
  readonly from?: string | null | undefined;
}

/** A page of a list. */
export interface ApiPage<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** Makes a client; nothing is sent until it is used. `who` is whose token it is, for messages. */
export function createRealmApi(
  baseUrl: string,
  token: TokenSource,
  world: Pick<DirectoryWorld, 'fetch' | 'pause'>,
  who = 'the service account of KEYCLOAK_ADMIN_CLIENT_ID',
): RealmApi {
  const send: RealmApi['send'] = (method, path, options) => {
    const url = new URL(`${baseUrl}${path}`);
    for (const [name, value] of Object.entries(options.query ?? {})) url.searchParams.set(name, value);
    return request({ ...world, token }, url, { method, path, role: options.role, who }, options.body);
  };
  const get: RealmApi['get'] = async (path, schema, options) =>
    parse(schema, (await send('GET', path, options)).body, path);
  return {
    send,
    get,
    find: (path, schema, options) => ifFound(get(path, schema, options)),
    async page(path, schema, { limit, from, query = {}, ...options }) {
      const first = startOf(from);
      const places = { first: String(first), max: String(limit) };
      const items = await get(path, z.array(schema), { ...options, query: { ...query, ...places } });
      return { items, next: items.length < limit ? null : String(first + limit) };
    },
  };
}

function startOf(from: string | null | undefined): number {
  if (from === null || from === undefined || from === '') return 0;
  if (/^\d{1,9}$/.test(from)) return Number(from);
  throw noPlace();
}

async function request(
  world: Pick<DirectoryWorld, 'fetch' | 'pause'> & { readonly token: TokenSource },
  url: URL,
  asked: RealmRequest,
  body: unknown,
): Promise<{ body: unknown; id: string }> {
  let isRenewed = false;
  for (let attempt = 1; ; attempt++) {
    const token = await world.token(isRenewed ? { claims: null } : undefined);
    const answer = await once(world, url, asked, { token, body });
    if (answer instanceof Failure) {
      const wait = asked.method === 'POST' ? undefined : waitBefore(attempt + 1, undefined);
      if (wait === undefined) throw answer;
      await world.pause(wait);
      continue;
    }
    if (answer.ok) return { body: await jsonBody(answer), id: idIn(answer.headers.get('location')) };
    const wait = isWorthRepeating(asked.method, answer.status)
      ? waitBefore(attempt + 1, retryAfter(answer.headers.get('retry-after')))
      : undefined;
    // A token may end, or be ended by an administrator, before its time.
    const isStale = answer.status === 401 && !isRenewed;
    if (!isStale && wait === undefined) throw keycloakFailure(asked, answer.status, await jsonBody(answer));
    await answer.body?.cancel();
    if (isStale) isRenewed = true;
    else if (wait) await world.pause(wait);
  }
}

async function once(
  world: Pick<DirectoryWorld, 'fetch'>,
  url: URL,
  { method }: RealmRequest,
  { token, body }: { token: string; body: unknown },
): Promise<Response | Failure> {
  try {
    return await world.fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    const why = cause instanceof Failure ? cause.message : 'The connection failed.';
    return new Failure('directory_unavailable', `Keycloak cannot be reached. ${why}`, { cause });
  }
}

function idIn(location: string | null): string {
  return location?.split('/').pop() ?? '';
}

function parse<S extends z.ZodType>(schema: S, value: unknown, path: string): z.output<S> {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw new Failure('directory_unavailable', `Keycloak answered ${path} with something unexpected.`, {
    cause: read.error,
  });
}
