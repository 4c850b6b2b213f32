import { type Ask, jsonOf, type Reply } from '../exchange.ts';
import { isNotReplicated } from '../sts/client.ts';
import type { DirectoryObject, Tenant } from '../tenant/model.ts';
import type { World } from '../world.ts';
import type { Caller } from './caller.ts';
import { badRequest, denied, GraphFailure, notFound } from './failure.ts';
import type { Query } from './query.ts';

/** A Graph request on its way to an operation. */
export type Call = {
  world: World;
  ask: Ask;
  caller: Caller;
  tenant: Tenant;
  /** What the placeholders of the path stand for. */
  names: Record<string, string>;
  /** Path below `/v1.0`, as asked, for links. */
  path: string;
  /** Entity name of a cast at the end of the path (`.../microsoft.graph.user`). */
  cast: string | undefined;
  /** True when the path ends in `/$count`. */
  isCountOnly: boolean;
  query: Query;
};

/** One row of Graph's table: what it answers and which permissions it takes (any of each list). */
export type Operation = {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `/groups/{group}/members/$ref`; a placeholder stands for one segment. */
  path: string;
  delegated: readonly string[];
  application: readonly string[];
  /** Delegated permissions with which users may do it to themselves. */
  self?: readonly string[];
  /** True for what changes nothing in spite of its method. */
  readsOnly?: boolean;
  run(call: Call): Reply | Promise<Reply>;
};

/** The JSON body of a call; throws 400 without one. */
export function bodyOf(call: Call): Record<string, unknown> {
  const body = jsonOf(call.ask);
  if (!body)
    throw new GraphFailure(
      400,
      'BadRequest',
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
    );
  return body;
}

/** A text of the body; throws 400 when it is missing or no text. */
export function textOf(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  if (typeof value === 'string' && value !== '') return value;
  throw badRequest(`A value is required for property '${name}' of resource.`, [
    { code: 'MissingValue', target: name, message: `'${name}' is required.` },
  ]);
}

/** An object of one kind by its id; throws 404 when it is not there or, under a fault, not there yet. */
export function find<T extends DirectoryObject>(
  call: Call,
  among: Map<string, T>,
  id: string | undefined,
): T {
  const object = id === undefined ? undefined : among.get(id);
  if (!object || isNotReplicated(call.world, call.tenant, object.id)) throw notFound(id ?? '');
  return object;
}

/** Requires one of some permissions beyond those of the operation. */
export function requirePermission(call: Call, ...permissions: readonly string[]): void {
  if (!permissions.some((permission) => call.caller.permissions.has(permission))) throw denied();
}

/** True for an application or service principal that the calling application or user owns. */
function isOwned({ tenant, caller }: Call, id: string): boolean {
  const owners = tenant.owners.from.get(id);
  return owners?.has(caller.user?.id ?? caller.principal?.id ?? '') ?? false;
}

/** Requires that an application may be changed: by permission, or as an owner. */
export function requireManaged(call: Call, id: string): void {
  const { caller } = call;
  if (caller.user ? caller.isAdministrator : caller.permissions.has('Application.ReadWrite.All')) return;
  if (!isOwned(call, id)) throw denied();
}

/** 204 without a body. */
export const noContent = (): Reply => ({ status: 204 });
