import type { GroupType } from '@aws-sdk/client-cognito-identity-provider';
import { Failure, invalidInput } from '../../failure/errors.ts';
import type { DirectoryGroup, Groups } from '../directory.ts';
import { isPoolName } from './names.ts';
import { mostAtATime, readPage } from './pages.ts';
import type { PoolApi } from './pool-api.ts';

/** A group as the directory says it: Cognito knows it by its name alone, which never changes and is what tokens have. */
export function groupOf({ GroupName: name = '', Description }: GroupType): DirectoryGroup {
  return { id: name, name, description: Description || null, mapping: name, editable: true };
}

/** Groups of a pool. */
export function cognitoGroups(api: PoolApi): Groups & Required<Omit<Groups, 'within'>> {
  return {
    async list({ search = '', limit, from }) {
      const begins = search.toLowerCase();
      return readPage({ limit, from, passes: 1 }, async ({ token }) => {
        const found = await api.ask('ListGroups', { Limit: mostAtATime, NextToken: token });
        // Cognito does not search groups.
        const items = (found.Groups ?? []).map((one) =>
          one.GroupName?.toLowerCase().startsWith(begins) ? groupOf(one) : undefined,
        );
        return { items, token: found.NextToken };
      });
    },
    async find(idOrName) {
      const found = await findGroup(api, idOrName);
      return found && groupOf(found);
    },
    async create({ name, description }) {
      if (!isPoolName(name)) throw unfit();
      const { Group: made = { GroupName: name } } = await api.ask('CreateGroup', {
        GroupName: name,
        ...(description ? { Description: description } : {}),
      });
      return groupOf(made);
    },
    async update(id, { description }) {
      const found = await findGroup(api, id);
      if (!found) throw gone();
      // Said again, so that neither is lost with what is not said.
      const { RoleArn, Precedence } = found;
      await api.ask('UpdateGroup', { GroupName: id, Description: description, RoleArn, Precedence });
    },
    async remove(id) {
      if (!isPoolName(id)) throw gone();
      await api.ask('DeleteGroup', { GroupName: id });
    },
  };
}

async function findGroup(api: PoolApi, name: string): Promise<GroupType | undefined> {
  return isPoolName(name) ? (await api.find('GetGroup', { GroupName: name }))?.Group : undefined;
}

function gone(): Failure {
  return new Failure('not_found', 'Cognito has no such group.');
}

function unfit(): Failure {
  const message = 'must be 1 to 128 characters without blanks and controls';
  return invalidInput([{ at: 'body.name', message }], { said: `The name of a group in Cognito ${message}.` });
}
