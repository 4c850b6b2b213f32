import {
  addUser,
  checkPassword,
  groupIn,
  PoolError,
  type PoolState,
  type PoolUser,
  pageOf,
  userIn,
} from './pool-state.test-support.ts';

type Body = Readonly<Record<string, unknown>>;

/** What each operation of the API does; the documented answers and errors, no more than the gateway uses. */
export const operations: Readonly<Record<string, (state: PoolState, body: Body) => object>> = {
  DescribeUserPool: ({ id, shape, users }) => ({
    UserPool: {
      ...{ Id: id, EstimatedNumberOfUsers: users.size },
      ...(shape.usernameAttributes ? { UsernameAttributes: shape.usernameAttributes } : {}),
      SchemaAttributes: ['sub', 'name', 'email'].map((Name) => ({
        ...{ Name, AttributeDataType: 'String', Required: shape.required?.includes(Name) ?? false },
      })),
    },
  }),
  ListUsers(state, { Filter, Limit, PaginationToken: token }) {
    const found = [...state.users.values()].filter(matching(Filter));
    const { part, next } = pageOf(state, found, { limit: Limit, token, of: `users ${Filter ?? ''}` });
    return { Users: part.map(shownIn('Attributes')), PaginationToken: next };
  },
  AdminGetUser: (state, { Username }) => shownIn('UserAttributes')(userIn(state, Username)),
  AdminCreateUser(state, { Username, MessageAction, TemporaryPassword, UserAttributes = [] }) {
    if (MessageAction === 'RESEND') return { User: shownIn('Attributes')(userIn(state, Username)) };
    const attributes = Object.fromEntries(
      (UserAttributes as { Name: string; Value: string }[]).map(({ Name, Value }) => [Name, Value]),
    );
    const made = addUser(state, String(Username), attributes, String(TemporaryPassword));
    return { User: shownIn('Attributes')(made) };
  },
  AdminSetUserPassword(state, { Username, Password, Permanent }) {
    const user = userIn(state, Username);
    checkPassword(String(Password));
    user.password = String(Password);
    user.UserStatus = Permanent ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD';
    return {};
  },
  AdminDeleteUser(state, { Username }) {
    state.users.delete(userIn(state, Username).Username);
    return {};
  },
  ListGroups(state, { Limit, NextToken: token }) {
    const { part, next } = pageOf(state, [...state.groups.values()], { limit: Limit, token, of: 'groups' });
    return { Groups: part, NextToken: next };
  },
  GetGroup: (state, { GroupName }) => ({ Group: groupIn(state, GroupName) }),
  CreateGroup(state, { GroupName, Description }) {
    const name = String(GroupName);
    if (state.groups.has(name))
      throw new PoolError('GroupExistsException', 'A group with the name already exists.');
    const made = { GroupName: name, ...(Description ? { Description: String(Description) } : {}) };
    state.groups.set(name, made);
    return { Group: made };
  },
  UpdateGroup(state, { GroupName, Description, RoleArn, Precedence }) {
    groupIn(state, GroupName);
    // The worst that the documentation allows: what is not said is gone.
    const changed = { GroupName, Description, RoleArn, Precedence } as ReturnType<typeof groupIn>;
    state.groups.set(String(GroupName), changed);
    return { Group: changed };
  },
  DeleteGroup(state, { GroupName }) {
    state.groups.delete(groupIn(state, GroupName).GroupName);
    for (const { groups } of state.users.values()) groups.delete(String(GroupName));
    return {};
  },
  AdminListGroupsForUser(state, { Username, Limit, NextToken: token }) {
    const user = userIn(state, Username);
    const found = [...user.groups].map((name) => groupIn(state, name));
    const { part, next } = pageOf(state, found, { limit: Limit, token, of: `groups ${user.Username}` });
    return { Groups: part, NextToken: next };
  },
  ListUsersInGroup(state, { GroupName, Limit, NextToken: token }) {
    const { GroupName: name } = groupIn(state, GroupName);
    const found = [...state.users.values()].filter(({ groups }) => groups.has(name));
    const { part, next } = pageOf(state, found, { limit: Limit, token, of: `in ${name}` });
    return { Users: part.map(shownIn('Attributes')), NextToken: next };
  },
  AdminAddUserToGroup(state, { Username, GroupName }) {
    userIn(state, Username).groups.add(groupIn(state, GroupName).GroupName);
    return {};
  },
  AdminRemoveUserFromGroup(state, { Username, GroupName }) {
    userIn(state, Username).groups.delete(groupIn(state, GroupName).GroupName);
    return {};
  },
};

const shownIn =
  (member: 'Attributes' | 'UserAttributes') =>
  ({ Username, attributes, Enabled, UserStatus }: PoolUser): object => ({
    ...{ Username, Enabled, UserStatus, UserCreateDate: 1_700_000_000, UserLastModifiedDate: 1_700_000_000 },
    [member]: [...attributes].map(([Name, Value]) => ({ Name, Value })),
  });

/** One attribute, `=` or `^=`, and a text in quotation marks with backslashes before those and others. */
function matching(filter: unknown): (user: PoolUser) => boolean {
  if (filter === undefined || filter === '') return () => true;
  const [, name = '', operator, quoted = ''] =
    /^(\w+) *(=|\^=) *"((?:[^"\\]|\\.)*)"$/s.exec(String(filter)) ?? [];
  const known = ['username', 'email', 'given_name', 'family_name', 'name', 'preferred_username', 'sub'];
  if (!known.includes(name) || String(filter).length > 256)
    throw new PoolError('InvalidParameterException', 'Error while parsing filter.');
  const value = quoted.replace(/\\(.)/gs, '$1');
  return ({ Username, attributes }) => {
    const has = name === 'username' ? Username : (attributes.get(name) ?? '');
    return operator === '=' ? has === value : has.startsWith(value);
  };
}
