import type { Handlers } from '../../../contract/endpoint.ts';
import type { userEndpoints } from '../../../contract/people/users.ts';
import { changeGroups } from './change-groups.ts';
import { createHuman } from './create-human.ts';
import { listUsers } from './list.ts';
import { removeAccount } from './remove.ts';
import type { AccountCaller, UsersWorld } from './world.ts';

type Here = Omit<typeof userEndpoints, 'users.createM2m' | 'users.rotateSecret'>;

/** The functions behind the endpoints of accounts in the directory; those that are jobs are with the jobs. */
export function userHandlers(world: UsersWorld): Handlers<Here, AccountCaller> {
  return {
    'users.list': ({ query }) => listUsers(world, query),
    'users.createHuman': ({ body }, caller) => createHuman(world, body, caller),
    async 'users.remove'({ params }, caller) {
      return { username: await removeAccount(world, params.username, caller), deleted: true };
    },
    'users.groups': ({ params, body }, caller) => changeGroups(world, params.username, body.groups, caller),
  };
}
