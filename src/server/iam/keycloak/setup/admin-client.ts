import { z } from 'zod';
import { type FullClient, findClient } from '../clients.ts';
import type { RealmApi } from '../realm-api.ts';
import { account } from '../users.ts';
import { bare } from './client.ts';
import { needClient, present, removeClient, type SetupWorld, type Step } from './step.ts';

const read = { role: 'view-clients' };
const write = { role: 'manage-clients' };
const realmRole = z.looseObject({ id: z.string(), name: z.string() });

/** What the gateway needs to manage users, groups and agents: nothing more. */
const managementRoles = ['manage-users', 'manage-clients'] as const;

/** The client as which the gateway manages accounts. */
export const adminClientSteps: readonly Step[] = [
  {
    id: 'admin-client',
    title: 'Client for managing users, groups and agents (guide, step 6)',
    async plan({ api, wish: { adminClientId } }) {
      if (adminClientId === undefined) return [];
      const found = await findClient(api, adminClientId);
      if (found?.serviceAccountsEnabled) return [];
      return [
        found
          ? `turn Service accounts roles on for '${adminClientId}'`
          : `create the client '${adminClientId}' with a service account and no other flow`,
      ];
    },
    async apply({ api, wish: { adminClientId = '' } }) {
      const found = await findClient(api, adminClientId);
      const body = { ...(found ?? bare(adminClientId)), serviceAccountsEnabled: true };
      await (found
        ? api.send('PUT', `/clients/${found.id}`, { ...write, body })
        : api.send('POST', '/clients', { ...write, body }));
    },
    async undo(world) {
      const { adminClientId } = world.wish;
      return adminClientId === undefined ? [] : removeClient(world, adminClientId);
    },
  },
  {
    id: 'admin-roles',
    title: 'Roles of that client (guide, step 6)',
    async plan({ api, wish: { adminClientId } }) {
      if (adminClientId === undefined) return [];
      const found = await findClient(api, adminClientId);
      const there = found?.serviceAccountsEnabled ? await rolesOf(api, found) : [];
      return managementRoles
        .filter((role) => !there.includes(role))
        .map((role) => `give it the role ${role} of realm-management`);
    },
    async apply(world) {
      const { api } = world;
      const client = await needClient(world, world.wish.adminClientId ?? '');
      const there = await rolesOf(api, client);
      const path = await pathOfRoles(api, client);
      const available = await api.get(`${path}/available`, z.array(realmRole), { role: 'manage-users' });
      const body = managementRoles
        .filter((role) => !there.includes(role))
        .map((role) =>
          present(
            available.find(({ name }) => name === role),
            `role ${role}`,
          ),
        );
      await api.send('POST', path, { role: 'manage-users', body });
    },
  },
];

/** The roles that the account of a client has in fact, those that others hold included. */
async function rolesOf(api: RealmApi, client: FullClient): Promise<string[]> {
  const path = `${await pathOfRoles(api, client)}/composite`;
  return (await api.get(path, z.array(realmRole), { role: 'view-users' })).map(({ name }) => name);
}

async function pathOfRoles(api: RealmApi, { id }: FullClient): Promise<string> {
  const owner = await api.get(`/clients/${id}/service-account-user`, account, read);
  const management = present(await findClient(api, 'realm-management'), 'client realm-management');
  return `/users/${owner.id}/role-mappings/clients/${management.id}`;
}

/** The secret of a client; undefined while it has none. */
export async function secretOf(api: RealmApi, clientId: string): Promise<string | undefined> {
  const found = await findClient(api, clientId);
  if (!found || found.publicClient) return undefined;
  const held = z.looseObject({ value: z.string().nullish() });
  const { value } = await api.get(`/clients/${found.id}/client-secret`, held, read);
  return value || undefined;
}

/** The secret of a client, made where it has none. */
export async function needSecret(world: SetupWorld, clientId: string): Promise<string> {
  const held = await secretOf(world.api, clientId);
  if (held !== undefined) return held;
  const { id } = await needClient(world, clientId);
  const { body } = await world.api.send('POST', `/clients/${id}/client-secret`, write);
  return z.object({ value: z.string() }).parse(body).value;
}
