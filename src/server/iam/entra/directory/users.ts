import { z } from 'zod';
import { asFailure, Failure, invalidInput } from '../../../failure/errors.ts';
import { type Graph, quoted } from '../../../provider/graph.ts';
import { GraphFailure } from '../../../provider/graph-failure.ts';
import { ifThere } from '../../../provider/not-there.ts';
import type { DirectoryUser, NewUser, Users } from '../../directory.ts';
import { isId, isName, theOne } from '../../names.ts';
import { isUncertain, type Patience, settled, sought } from '../settled.ts';

const fields = 'id,displayName,userPrincipalName,mail,givenName,surname,accountEnabled,createdDateTime';
const graphUser = z.looseObject({
  id: z.string(),
  displayName: z.string().nullish(),
  userPrincipalName: z.string(),
  mail: z.string().nullish(),
  givenName: z.string().nullish(),
  surname: z.string().nullish(),
  accountEnabled: z.boolean().nullish(),
  createdDateTime: z.string().nullish(),
});
const organization = z.looseObject({
  verifiedDomains: z.array(z.looseObject({ name: z.string(), isDefault: z.boolean().nullish() })),
});

const read = { permission: 'User.Read.All' };
const write = { permission: 'User.ReadWrite.All' };

/** A clock here and Microsoft's may be so far apart, in milliseconds. */
const skew = 300_000;

/** What people's accounts are managed with. */
export interface UsersWorld extends Patience {
  readonly graph: Graph;
  readonly now: () => number;
}

/** People's accounts of a tenant. */
export function entraUsers(world: UsersWorld): Users & Required<Users> {
  const { graph } = world;
  const find = (idOrName: string) => findUser(graph, idOrName);
  return {
    async list({ search, limit, from }) {
      const filter: Record<string, string> = search
        ? { $filter: ['displayName', 'userPrincipalName', 'mail'].map(startsWith(search)).join(' or ') }
        : {};
      const query = {
        $select: fields,
        ...filter,
        $orderby: 'displayName',
        $top: String(Math.min(limit, 999)),
      };
      const page = await graph.page('/users', graphUser, { ...read, query, from, eventual: true });
      return { items: page.items.map(userOf), next: page.next, total: page.count ?? null };
    },
    async find(idOrName) {
      const found = await find(idOrName);
      return found && userOf(found);
    },
    create: (user) => createUser(world, user),
    async remove(id, { isNew = false } = {}) {
      if (!isId(id))
        throw new Failure('not_found', 'This is not an Object ID. Identify the user by its Object ID.');
      const remove = () => graph.send('DELETE', `/users/${id}`, write);
      // What was made a moment ago may not be known everywhere yet: that it is not there does not make it gone.
      return ifThere(() => (isNew ? settled(world, remove) : remove()));
    },
  };
}

function startsWith(text: string): (property: string) => string {
  return (property) => `startswith(${property},${quoted(text)})`;
}

async function findUser(graph: Graph, idOrName: string) {
  if (isId(idOrName))
    return graph.find(`/users/${idOrName.toLowerCase()}`, graphUser, { ...read, query: { $select: fields } });
  if (!isName(idOrName)) return undefined;
  const by = async (property: 'userPrincipalName' | 'mail') => {
    const query = { $select: fields, $filter: `${property} eq ${quoted(idOrName)}`, $top: '20' };
    const { items } = await graph.page('/users', graphUser, { ...read, query });
    return theOne(items, idOrName, (one) => one[property]);
  };
  // User names are unique; addresses need not be, and count only where nobody has the user name.
  return (await by('userPrincipalName')) ?? (await by('mail'));
}

function userOf(one: z.output<typeof graphUser>): DirectoryUser {
  return {
    id: one.id,
    username: one.userPrincipalName,
    email: one.mail ?? null,
    displayName: one.displayName ?? one.userPrincipalName,
    firstName: one.givenName ?? null,
    lastName: one.surname ?? null,
    enabled: one.accountEnabled !== false,
  };
}

async function createUser(world: UsersWorld, user: NewUser): Promise<DirectoryUser> {
  const { graph } = world;
  const started = world.now();
  const [local = '', domain] = splitName(user.username);
  const userPrincipalName = `${local}@${domain ?? (await defaultDomain(graph))}`;
  const displayName = `${user.firstName} ${user.lastName}`;
  const taken = await findUser(graph, userPrincipalName);
  if (taken) throw isTaken(userPrincipalName);
  const body = {
    ...{ accountEnabled: true, displayName, userPrincipalName, mail: user.email },
    ...{ givenName: user.firstName, surname: user.lastName, mailNickname: local.slice(0, 64) },
    passwordProfile: { password: user.password, forceChangePasswordNextSignIn: user.mustChangePassword },
  };
  try {
    const { id } = z
      .looseObject({ id: z.string() })
      .parse(await graph.send('POST', '/users', { ...write, body }));
    const { email, firstName, lastName } = user;
    return { id, username: userPrincipalName, email, displayName, firstName, lastName, enabled: true };
  } catch (error) {
    if (isConflict(error)) throw isTaken(userPrincipalName);
    if (!isUncertain(error)) throw error;
    return await madeAfterAll(world, { ...user, username: userPrincipalName }, { started, error });
  }
}

/** The account that a request made whose answer got lost; its password is the one asked for, since both are set at once. */
async function madeAfterAll(
  world: UsersWorld,
  user: NewUser,
  { started, error }: { readonly started: number; readonly error: unknown },
): Promise<DirectoryUser> {
  const failure = asFailure(error);
  const { username } = user;
  const made = await sought(world, () => findUser(world.graph, username)).catch(() => undefined);
  // The name was free a moment ago: an account of the same person that is as young as the request is its work.
  if (made && isOf(user, made) && Date.parse(made.createdDateTime ?? '') >= started - skew)
    return userOf(made);
  const rest = `Look for the account '${username}' before you try again, and delete it if it is there, since its password is not known.`;
  throw new Failure(failure.code, `${failure.message} ${rest}`, { cause: error });
}

function isOf(user: NewUser, made: z.output<typeof graphUser>): boolean {
  return (
    made.userPrincipalName.toLowerCase() === user.username.toLowerCase() &&
    made.mail?.toLowerCase() === user.email.toLowerCase() &&
    made.givenName === user.firstName &&
    made.surname === user.lastName
  );
}

/** Local part and domain; throws for what Entra does not take as a user name (A-Z a-z 0-9 ' . - _ ! # ^ ~). */
function splitName(username: string): [string, string | undefined] {
  const [, local = '', domain] = /^([^@]*)(?:@([A-Za-z0-9.-]+))?$/.exec(username) ?? [];
  const isAllowed = /^[A-Za-z0-9'._!#^~-]{1,64}$/.test(local) && !local.endsWith('.');
  if (isAllowed) return [local, domain];
  const message = "may have A-Z a-z 0-9 ' . - _ ! # ^ ~ before the @, and a domain after it";
  throw invalidInput([{ at: 'body.username', message }]);
}

async function defaultDomain(graph: Graph): Promise<string> {
  const [tenant] = await graph.list('/organization', organization, {
    query: { $select: 'verifiedDomains' },
    permission: 'Organization.Read.All (or give the user name with its domain)',
  });
  const domain = tenant?.verifiedDomains.find(({ isDefault }) => isDefault)?.name;
  if (domain) return domain;
  throw new Failure(
    'directory_refused',
    'The directory names no default domain; give the user name with its domain.',
  );
}

function isTaken(name: string): Failure {
  return new Failure('conflict', `The directory has a user '${name}' already.`);
}

function isConflict(error: unknown): boolean {
  return (
    error instanceof GraphFailure &&
    (error.graph.status === 409 || error.graph.details.some(({ code }) => code === 'ObjectConflict'))
  );
}
