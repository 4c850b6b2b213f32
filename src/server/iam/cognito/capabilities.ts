import { asFailure } from '../../failure/errors.ts';
import type { Capabilities } from '../directory.ts';
import { isDenied } from './failure.ts';
import type { Action, PoolRequest } from './operations.ts';
import type { PoolApi } from './pool-api.ts';

/** Milliseconds that it is believed that nothing is missing. */
const maxAge = 60_000;

/** A name of nobody: what is asked about it changes nothing, and AWS looks at permissions before it looks for it. */
const nobody = { Username: 'mcp-gateway-permission-check' };
const nowhere = { GroupName: 'mcp-gateway-permission-check' };

/** A harmless request for each action. CreateGroup has none: it is taken to be allowed where UpdateGroup is. */
const probes: { readonly [A in Action]?: PoolRequest<A> } = {
  DescribeUserPool: {},
  ListUsers: { Limit: 1 },
  AdminGetUser: nobody,
  // Mails an invitation again to somebody who is there; it never makes anybody.
  AdminCreateUser: { ...nobody, MessageAction: 'RESEND' },
  AdminSetUserPassword: { ...nobody, Password: 'Nobody-0-nobody', Permanent: true },
  AdminDeleteUser: nobody,
  ListGroups: { Limit: 1 },
  GetGroup: nowhere,
  UpdateGroup: nowhere,
  DeleteGroup: nowhere,
  AdminListGroupsForUser: nobody,
  ListUsersInGroup: nowhere,
  AdminAddUserToGroup: { ...nobody, ...nowhere },
  AdminRemoveUserFromGroup: { ...nobody, ...nowhere },
};

/** The actions that each ability takes; none where a pool has nothing of the kind. */
const needs = {
  readUsers: ['ListUsers', 'AdminGetUser'],
  writeUsers: ['DescribeUserPool', 'AdminCreateUser', 'AdminSetUserPassword', 'AdminDeleteUser'],
  readGroups: ['ListGroups', 'GetGroup', 'AdminListGroupsForUser', 'ListUsersInGroup'],
  writeGroups: ['UpdateGroup', 'DeleteGroup'],
  writeMemberships: ['AdminListGroupsForUser', 'AdminAddUserToGroup', 'AdminRemoveUserFromGroup'],
} as const satisfies Partial<Record<keyof Capabilities, readonly Action[]>>;

/** Tells what the gateway's AWS identity may do, by asking about somebody who is not there. */
export function createCapabilities(api: PoolApi, now: () => number): () => Promise<Capabilities> {
  let kept: { readonly capabilities: Capabilities; readonly until: number } | undefined;
  return async () => {
    if (kept && now() < kept.until) return kept.capabilities;
    const denied = await deniedActions(api);
    const capabilities = without(denied);
    kept = denied.length === 0 ? { capabilities, until: now() + maxAge } : undefined;
    return capabilities;
  };
}

async function deniedActions(api: PoolApi): Promise<Action[]> {
  const judged = await Promise.all(
    Object.entries(probes).map(async ([name, asked]) => {
      const action = name as Action;
      const failure = await api.ask(action, asked as never).then(() => undefined, asFailure);
      if (!failure || ['not_found', 'directory_refused'].includes(failure.code)) return [];
      if (!isDenied(failure)) throw failure;
      return [action];
    }),
  );
  return judged.flat();
}

function without(denied: readonly Action[]): Capabilities {
  const abilities = Object.fromEntries(
    Object.entries(needs).map(([name, actions]) => [name, !actions.some((one) => denied.includes(one))]),
  ) as Record<keyof typeof needs, boolean>;
  return {
    ...abilities,
    ...{ writeServiceAccounts: false, writeServiceMemberships: false, assignRoles: false },
    missing: denied.map((action) => `cognito-idp:${action}`),
  };
}
