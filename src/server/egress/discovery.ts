import { Failure } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';
import {
  type EgressServer,
  isFor,
  openAccess,
  type RenewalWorld,
  renewed,
  skewMs,
  timesOf,
} from './renew.ts';
import { beyondLimits, type ConnectedMode, type EgressLimits } from './settings.ts';
import { type Connection, findConnection, findDiscovery } from './store.ts';

/** Who calls where nobody does: its only credentials are the gateway's own. */
export const gatewayItself: Identity = {
  ...{ kind: 'agent', provider: '', subject: '', username: 'the gateway', name: null, email: null },
  ...{ clientId: null, groups: [], method: 'session', credentialId: null, expiresAt: 0 },
};

/**
 * The credential with which a server is looked at, as `[name, value]` of a header; undefined where nobody looks. It is that of
 * the identity that was set up, or fails: no other one stands in, and no person's connection for calls is ever used. Its purpose
 * is sealed in, so it makes no calls either.
 */
export async function discoveryHeader(
  world: RenewalWorld & { readonly limits: EgressLimits },
  server: EgressServer,
): Promise<readonly [string, string] | undefined> {
  const { settings } = server;
  const { discovery } = settings;
  if (discovery === 'none') return undefined;
  const beyond = beyondLimits(settings, world.limits);
  if (beyond)
    throw new Failure('connection_refused', `${beyond}; an administrator has to change the server.`);
  const modes: Record<Exclude<typeof discovery, 'none'>, ConnectedMode> = {
    ...{ client_credentials: 'client_credentials', app_only: 'obo_exchange' },
    person: settings.egress_auth_mode,
  };
  const as = { ...server, settings: { ...settings, egress_auth_mode: modes[discovery] } };
  const connection = await connectionFor(world, as, discovery === 'person');
  const access = connection && openAccess(world.vault, connection);
  if (access === undefined)
    throw new Failure(
      'connection_needed',
      `No one is connected to '${server.name}' for its lists, or that has ended: an administrator has to connect (POST /api/egress-auth/initiate with the purpose discovery).`,
    );
  return [settings.header_name, settings.header_prefix + access];
}

async function connectionFor(
  world: RenewalWorld,
  server: EgressServer,
  byPerson: boolean,
): Promise<Connection | undefined> {
  const own = { provider: '', subject: '', serverId: server.id, purpose: 'discovery' };
  const stored = await (byPerson ? findDiscovery(world.db, server.id) : findConnection(world.db, own));
  if (stored && isFor(stored, server) && timesOf(stored, world.now()).left > skewMs) return stored;
  if (byPerson && !stored) return undefined;
  const owner = byPerson && stored ? stored.owner : { ...own, address: server.url.origin };
  return renewed(world, server, gatewayItself, owner, stored);
}
