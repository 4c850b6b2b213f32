import type { JSONWebKeySet } from 'jose';
import type { Clock } from './clock.ts';
import type { Faults } from './control/faults.ts';
import type { Keyring } from './keys/keyring.ts';
import type { AuthorizationCode, DeviceCode, RefreshToken, Session } from './sts/memory.ts';
import { firstParty } from './tenant/first-party.ts';
import type { Application, Tenant } from './tenant/model.ts';

/** Everything an emulator consists of; made by main.ts and passed to every handler. */
export type World = {
  version: string;
  /** Scheme, host and port under which the emulator is reached; no trailing slash. */
  origin: string;
  clock: Clock;
  keys: Keyring;
  faults: Faults;
  /** Whether behaviours that nobody could decide are the ones that are worst for a client. */
  isStrict: boolean;
  /** Waits; a function so that tests of latency need not. */
  pause(milliseconds: number): Promise<void>;
  /** How long a device waits between its questions: the tenant says so with each code. */
  devicePollSeconds: number;
  tenants: Map<string, Tenant>;
  codes: Map<string, AuthorizationCode>;
  refreshTokens: Map<string, RefreshToken>;
  deviceCodes: Map<string, DeviceCode>;
  sessions: Map<string, Session>;
  /** Keys of foreign issuers, for federated credentials: the emulator fetches nothing itself. */
  trustedIssuers: Map<string, JSONWebKeySet>;
  /** Ids of client assertions that were used, with their expiry in seconds. */
  usedAssertions: Map<string, number>;
};

/** The origin of Graph: append `/v1.0/...`. */
export function graphOrigin(world: World): string {
  return `${world.origin}/graph`;
}

/** The issuers of a tenant, as its two discovery documents publish them. */
export function issuersOf(world: World, tenantId: string): { v1: string; v2: string } {
  return { v1: `${world.origin}/sts/${tenantId}/`, v2: `${world.origin}/${tenantId}/v2.0` };
}

/** A tenant by its id or one of its domains. */
export function findTenant(world: World, name: string): Tenant | undefined {
  const key = name.toLowerCase();
  const byId = world.tenants.get(key);
  if (byId) return byId;
  for (const tenant of world.tenants.values())
    if (tenant.domains.some((domain) => domain.name === key)) return tenant;
  return undefined;
}

/** The registration of an application, in whichever tenant it is at home. */
export function findRegistration(
  world: World,
  appId: string,
): { application: Application; home: Tenant } | undefined {
  for (const home of [...world.tenants.values(), firstParty])
    for (const application of home.applications.values())
      if (application.appId === appId.toLowerCase()) return { application, home };
  return undefined;
}
