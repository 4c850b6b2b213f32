import { z } from 'zod';
import { Failure } from '../../../failure/errors.ts';
import { askToken, TokenFailure, type TokenWorld } from '../../../provider/entra-token.ts';
import { type Graph, keyed, quoted } from '../../../provider/graph.ts';
import { ifThere } from '../../../provider/not-there.ts';
import type { ServiceAccount, ServiceAccounts } from '../../directory.ts';
import { isId, isName, theOne } from '../../names.ts';
import { agentRole, servicePrincipal } from '../objects.ts';
import { type Patience, settled, unlessThere } from '../settled.ts';
import { accountSecrets } from './secrets.ts';

/** Marks the registrations that the gateway made: only they are listed, changed and deleted. */
const tag = 'mcp-gateway:m2m-account';

const registration = z.looseObject({
  id: z.string(),
  appId: z.string(),
  displayName: z.string(),
  description: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
});
const principal = z.looseObject({ id: z.string(), accountEnabled: z.boolean().nullish() });
const fields = 'id,appId,displayName,description,tags';

const read = { permission: 'Application.Read.All' };
const write = { permission: 'Application.ReadWrite.OwnedBy' };
const assign = { permission: 'AppRoleAssignment.ReadWrite.All' };

/** What accounts are made with. */
export interface AccountsWorld extends Patience, TokenWorld {
  readonly graph: Graph;
  readonly now: () => number;
  /** The gateway's own application: its client id, and the App ID URI that tokens are asked for. */
  readonly gateway: { readonly clientId: string; readonly appIdUri: string };
}

/** Applications of a tenant that the gateway made accounts for, by the tag they carry. */
export function entraServiceAccounts(world: AccountsWorld): ServiceAccounts & Required<ServiceAccounts> {
  const { graph } = world;
  return {
    async list({ search, limit, from }) {
      const begins = search ? ` and startswith(displayName,${quoted(search)})` : '';
      const query = {
        $select: fields,
        $filter: `tags/any(t:t eq ${quoted(tag)})${begins}`,
        $top: String(Math.min(limit, 999)),
      };
      const page = await graph.page('/applications', registration, { ...read, query, from, eventual: true });
      return { items: await accountsOf(graph, page.items), next: page.next, total: page.count ?? null };
    },
    find: (idOrName) => findAccount(graph, idOrName),
    async create({ name, description, marker }) {
      const body = {
        ...{ displayName: name, description: description || null, tags: [tag] },
        ...{ signInAudience: 'AzureADMyOrg', api: { requestedAccessTokenVersion: 2 } },
      };
      // An upsert by the marker: a step that is taken again finds the registration that it made.
      const path = keyed('applications', 'uniqueName', marker);
      await graph.send('PATCH', path, { ...write, headers: { prefer: 'create-if-missing' }, body });
      const made = await settled(world, () => graph.get(path, registration, { ...read, ...selected }));
      const [account] = await accountsOf(graph, [made]);
      if (!account)
        throw new Failure('directory_unavailable', 'The registration that was created cannot be found.');
      return account;
    },
    async made(marker) {
      const path = keyed('applications', 'uniqueName', marker);
      const found = await graph.find(path, registration, { ...read, ...selected });
      const [account] = found ? await accountsOf(graph, [found]) : [];
      return account;
    },
    async enable(account) {
      const body = { appId: account.clientId, tags: [tag] };
      await settled(world, () =>
        unlessThere(() => graph.send('POST', '/servicePrincipals', { ...write, body })),
      );
      const path = keyed('servicePrincipals', 'appId', account.clientId);
      const { id, accountEnabled } = await settled(world, () => graph.get(path, principal, read));
      return { ...account, principalId: id, enabled: accountEnabled !== false };
    },
    ...accountSecrets(world),
    permit: (principalId) => permit(world, principalId),
    verify: (clientId, secret) => verify(world, clientId, secret),
    remove: (id) => remove(graph, id),
  };
}

const selected = { query: { $select: fields } };

/** The accounts of registrations, with their service principals, twenty to a round trip. */
async function accountsOf(
  graph: Graph,
  found: readonly z.output<typeof registration>[],
): Promise<ServiceAccount[]> {
  const paths = found.map(({ appId }) => keyed('servicePrincipals', 'appId', appId));
  const answers = await graph.batch(paths.map((path) => ({ path: `${path}?$select=id,accountEnabled` })));
  return found.map((one, at) => {
    const answer = answers[at];
    const its = answer?.status === 200 ? principal.safeParse(answer.body).data : undefined;
    return {
      ...{ id: one.id, clientId: one.appId, name: one.displayName, description: one.description ?? null },
      ...{ principalId: its?.id ?? null, enabled: its !== undefined && its.accountEnabled !== false },
    };
  });
}

async function findAccount(graph: Graph, idOrName: string): Promise<ServiceAccount | undefined> {
  const found = isId(idOrName)
    ? await findById(graph, idOrName.toLowerCase())
    : await findByName(graph, idOrName);
  const [account] = found?.tags?.includes(tag) ? await accountsOf(graph, [found]) : [];
  return account;
}

/** By the registration's id, the client id or the principal's id. */
async function findById(graph: Graph, id: string) {
  const asked = { ...read, ...selected };
  const direct =
    (await graph.find(`/applications/${id}`, registration, asked)) ??
    (await graph.find(keyed('applications', 'appId', id), registration, asked));
  if (direct) return direct;
  const its = await graph.find(`/servicePrincipals/${id}`, z.looseObject({ appId: z.string() }), read);
  return its && graph.find(keyed('applications', 'appId', its.appId), registration, asked);
}

async function findByName(graph: Graph, name: string) {
  if (!isName(name)) return undefined;
  const query = { $select: fields, $filter: `displayName eq ${quoted(name)}`, $top: '50' };
  const { items } = await graph.page('/applications', registration, { ...read, query });
  const ours = items.filter(({ tags }) => tags?.includes(tag));
  return theOne(ours, name, ({ displayName }) => displayName);
}

async function permit(world: AccountsWorld, principalId: string): Promise<boolean> {
  const { graph, gateway } = world;
  const path = keyed('servicePrincipals', 'appId', gateway.clientId);
  const { id: resourceId, appRoles } = await graph.get(path, servicePrincipal, read);
  const role = appRoles.find(({ value, isEnabled }) => value === agentRole && isEnabled !== false);
  if (!role) return false;
  const body = { principalId, resourceId, appRoleId: role.id };
  await settled(world, () =>
    unlessThere(() =>
      graph.send('POST', `/servicePrincipals/${resourceId}/appRoleAssignedTo`, { ...assign, body }),
    ),
  );
  return true;
}

/** What Entra says of a secret or an application that it knows, but not yet everywhere. */
const notYet = new Set([7000215, 700016, 7000229, 7000216]);

async function verify(world: AccountsWorld, clientId: string, secret: string): Promise<void> {
  const form = {
    ...{ grant_type: 'client_credentials', scope: `${world.gateway.appIdUri}/.default` },
    ...{ client_id: clientId, client_secret: secret },
  };
  const isTooEarly = (error: unknown): boolean =>
    error instanceof TokenFailure && error.aadsts !== undefined && notYet.has(error.aadsts);
  await settled(world, () => askToken(world, form), isTooEarly);
}

async function remove(graph: Graph, id: string): Promise<void> {
  const found = isId(id)
    ? await graph.find(`/applications/${id}`, registration, { ...read, ...selected })
    : undefined;
  if (!found?.tags?.includes(tag))
    throw new Failure('not_found', 'The directory has no such account that this gateway created.');
  const path = keyed('servicePrincipals', 'appId', found.appId);
  const its = await graph.find(path, principal, read);
  await ifThere(() => graph.send('DELETE', `/applications/${id}`, write));
  // In the bin it keeps its names for 30 days. Who may not empty it leaves it there: it cannot sign in any more.
  for (const gone of [id, ...(its ? [its.id] : [])])
    await ifThere(() => graph.send('DELETE', `/directory/deletedItems/${gone}`, write)).catch(unlessDenied);
}

function unlessDenied(error: unknown): void {
  if (!(error instanceof Failure) || error.code !== 'directory_denied') throw error;
}
