import { instant } from '../clock.ts';
import type { Tenant } from '../tenant/model.ts';
import { plant, type Seed } from '../tenant/seed.ts';
import type { World } from '../world.ts';

/** What of a world changes while it runs, as JSON text can hold it. */
const parts = [
  'tenants',
  'codes',
  'refreshTokens',
  'deviceCodes',
  'sessions',
  'trustedIssuers',
  'usedAssertions',
] as const;

/** The state as JSON text: tenants, sessions, refresh tokens. Keys and faults are not in it. */
export function takeSnapshot(world: World): string {
  const state = Object.fromEntries(parts.map((part) => [part, world[part]]));
  return JSON.stringify({ emulator: world.version, ...state }, replacer);
}

/** Puts a snapshot back; throws an Error when it is not one, and changes nothing then. */
export function restoreSnapshot(world: World, text: string): void {
  const state: unknown = JSON.parse(text, reviver);
  const maps = parts.map((part) => (state as Record<string, unknown> | null)?.[part]);
  if (!maps.every((map) => map instanceof Map)) throw new Error('This is not a snapshot of the emulator.');
  for (const tenant of (maps[0] as Map<string, Tenant>).values()) shareObjects(tenant);
  for (const [index, part] of parts.entries()) refill(world[part], maps[index] as Map<string, unknown>);
}

/** Goes back to the seed: tenants as they were, nobody signed in, no fault, the clock unmoved. Keys stay. */
export function reset(world: World, seed: Seed): void {
  world.faults.clear();
  world.clock.reset();
  for (const part of parts) world[part].clear();
  refill(world.tenants, plant(seed, instant(world.clock)));
}

function refill(target: Map<string, unknown>, source: Map<string, unknown>): void {
  target.clear();
  for (const [key, value] of source) target.set(key, value);
}

/** In a tenant the same object is in two maps; text makes two of it, so one takes the other's place. */
function shareObjects(tenant: Tenant): void {
  for (const kind of ['users', 'groups', 'applications', 'servicePrincipals', 'directoryRoles'] as const)
    for (const [id, object] of tenant[kind]) tenant.objects.set(id, object);
}

function replacer(key: string, value: unknown): unknown {
  if (key === 'objects') return { $map: [] };
  if (value instanceof Map) return { $map: [...value] };
  return value instanceof Set ? { $set: [...value] } : value;
}

function reviver(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('$map' in value && Array.isArray(value.$map)) return new Map(value.$map);
  return '$set' in value && Array.isArray(value.$set) ? new Set(value.$set) : value;
}
