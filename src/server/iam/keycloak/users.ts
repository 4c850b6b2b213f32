import { z } from 'zod';
import { Failure } from '../../failure/errors.ts';
import { ifThere } from '../../provider/not-there.ts';
import type { DirectoryUser, NewUser, Users } from '../directory.ts';
import { isId, isName, theOne } from '../names.ts';
import type { RealmApi } from './realm-api.ts';

/** An account as Keycloak shows it. */
export const account = z.looseObject({
  id: z.string(),
  username: z.string(),
  email: z.string().nullish(),
  firstName: z.string().nullish(),
  lastName: z.string().nullish(),
  enabled: z.boolean().nullish(),
});

const read = { role: 'view-users' };
const write = { role: 'manage-users' };

/** Whether an account is that of a client, not a person's: it bears the client's name, and the client knows it. */
export async function isServiceAccount(
  api: RealmApi,
  { id, username }: z.output<typeof account>,
): Promise<boolean> {
  const [, clientId] = /^service-account-(.+)$/.exec(username) ?? [];
  if (clientId === undefined) return false;
  const clients = await api.get('/clients', z.array(z.looseObject({ id: z.string() })), {
    ...{ role: 'view-clients', query: { clientId } },
  });
  const owners = await Promise.all(
    clients.map((client) =>
      api
        .find(`/clients/${client.id}/service-account-user`, account, { role: 'view-clients' })
        .catch(refused),
    ),
  );
  return owners.some((owner) => owner?.id === id);
}

/** A client without a service account answers 400. */
function refused(error: unknown): undefined {
  if (!(error instanceof Failure) || error.code !== 'directory_refused') throw error;
}

/** People's accounts of a realm. */
export function keycloakUsers(api: RealmApi): Users & Required<Users> {
  const find = (idOrName: string) => findUser(api, idOrName);
  return {
    async list({ search, limit, from }) {
      const query = { ...(search ? { search } : {}), briefRepresentation: 'true' };
      const page = await api.page('/users', account, { ...read, query, limit, from });
      const total = search ? null : await api.get('/users/count', z.number(), read);
      const people = page.items.map(userOf);
      // Keycloak takes * for any text and looks at each word by itself; here a search is the beginning of a name.
      const items = search ? people.filter((one) => begins(one, search.toLowerCase())) : people;
      return { items, next: page.next, total };
    },
    async find(idOrName) {
      const found = await find(idOrName);
      return found && userOf(found);
    },
    async create(user) {
      const { id } = await api.send('POST', '/users', { ...write, body: bodyOf(user) }).catch((error) => {
        if (!(error instanceof Failure) || error.code !== 'conflict') throw error;
        throw new Failure('conflict', `${error.message} Choose another user name or e-mail address.`);
      });
      return userOf(await api.get(`/users/${id}`, account, read));
    },
    async remove(id) {
      if (!isId(id)) throw new Failure('not_found', 'This is not an id. Identify the user by its id.');
      return ifThere(() => api.send('DELETE', `/users/${id}`, write));
    },
  };
}

async function findUser(api: RealmApi, idOrName: string) {
  if (!isName(idOrName)) return undefined;
  const found = isId(idOrName)
    ? await api.find(`/users/${idOrName.toLowerCase()}`, account, read)
    : ((await findBy(api, 'username', idOrName)) ?? (await findBy(api, 'email', idOrName)));
  return found && !(await isServiceAccount(api, found)) ? found : undefined;
}

async function findBy(api: RealmApi, property: 'username' | 'email', value: string) {
  const query = { [property]: value, exact: 'true' };
  return theOne(await api.get('/users', z.array(account), { ...read, query }), value, (one) => one[property]);
}

function bodyOf(user: NewUser): object {
  const { username, email, firstName, lastName, password, mustChangePassword } = user;
  return {
    ...{ username, email, firstName, lastName, enabled: true },
    credentials: [{ type: 'password', value: password, temporary: mustChangePassword }],
  };
}

function userOf(one: z.output<typeof account>): DirectoryUser {
  const name = [one.firstName, one.lastName].filter(Boolean).join(' ');
  return {
    id: one.id,
    username: one.username,
    email: one.email || null,
    displayName: name || one.username,
    firstName: one.firstName || null,
    lastName: one.lastName || null,
    enabled: one.enabled !== false,
  };
}

function begins({ displayName, username, email, lastName }: DirectoryUser, search: string): boolean {
  return [displayName, username, email, lastName].some((name) => name?.toLowerCase().startsWith(search));
}
