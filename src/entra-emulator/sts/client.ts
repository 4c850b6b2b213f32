import { findServicePrincipal } from '../tenant/directory.ts';
import { isGuid } from '../tenant/identify.ts';
import type { Application, ServicePrincipal, Tenant } from '../tenant/model.ts';
import { findRegistration, type World } from '../world.ts';
import { Aadsts } from './aadsts.ts';

/** A client in a tenant: its registration and the service principal it has there. */
export type Client = { application: Application; principal: ServicePrincipal };

/** The client of an id in a tenant; throws 700038, 700016, 50194 or 7000112. */
export function findClient(world: World, tenant: Tenant, clientId: string | undefined): Client {
  if (!clientId) throw new Aadsts(900144, ['client_id']);
  if (!isGuid(clientId) || /^[0-]+$/.test(clientId)) throw new Aadsts(700038, [clientId]);
  const registration = findRegistration(world, clientId);
  const principal = findServicePrincipal(tenant, clientId.toLowerCase());
  if (!registration || !principal || isNotReplicated(world, tenant, principal.id))
    throw new Aadsts(700016, [clientId, tenant.displayName]);
  if (!principal.accountEnabled) throw new Aadsts(7000112, [clientId, principal.displayName]);
  return { application: registration.application, principal };
}

/** True while a `replicationDelay` fault hides an object that was made a moment ago. */
export function isNotReplicated(world: World, tenant: Tenant, id: string): boolean {
  const bornAt = tenant.born.get(id) ?? 0;
  if (bornAt === 0) return false;
  const delay = Number(world.faults.take('replicationDelay')?.milliseconds ?? 0);
  return world.clock.now() < bornAt + delay;
}
