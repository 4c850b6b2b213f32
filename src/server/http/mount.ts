import type { Context, Hono } from 'hono';
import type { z } from 'zod';
import { type Endpoint, type Endpoints, type Permission, Reply } from '../../contract/endpoint.ts';
import { factsOf, permissions, showing } from '../../contract/permissions.ts';
import { nameOfPath } from '../../contract/servers/servers.ts';
import { isObject } from '../../contract/values/json.ts';
import type { Access, Caller } from '../access/caller.ts';
import type { Trail } from '../audit/event.ts';
import { createRefusals, type Refusals } from '../audit/refusals.ts';
import type { Allow, Rate } from '../db/allowance.ts';
import { asFailure, Failure, type Fault, invalidInput } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';
import { holderOf } from '../identity/shares.ts';
import { recordRequest } from './audit.ts';
import type { HttpEnv, HttpIdentity } from './env.ts';
import { requireCsrf } from './guards/csrf.ts';
import { createSlots, createTurns, type Slots, type Turn, whenOver } from './guards/turns.ts';
import { readBody } from './request/body.ts';
import { networkOf } from './request/client-ip.ts';

type Cost = NonNullable<Endpoint['cost']>;

/** How many requests of each kind one identity may send at once, and how many more each minute, to all replicas together. */
const rates: Readonly<Record<Cost, Rate>> = {
  reach: { burst: 20, perMinute: 30 },
  heavy: { burst: 60, perMinute: 300 },
};

/** Requests of one identity that read or compute much, and files that it downloads, at the same time. */
const [heavyAtOnce, filesAtOnce] = [4, 4];

/** Bounds what one identity may ask of the control plane that costs more than a look-up. */
export function createBudgets(allow: Allow): (cost: Cost, identity: Identity) => Promise<void> {
  return async (cost, { provider, subject }) => {
    const retryAfter = await allow(JSON.stringify(['budget', cost, provider, subject]), rates[cost]);
    if (retryAfter === 0) return;
    const { perMinute } = rates[cost];
    throw new Failure(
      'too_many_requests',
      `You can ask for this ${perMinute} times a minute; wait and try again.`,
      {
        retryAfter,
      },
    );
  };
}

/** What mounting endpoints needs. */
export interface MountWorld {
  readonly identity: HttpIdentity;
  readonly trail: Trail;
  readonly now: () => number;
  readonly allow: Allow;
  readonly clientIp: (c: Context<HttpEnv>) => string | null;
  /** How many requests of one identity may be refused within a minute; 0, as unless given: no limit. */
  readonly refusalsPerMinute?: number;
  /** Where others take turns with the endpoints too. */
  readonly turn?: Turn;
}

/** What is shared by all endpoints: who has to wait for whom. */
interface Order {
  /** Takes from what the caller may ask for at a time. */
  readonly spend: ReturnType<typeof createBudgets>;
  readonly turn: Turn;
  readonly heavy: Slots;
  readonly files: Slots;
  readonly refusals: Refusals;
}

type World = MountWorld & Order;

type AnyHandler = (input: unknown, caller: Caller<Identity>) => unknown;
type AnyInput = {
  params: unknown;
  query: unknown;
  body: unknown;
  ifMatch: string | undefined;
  text: string | undefined;
};

interface Row {
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly handler: AnyHandler;
  readonly pattern: RegExp;
  /** Where the thing is named that a permission is about. */
  readonly names: 'path' | 'body';
  /** What the body may be. */
  readonly takes: { readonly form: boolean; readonly optional: boolean };
}

/** Mounts a table of endpoints: identity, permission, CSRF, input, handler, output, audit, in this order. */
export function mount(
  app: Hono<HttpEnv>,
  endpoints: Endpoints,
  handlers: Record<string, unknown>,
  mounted: MountWorld,
): void {
  const rows = Object.entries(endpoints).map(([id, endpoint]) => rowOf(id, endpoint, handlers[id]));
  const world: World = {
    ...mounted,
    ...{ spend: createBudgets(mounted.allow), turn: mounted.turn ?? createTurns() },
    ...{ heavy: createSlots(heavyAtOnce), files: createSlots(filesAtOnce) },
    refusals: createRefusals(mounted.refusalsPerMinute ?? 0, mounted.now),
  };
  app.use(async (c, next) => {
    const method = c.req.method === 'HEAD' ? 'GET' : c.req.method;
    const { pathname } = new URL(c.req.url);
    const candidates = rows.filter(({ pattern }) => pattern.test(pathname));
    const row = candidates.find(({ endpoint }) => endpoint.method === method);
    if (row) {
      // Nothing is called so, and no database can look for it.
      if (c.req.url.includes('%00'))
        throw new Failure('bad_request', 'The address has the character NUL in it.');
      return answer(c, row, paramsIn(row.pattern, pathname), world);
    }
    if (candidates.length === 0) return next();
    const known = [...new Set(candidates.map(({ endpoint }) => endpoint.method))].join(', ');
    throw new Failure('method_not_allowed', `${c.req.method} is not allowed here; use ${known}.`);
  });
}

function rowOf(id: string, endpoint: Endpoint, handler: unknown): Row {
  if (typeof handler !== 'function') throw new Error(`the endpoint ${id} has no handler`);
  if (!isPermission(endpoint.permission)) throw new Error(`the endpoint ${id} states no permission`);
  const pattern = patternOf(endpoint.path);
  const known = { names: namesIn(endpoint), takes: takenBy(endpoint) };
  return { id, endpoint, handler: handler as AnyHandler, pattern, ...known };
}

/** Types promise as much; a slip past them must not open a door. */
function isPermission(said: unknown): boolean {
  if (typeof said !== 'object' || said === null)
    return ['public', 'identity', 'session', 'administrator'].includes(String(said));
  const { can, on } = said as Record<string, unknown>;
  const facts = factsOf(String(can));
  // On one thing it has to be said what hides it; only a thing of a kind can be looked for.
  return facts !== undefined && (on === 'any' || (on === 'path' && showing(facts.of) !== undefined));
}

/** `{path}` may span segments, every other parameter is one. Routers of libraries differ in what follows such a span. */
function patternOf(path: string): RegExp {
  const source = path
    .replace(/[.*+?^$()|[\]\\]/g, '\\$&')
    .replace(/\{(\w+)\}/g, (_, name: string) => (name === 'path' ? '(?<path>.+?)' : `(?<${name}>[^/]+)`));
  return new RegExp(`^${source}/?$`);
}

function paramsIn(pattern: RegExp, pathname: string): Record<string, string> {
  try {
    const found = Object.entries(pattern.exec(pathname)?.groups ?? {});
    return Object.fromEntries(found.map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch (error) {
    throw new Failure('bad_request', 'The address has a broken percent-encoding.', { cause: error });
  }
}

async function answer(
  c: Context<HttpEnv>,
  row: Row,
  params: Record<string, string>,
  world: World,
): Promise<Response> {
  const started = world.now();
  const notes: Record<string, unknown> = {};
  try {
    return await serve(c, row, params, world, notes);
  } catch (error) {
    const failure = tooOften(c, asFailure(error), world);
    c.set('failure', failure);
    throw failure;
  } finally {
    recordRequest(c, { ...row, id: row.endpoint.countsAs ?? row.id, params, started, notes }, world);
  }
}

/**
 * The failure, or that there were too many of them: each leaves a row of the trail, and whoever has no right here could write
 * it full. Administrators write as many rows as they like anyway, and their programs look for what is not there yet.
 */
function tooOften(c: Context<HttpEnv>, failure: Failure, world: World): Failure {
  const identity = c.get('identity');
  const counts = identity && failure.status < 500 && failure.status !== 429;
  if (!counts || world.identity.access(identity).isAdmin) return failure;
  const event: { reason?: string } = {};
  const told = world.refusals.of(event, holderOf(identity), failure);
  if (event.reason !== undefined) c.set('refusedBecause', event.reason);
  return told;
}

async function serve(
  c: Context<HttpEnv>,
  { endpoint, handler, names, takes }: Row,
  given: Record<string, string>,
  world: World,
  notes: Record<string, unknown>,
): Promise<Response> {
  const caller = await callerOf(c, endpoint.permission, world, notes);
  // Before any input is looked at: what is wrong with it is nothing to somebody who may not send it.
  if (caller) requirePermission(endpoint, caller, names === 'body' ? undefined : (given.path ?? ''));
  if (caller && endpoint.cost) await world.spend(endpoint.cost, caller.identity);
  const params = parse(endpoint.params, given, 'path');
  const query = parse(endpoint.query, c.req.query(), 'query');
  const read = endpoint.body ? await readBody(c, takes) : undefined;
  const body = parse(endpoint.body, read?.value, 'body');
  // The audit trail has what the body names as it has what a URL names.
  if (endpoint.countsAs && isObject(body) && typeof body.path === 'string')
    given.path = nameOfPath(body.path);
  if (caller && names === 'body') requirePermission(endpoint, caller, given.path ?? '');
  const input: AnyInput = {
    ...{ params, query, body },
    text: endpoint.keepsText ? read?.text : undefined,
    ifMatch: c.req.header('if-match'),
  };
  const leave = caller && endpoint.cost === 'heavy' ? await placeFor(caller.identity, endpoint, world) : free;
  let isOver = true;
  try {
    const answer = await handler(input, caller ?? anonymous(c, notes));
    const { body: said, headers } = answer instanceof Reply ? answer : new Reply(answer);
    const status = endpoint.status ?? 200;
    const shared = { 'cache-control': 'no-store', 'x-correlation-id': c.get('correlationId'), ...headers };
    if (status === 204) return new Response(null, { status, headers: shared });
    if (endpoint.media) {
      // A proxy that collects an answer before it passes it on would hold events back.
      const type = typeof endpoint.media === 'string' ? endpoint.media : endpoint.media[0];
      const own = { 'content-type': type, 'x-accel-buffering': 'no', ...shared };
      const sent = endpoint.output.parse(said) as string | ReadableStream<Uint8Array>;
      if (!(sent instanceof ReadableStream) || leave === free)
        return new Response(sent, { status, headers: own });
      isOver = c.req.method === 'HEAD';
      if (isOver) await sent.cancel();
      return new Response(isOver ? null : whenOver(sent, leave), { status, headers: own });
    }
    // What leaves passes its schema, so that no column gets out by accident.
    const text = JSON.stringify(endpoint.output.parse(said));
    // With its length, so that what is short is not compressed.
    const own = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) };
    return new Response(text, { status, headers: { ...own, ...shared } });
  } finally {
    if (isOver) leave();
  }
}

const free = (): void => {};

/** A place for what takes long: who has them all waits for one, but not for the end of a file that somebody downloads. */
async function placeFor(
  identity: Identity,
  { media }: Endpoint,
  { heavy, files }: World,
): Promise<() => void> {
  const leave = await (media ? files : heavy).take(holderOf(identity), !media);
  if (leave) return leave;
  throw new Failure(
    'too_many_requests',
    `You are downloading ${filesAtOnce} files already. Wait until one of them is complete.`,
    { retryAfter: 10 },
  );
}

/** What the body may be; nothing at all where its schema is content with that. */
function takenBy({ form, body }: Endpoint): { form: boolean; optional: boolean } {
  return { form: form ?? false, optional: body?.safeParse(undefined).success ?? false };
}

async function callerOf(
  c: Context<HttpEnv>,
  permission: Permission,
  world: World,
  notes: Record<string, unknown>,
): Promise<Caller<Identity> | undefined> {
  const who = permission === 'public' ? undefined : await world.identity.identify(c.req.header());
  await world.turn(who?.is === 'identity' ? holderOf(who.identity) : `from ${networkOf(world.clientIp(c))}`);
  if (!who) return undefined;
  if (who.is !== 'identity') throw who.failure;
  const { identity } = who;
  c.set('identity', identity);
  if (permission === 'session' && identity.method !== 'session')
    throw new Failure('not_allowed', 'This needs a browser session: sign in to the web interface.');
  if (identity.method === 'session' && c.req.method !== 'GET')
    requireCsrf(c.req.header('x-csrf-token'), world.identity.csrfToken(identity));
  return {
    identity,
    access: world.identity.access(identity),
    correlationId: c.get('correlationId'),
    note: (detail) => Object.assign(notes, detail),
  };
}

/** Where the thing is named that a permission is about. */
function namesIn({ permission, path }: Endpoint): 'path' | 'body' {
  const isOn = typeof permission === 'object' && permission.on === 'path';
  return isOn && !path.includes('{path}') ? 'body' : 'path';
}

/** Unknown and forbidden things look alike to somebody who may not even list them. */
function requirePermission(endpoint: Endpoint, { access }: Caller<Identity>, path: string | undefined): void {
  const { permission } = endpoint;
  if (typeof permission === 'string') {
    if (permission === 'administrator' && !access.isAdmin)
      throw new Failure('not_allowed', 'Administrator permissions are required for this operation.');
    return;
  }
  if (permission.on === 'any' || path === undefined) {
    if (!access.may(permission.can)) throw insufficient(permission.can);
    return;
  }
  const name = nameOfPath(path);
  const visible = showing(permissions[permission.can].of);
  if (visible === undefined || !access.may(visible, name))
    throw new Failure('not_found', `'${name}' does not exist, or you do not have access to it.`);
  if (!access.may(permission.can, name)) throw insufficient(permission.can, name);
}

function insufficient(permission: string, name?: string): Failure {
  const on = name === undefined ? '' : ` for ${name}`;
  return new Failure(
    'not_allowed',
    `Insufficient permissions. Required: ${permission}${on}. Ask an administrator for a scope that grants it.`,
  );
}

function parse(schema: z.ZodType | undefined, value: unknown, where: string): unknown {
  if (!schema) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults: Fault[] = result.error.issues.map((issue) => ({
    at: [where, ...issue.path.map(String)].join('.'),
    message: issue.message,
  }));
  throw invalidInput(faults);
}

const nobody: Access = {
  scopes: [],
  isAdmin: false,
  permissions: new Map(),
  servers: new Set(),
  may: () => false,
};

function anonymous(c: Context<HttpEnv>, notes: Record<string, unknown>): Caller<Identity> {
  const identity: Identity = {
    kind: 'person',
    provider: '',
    subject: '',
    username: 'anonymous',
    name: null,
    email: null,
    clientId: null,
    groups: [],
    method: 'session',
    credentialId: null,
    expiresAt: 0,
  };
  const note = (detail: Readonly<Record<string, unknown>>): void => void Object.assign(notes, detail);
  return { identity, access: nobody, correlationId: c.get('correlationId'), note };
}
