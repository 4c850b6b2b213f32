import { type ClientNeed, needsOf } from '../client-needs.ts';
import { type FullClient, findClient } from '../clients.ts';
import { audienceMapper, groupsMapper, type Mapper, namesAudience, namesGroups } from '../mappers.ts';
import { findScope, needClient, ours, present, removeClient, type SetupWorld, type Step } from './step.ts';

const write = { role: 'manage-clients' };

/** The client that people sign in with, and the client scope that puts groups and audience into its tokens. */
export const clientSteps: readonly Step[] = [
  {
    id: 'client',
    title: 'Client of the gateway (guide, step 1)',
    async plan({ api, wish }) {
      const found = await findClient(api, wish.clientId);
      const unmet = unmetBy(found, wish.callback);
      if (found) return unmet.map(({ change }) => change);
      return [
        `create the client '${wish.clientId}' with client authentication, for the standard flow only`,
        ...unmet.map(({ change }) => change),
      ];
    },
    async apply({ api, wish }) {
      const found = await findClient(api, wish.clientId);
      const body = unmetBy(found, wish.callback).reduce<object>(
        (client, need) => need.met(client as FullClient),
        found ?? bare(wish.clientId),
      );
      await (found
        ? api.send('PUT', `/clients/${found.id}`, { ...write, body })
        : api.send('POST', '/clients', { ...write, body }));
    },
    undo: (world) => removeClient(world, world.wish.clientId),
  },
  {
    id: 'client-scope',
    title: 'Groups and audience in tokens (guide, steps 2 and 3)',
    async plan(world) {
      const found = await findScope(world);
      const lines = missingMappers(world, found?.protocolMappers).map(({ line }) => line);
      return found ? lines : [`create the client scope '${world.wish.scopeName}'`, ...lines];
    },
    async apply(world) {
      const { api, wish } = world;
      const found = await findScope(world);
      const mappers = missingMappers(world, found?.protocolMappers).map(({ mapper }) => mapper);
      if (found) {
        const path = `/client-scopes/${found.id}/protocol-mappers/models`;
        for (const body of mappers) await api.send('POST', path, { ...write, body });
        return;
      }
      await api.send('POST', '/client-scopes', {
        ...write,
        body: {
          ...{ name: wish.scopeName, protocol: 'openid-connect', protocolMappers: mappers },
          description: 'What the MCP gateway needs to know about its callers',
          attributes: {
            ...{ 'include.in.token.scope': 'false', 'display.on.consent.screen': 'false' },
            [ours]: 'true',
          },
        },
      });
    },
    async undo(world) {
      const found = await findScope(world);
      if (found?.attributes?.[ours] !== 'true') return [];
      await world.api.send('DELETE', `/client-scopes/${found.id}`, write);
      return [`the client scope '${found.name}'`];
    },
  },
  {
    id: 'scope-of-client',
    title: 'Client scope of the client (guide, step 2)',
    async plan({ api, wish }) {
      const found = await findClient(api, wish.clientId);
      if (found?.defaultClientScopes.includes(wish.scopeName)) return [];
      return [`give '${wish.clientId}' the client scope '${wish.scopeName}' as default`];
    },
    async apply(world) {
      const { id } = await needClient(world, world.wish.clientId);
      const scope = present(await findScope(world), `client scope '${world.wish.scopeName}'`);
      await world.api.send('PUT', `/clients/${id}/default-client-scopes/${scope.id}`, write);
    },
  },
];

/** A client that setup makes: proven by a secret, and with no flow yet. */
export function bare(clientId: string) {
  return {
    ...{ clientId, protocol: 'openid-connect', enabled: true, publicClient: false },
    ...{ standardFlowEnabled: false, implicitFlowEnabled: false, directAccessGrantsEnabled: false },
    ...{ serviceAccountsEnabled: false, redirectUris: [], webOrigins: [] },
    attributes: { [ours]: 'true' },
  };
}

function unmetBy(found: FullClient | undefined, callback: string): readonly ClientNeed[] {
  return needsOf(callback).filter((need) => !found || !need.isMet(found));
}

function missingMappers({ wish }: SetupWorld, there: readonly Mapper[] | null | undefined = []) {
  const { groupsClaim, clientId, audience } = wish;
  const has = (isIt: (one: Mapper) => boolean): boolean => (there ?? []).some(isIt);
  return [
    ...(has((one) => namesGroups(one, groupsClaim))
      ? []
      : [{ line: `list groups in the claim ${groupsClaim} of tokens`, mapper: groupsMapper(groupsClaim) }]),
    ...(has((one) => namesAudience(one, audience))
      ? []
      : [{ line: `name ${audience} as audience of tokens`, mapper: audienceMapper({ clientId, audience }) }]),
  ];
}
