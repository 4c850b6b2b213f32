import { z } from 'zod';
import { Failure, invalidInput } from '../../failure/errors.ts';
import type { DirectoryGroup, Groups } from '../directory.ts';
import { isId, isName, theOne } from '../names.ts';
import type { RealmApi } from './realm-api.ts';

/** A group as Keycloak shows it; the description since 26.3. */
export const realmGroup = z.looseObject({
  id: z.string(),
  name: z.string(),
  path: z.string(),
  description: z.string().nullish(),
});

/** How tokens name groups: by their path (`/staff/admins`) or by their own name (`admins`). */
export type Naming = () => Promise<'path' | 'name'>;

/** As the directory says it. */
export function groupOf(
  { id, name, path, description }: z.output<typeof realmGroup>,
  naming: 'path' | 'name',
): DirectoryGroup {
  const mapping = naming === 'path' ? path : name;
  return { id, name, description: description || null, mapping, editable: true };
}

const read = { role: 'view-users' };
const write = { role: 'manage-users' };
/** Every group of the tree by itself, instead of the tree. */
const flat = { populateHierarchy: 'false', briefRepresentation: 'true' };

/** Groups of a realm, wherever they are in the tree; new ones are made at its top. */
export function keycloakGroups(api: RealmApi, naming: Naming): Groups & Required<Groups> {
  return {
    async list({ search, limit, from }) {
      const query = { ...flat, search: search || '*' };
      const [page, names] = await Promise.all([
        api.page('/groups', realmGroup, { ...read, query, limit, from }),
        naming(),
      ]);
      // Keycloak looks anywhere in a name; here a search is its beginning.
      const found = page.items.filter(({ name }) =>
        name.toLowerCase().startsWith((search ?? '').toLowerCase()),
      );
      return { items: found.map((one) => groupOf(one, names)), next: page.next, total: null };
    },
    async find(idOrName) {
      const found = await findGroup(api, idOrName);
      return found && groupOf(found, await naming());
    },
    async create({ name, description }) {
      if (!isName(name)) throw unfit();
      const names = await naming();
      // Without a description unless there is one: Keycloak before 26.3 knows none.
      const body = { name, ...(description ? { description } : {}) };
      const { id } = await api.send('POST', '/groups', { ...write, body });
      return groupOf(await api.get(`/groups/${id}`, realmGroup, read), names);
    },
    async update(id, { description }) {
      if (!isId(id)) throw noId();
      const { name } = await api.get(`/groups/${id}`, realmGroup, read);
      await api.send('PUT', `/groups/${id}`, { ...write, body: { name, description } });
    },
    async remove(id) {
      if (!isId(id)) throw noId();
      await api.send('DELETE', `/groups/${id}`, write);
    },
    async within(id) {
      if (!isId(id)) throw noId();
      return groupsBelow(api, id, await naming());
    },
  };
}

/** Groups that are asked for in one round trip. */
const pageSize = 100;

/** The whole tree below a group: Keycloak deletes it with the group. */
async function groupsBelow(api: RealmApi, root: string, names: 'path' | 'name'): Promise<DirectoryGroup[]> {
  const below: DirectoryGroup[] = [];
  const parents = [root];
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop())
    for (let first = 0; ; first += pageSize) {
      const query = { first: String(first), max: String(pageSize), briefRepresentation: 'true' };
      const page = await api.get(`/groups/${parent}/children`, z.array(realmGroup), { ...read, query });
      below.push(...page.map((one) => groupOf(one, names)));
      parents.push(...page.map(({ id }) => id));
      if (page.length < pageSize) break;
    }
  return below;
}

async function findGroup(api: RealmApi, idOrName: string) {
  if (isId(idOrName)) return api.find(`/groups/${idOrName.toLowerCase()}`, realmGroup, read);
  if (!isName(idOrName)) return undefined;
  if (idOrName.startsWith('/') && idOrName !== '/') {
    const path = idOrName.slice(1).split('/').map(encodeURIComponent).join('/');
    return api.find(`/group-by-path/${path}`, realmGroup, read);
  }
  const query = { ...flat, search: idOrName, exact: 'true' };
  return theOne(
    await api.get('/groups', z.array(realmGroup), { ...read, query }),
    idOrName,
    (one) => one.name,
  );
}

function noId(): Failure {
  return new Failure('not_found', 'This is not an id. Identify the group by its id.');
}

function unfit(): Failure {
  const message = 'must be 1 to 256 characters without control characters';
  return invalidInput([{ at: 'body.name', message }], { said: `The name of a group ${message}.` });
}
