import type { User } from '../../../contract/people/users.ts';
import type { DirectoryGroup, DirectoryUser, ServiceAccount } from '../../iam/directory.ts';
import type { M2mRecord } from '../m2m-clients/store.ts';

/** A person's account as the API shows it. */
export function present(user: DirectoryUser, groups: readonly DirectoryGroup[] | undefined): User {
  const { id, username, email, firstName, lastName, enabled } = user;
  return { id, username, email, firstName, lastName, enabled, ...named(groups), kind: 'human' };
}

/** An application's account in the directory. */
export function presentAccount(account: ServiceAccount, groups: readonly DirectoryGroup[] | undefined): User {
  return { ...m2m(account.clientId, account.name), enabled: account.enabled, ...named(groups) };
}

/** An application that only the registry knows. */
export function presentRecord({ clientId, name, groups, isEnabled }: M2mRecord): User {
  return { ...m2m(clientId, name), enabled: isEnabled, groups: [...groups], group_ids: [...groups] };
}

function m2m(clientId: string, name: string) {
  const email = `${clientId}@service-account.local`;
  return { id: clientId, username: name, email, firstName: null, lastName: null, kind: 'm2m' as const };
}

function named(groups: readonly DirectoryGroup[] | undefined) {
  return {
    groups: groups?.map(({ name }) => name) ?? null,
    group_ids: groups?.map(({ id }) => id) ?? null,
  };
}
