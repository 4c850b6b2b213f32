import type { ScopeEffect } from '../../../contract/access.ts';
import type { Gain } from '../../access/gained.ts';

/** What somebody may, as the API tells it. */
export function shownGain(gain: Gain): NonNullable<ScopeEffect['gains']> {
  return {
    servers: gain.servers.map(({ server, methods, tools, prompts, resources }) => ({
      server,
      ...{ methods: [...methods], tools: [...tools], prompts: [...prompts], resources: [...resources] },
    })),
    permissions: gain.permissions.map(({ permission, names }) => ({ permission, names: [...names] })),
  };
}
