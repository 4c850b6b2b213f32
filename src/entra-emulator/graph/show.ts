import { isRecord, type Reply } from '../exchange.ts';
import type { DirectoryObject } from '../tenant/model.ts';
import { graphOrigin, type World } from '../world.ts';
import type { Call } from './call.ts';
import { badRequest, missingFeature, unsupportedQuery } from './failure.ts';
import { published } from './published.ts';
import { needsAdvanced, type Query, skipToken } from './query.ts';
import { absentTypes, type EntityType, entityTypes } from './schema.ts';

/** What `$expand` may name on a kind of object, and where that leads. */
export type Expansions = Record<string, (object: DirectoryObject) => readonly object[]>;

/** The base of Graph's v1.0 paths. */
export function base(world: World): string {
  return `${graphOrigin(world)}/v1.0`;
}

/** One object as an answer. */
export function showOne(
  call: Call,
  type: EntityType,
  object: object,
  options: { status?: number; isNew?: boolean; expansions?: Expansions } = {},
): Reply {
  const select = options.isNew ? undefined : call.query.select;
  const context = `${base(call.world)}/$metadata#${type.set}${select ? `(${select.join(',')})` : ''}/$entity`;
  const body = { '@odata.context': context, ...project(type, object, select, true) };
  expand(call, object, body, options.expansions);
  return { status: options.status ?? 200, headers: odata(), body };
}

/** A list as an answer: filtered, searched, sorted, counted and cut into pages. */
export function showList(
  call: Call,
  type: EntityType | undefined,
  objects: readonly object[],
  options: { set?: string; expansions?: Expansions; hide?: (object: object) => object } = {},
): Reply {
  const { query, world } = call;
  const narrowed = castTo(call, objects);
  const shown = type ?? castType(call.cast);
  checkNames(shown, query);
  const kept = arrange(narrowed, query);
  if (call.isCountOnly) return countOnly(query, kept.length);
  const page = kept.slice(query.skip, query.skip + query.top);
  const value = page.map((object) => {
    const entity = shown ?? typeOf(object);
    const plain = options.hide ? options.hide(object) : object;
    const body = project(entity, plain, query.select, false);
    if (!type) Object.assign(body, { '@odata.type': `#microsoft.graph.${entity.name}` });
    expand(call, object, body, options.expansions);
    return type ? body : { '@odata.type': body['@odata.type'], ...body };
  });
  const end = query.skip + page.length;
  const set = options.set ?? type?.set ?? 'directoryObjects';
  return {
    status: 200,
    headers: odata(),
    body: {
      '@odata.context': `${base(world)}/$metadata#${set}${query.select ? `(${query.select.join(',')})` : ''}`,
      // Only with the first page.
      ...(query.wantsCount && query.skip === 0 ? { '@odata.count': kept.length } : {}),
      ...(end < kept.length ? { '@odata.nextLink': nextLink(call, end) } : {}),
      value,
    },
  };
}

/** The entity type of a directory object. */
export function typeOf(object: object): EntityType {
  const { kind } = object as { kind?: DirectoryObject['kind'] };
  if (kind === undefined) throw new Error('an object without a kind needs its type');
  return entityTypes[kind];
}

function odata(): Record<string, string> {
  return {
    'content-type':
      'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8',
  };
}

function castTo(call: Call, objects: readonly object[]): readonly object[] {
  if (!call.cast) return objects;
  // A cast is an advanced query on every directory relation; the bin is listed by type.
  const isBin = call.path.startsWith('/directory/');
  if (!isBin && !(call.query.isEventual && (call.query.wantsCount || call.isCountOnly)))
    throw needsAdvanced();
  return objects.filter((object) => (object as { kind?: string }).kind === call.cast);
}

function castType(cast: string | undefined): EntityType | undefined {
  if (!cast || absentTypes.includes(cast)) return undefined;
  return Object.values(entityTypes).find((type) => type.name === cast);
}

/** The object with the selected properties, or its defaults; names were checked before. */
function project(
  type: EntityType,
  object: object,
  select: readonly string[] | undefined,
  isSingle: boolean,
): Record<string, unknown> {
  const names = select ?? type.defaults ?? Object.keys(type.properties);
  if (select && isSingle) checkSelected(type, select);
  const source = object as Record<string, unknown>;
  const body: Record<string, unknown> = {};
  for (const name of names)
    if (name in type.properties) body[name] = shown(name, source[name] ?? null, select);
  return body;
}

/** Certificates show themselves only when `keyCredentials` was selected. */
function shown(name: string, value: unknown, select: readonly string[] | undefined): unknown {
  if (name !== 'keyCredentials' || select?.includes(name) || !Array.isArray(value)) return value;
  return value.map((credential) => (isRecord(credential) ? { ...credential, key: null } : credential));
}

function checkNames(type: EntityType | undefined, query: Query): void {
  const named = [...(query.select ?? []), ...query.orderby.map(({ property }) => property)];
  if (type) checkSelected(type, named);
}

/** 400 for a property that Graph does not have, 501 for one that the emulator does not have. */
function checkSelected(type: EntityType, names: readonly string[]): void {
  for (const name of names) {
    if (name in type.properties) continue;
    if (published(type.name).includes(name)) throw missingFeature(`property '${name}' of ${type.name}`);
    throw badRequest(`Could not find a property named '${name}' on type 'microsoft.graph.${type.name}'.`);
  }
}

function arrange(objects: readonly object[], { filter, search, orderby }: Query): readonly object[] {
  let kept = objects;
  if (filter) kept = kept.filter((object) => filter.keeps(object));
  if (search) kept = kept.filter((object) => search(object));
  if (orderby.length === 0) return kept;
  const value = (object: object, name: string) =>
    String((object as Record<string, unknown>)[name] ?? '').toLowerCase();
  return [...kept].sort((one, other) => {
    for (const { property, isDescending } of orderby) {
      const [a, b] = [value(one, property), value(other, property)];
      if (a !== b) return a < b === isDescending ? 1 : -1;
    }
    return 0;
  });
}

function countOnly(query: Query, count: number): Reply {
  if (!query.isEventual) throw unsupportedQuery("'$count' needs the header 'ConsistencyLevel: eventual'.");
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: String(count) };
}

/** The link to the next page: the same request with a position. A fault sends it to a foreign host. */
function nextLink(call: Call, position: number): string {
  const foreign = call.world.faults.take('foreignNextLink', { path: call.path });
  const origin = foreign ? `${foreign.origin ?? 'https://graph.attacker.example'}/v1.0` : base(call.world);
  const parameters = new URLSearchParams(call.ask.url.search);
  parameters.set('$skiptoken', skipToken(position));
  const text = [...parameters].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return `${origin}${call.path}?${text}`;
}

/** At most twenty related objects come along with each. */
function expand(
  call: Call,
  object: object,
  body: Record<string, unknown>,
  expansions: Expansions = {},
): void {
  for (const { name, select } of call.query.expand) {
    const relation = Object.hasOwn(expansions, name) ? expansions[name] : undefined;
    if (!relation) {
      const type = typeOf(object).name;
      throw published(type).includes(name)
        ? missingFeature(`$expand of '${name}' on ${type}`)
        : badRequest(`Could not find a property named '${name}' on type 'microsoft.graph.${type}'.`);
    }
    body[name] = relation(object as DirectoryObject)
      .slice(0, 20)
      .map((related) => {
        const hasKind = 'kind' in related;
        const type = hasKind ? typeOf(related) : entityTypes.appRoleAssignment;
        const tag = hasKind ? { '@odata.type': `#microsoft.graph.${type.name}` } : {};
        return { ...tag, ...project(type, related, select, true) };
      });
  }
}
