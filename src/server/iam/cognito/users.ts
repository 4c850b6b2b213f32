import { asFailure, Failure, invalidInput } from '../../failure/errors.ts';
import { ifFound } from '../../provider/not-there.ts';
import type { NewUser, Users } from '../directory.ts';
import { isId, isName, theOne } from '../names.ts';
import { type Account, attributeOf, type Usernames } from './accounts.ts';
import { filterBy, isPoolName } from './names.ts';
import { mostAtATime, readPage } from './pages.ts';
import type { PoolApi } from './pool-api.ts';

/** A filter is of one attribute, so a search takes a pass over the pool for each. */
const searched = ['username', 'email', 'family_name', 'given_name'];

/** People's accounts of a pool, by their `sub`. */
export function cognitoUsers(api: PoolApi, usernames: Usernames): Users & Required<Users> {
  const shape = poolShape(api);
  return {
    async list({ search, limit, from }) {
      const passes = search ? searched.length : 1;
      return readPage({ limit, from, passes }, async ({ pass, token }) => {
        const Filter = search ? filterBy(searched[pass] ?? '', '^=', search) : undefined;
        if (search && !Filter) return { items: [], token: undefined };
        const found = await api.ask('ListUsers', { Filter, Limit: mostAtATime, PaginationToken: token });
        const items = (found.Users ?? []).map((one) =>
          isOfEarlier(one, searched.slice(0, pass), search) ? undefined : usernames.learn(one),
        );
        return { items, token: found.PaginationToken };
      });
    },
    find: (idOrName) => findUser(api, usernames, idOrName),
    async create(user) {
      if (!isName(user.password) || /\s/.test(user.password))
        throw refusal('body.password', 'must have no blanks and at most 256 characters');
      const made = await createUser(api, await shape(), user);
      return usernames.learn(made);
    },
    async remove(id) {
      const Username = await ifFound(usernames.of(id));
      usernames.forget(id);
      return Username !== undefined && (await api.find('AdminDeleteUser', { Username })) !== undefined;
    },
  };
}

/** Whether a pass before has found it. */
function isOfEarlier(one: Account, names: readonly string[], search = ''): boolean {
  return names.some((name) => {
    const has = name === 'username' ? one.Username : attributeOf(one, name);
    return has?.startsWith(search) ?? false;
  });
}

async function findUser(api: PoolApi, usernames: Usernames, idOrName: string) {
  if (isId(idOrName)) {
    const Username = await ifFound(usernames.of(idOrName.toLowerCase()));
    const found = Username && (await api.find('AdminGetUser', { Username }));
    const user = found ? usernames.learn(found) : undefined;
    if (user?.id === idOrName.toLowerCase()) return user;
  }
  const named = isPoolName(idOrName) ? await api.find('AdminGetUser', { Username: idOrName }) : undefined;
  const user = named && usernames.learn(named);
  // Cognito also takes a telephone number or another alias for a name.
  const same = (name: string | null | undefined): boolean => name?.toLowerCase() === idOrName.toLowerCase();
  if (user && (same(named.Username) || same(user.username) || same(user.email))) return user;
  const Filter = filterBy('email', '=', idOrName);
  if (!Filter || !idOrName.includes('@')) return undefined;
  const { Users: found = [] } = await api.ask('ListUsers', { Filter, Limit: mostAtATime });
  return theOne(found.map(usernames.learn), idOrName, ({ email }) => email);
}

/** What a pool was made with, for good: whether names are e-mail addresses, and whether everybody has a `name`. */
interface Shape {
  readonly isByEmail: boolean;
  readonly needsName: boolean;
}

function poolShape(api: PoolApi): () => Promise<Shape> {
  let known: Promise<Shape> | undefined;
  const ask = async (): Promise<Shape> => {
    const { UserPool: pool } = await api.ask('DescribeUserPool', {});
    return {
      isByEmail: pool?.UsernameAttributes?.includes('email') ?? false,
      needsName: pool?.SchemaAttributes?.some((one) => one.Name === 'name' && one.Required) ?? false,
    };
  };
  return () => {
    known ??= ask().catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
}

async function createUser(api: PoolApi, { isByEmail, needsName }: Shape, user: NewUser) {
  const { username, email, firstName, lastName, password, mustChangePassword } = user;
  const Username = isByEmail ? email : username;
  if (!isPoolName(Username))
    throw refusal('body.username', 'must be 1 to 128 characters without blanks and controls');
  const attributes = {
    ...{ email, given_name: firstName, family_name: lastName },
    name: needsName ? `${firstName} ${lastName}`.trim() : '',
  };
  const { User: made = {} } = await api.ask('AdminCreateUser', {
    Username,
    // Whoever asked is shown the password; Cognito would mail it as well.
    MessageAction: 'SUPPRESS',
    TemporaryPassword: password,
    UserAttributes: Object.entries(attributes)
      .filter(([, Value]) => Value !== '')
      .map(([Name, Value]) => ({ Name, Value })),
  });
  if (mustChangePassword) return made;
  const name = made.Username ?? Username;
  try {
    await api.ask('AdminSetUserPassword', { Username: name, Password: password, Permanent: true });
  } catch (error) {
    throw await undone(api, name, asFailure(error));
  }
  return made;
}

/** Without the password that was asked for the account is not what was asked for. */
async function undone(api: PoolApi, Username: string, failure: Failure): Promise<Failure> {
  const left = await api.find('AdminDeleteUser', { Username }).then(
    () => false,
    () => true,
  );
  if (!left) return failure;
  const rest = `The account '${Username}' was created with a password that has to be changed, and could not be removed again.`;
  return new Failure(failure.code, `${failure.message} ${rest}`, { cause: failure });
}

function refusal(at: string, message: string): Failure {
  return invalidInput([{ at, message }]);
}
