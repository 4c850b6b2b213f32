import { randomUUID } from 'node:crypto';
import { type Emulator, shippedTenant } from '../../../../entra-emulator/main.ts';
import type { EntraConfig } from '../../../config/config.ts';
import type { Fetch } from '../../../net/outbound.ts';
import type { Directory } from '../../directory.ts';
import { entraDirectory } from './create.ts';

/** The settings of a gateway at an emulator, whose directory is administered by the registration given. */
export function emulatedConfig(
  emulator: Emulator,
  graph: { clientId: string; clientSecret: string } = shippedTenant.admin,
): EntraConfig {
  return {
    tenantId: emulator.tenantId,
    clientId: shippedTenant.clientId,
    clientSecret: shippedTenant.clientSecret,
    redirectUri: 'http://localhost/oauth2/callback/entra',
    loginBaseUrl: emulator.origin,
    graphBaseUrl: emulator.graphOrigin,
    applicationIdUri: shippedTenant.appIdUri,
    groupAdminId: null,
    groupUsersId: null,
    graph: { clientId: graph.clientId, clientSecret: graph.clientSecret },
  };
}

/** A directory over an emulator that does not wait, but moves the emulator's clock on; `waits` are in milliseconds. */
export function emulatedDirectory(
  emulator: Emulator,
  options: { graph?: { clientId: string; clientSecret: string }; fetch?: Fetch } = {},
): { directory: Directory; waits: number[]; sent: { method: string; url: string }[] } {
  const waits: number[] = [];
  const sent: { method: string; url: string }[] = [];
  const send: Fetch = options.fetch ?? ((url, init) => fetch(url, init));
  const directory = entraDirectory(emulatedConfig(emulator, options.graph), {
    fetch: (url, init) => {
      sent.push({ method: init?.method ?? 'GET', url: String(url) });
      return send(url, init);
    },
    now: emulator.clock.now,
    newId: randomUUID,
    async pause(milliseconds) {
      waits.push(milliseconds);
      emulator.clock.advance(milliseconds);
    },
  });
  return { directory, waits, sent };
}
