import type { Input, Output } from '../../../contract/endpoint.ts';
import type { User, userEndpoints } from '../../../contract/people/users.ts';
import type { Directory, DirectoryGroup, ServiceAccount } from '../../iam/directory.ts';
import { listRecords } from '../m2m-clients/store.ts';
import { present, presentAccount, presentRecord } from './present.ts';
import { needDirectory, type UsersWorld } from './world.ts';

type Endpoint = (typeof userEndpoints)['users.list'];

/** Accounts of applications that the first page shows at most, and whose groups are asked for at a time. */
const [mostAccounts, atATime] = [500, 8];

/** A page of the directory's users with their groups; the first one also has the applications. */
export async function listUsers(
  world: UsersWorld,
  { search, limit, from }: Input<Endpoint>['query'],
): Promise<Output<Endpoint>> {
  const directory = needDirectory(world);
  const page = await directory.users.list({ search, limit, from });
  const groups = await directory.memberships.ofUsers(page.items.map(({ id }) => id));
  const people = page.items.map((user, at) => present(user, groups[at]));
  const applications = await listApplications(world, directory, search);
  const users = from ? people : [...people, ...applications];
  return { users, total: (page.total ?? people.length) + applications.length, next: page.next };
}

async function listApplications(
  { db }: UsersWorld,
  directory: Directory,
  search: string | undefined,
): Promise<User[]> {
  const found = await directory.serviceAccounts?.list({ search, limit: mostAccounts });
  const accounts = found?.items ?? [];
  const groups = await groupsOf(directory, accounts);
  const inDirectory = new Set(accounts.map(({ clientId }) => clientId.toLowerCase()));
  const { items } = await listRecords(db, { limit: mostAccounts, skip: 0 });
  const begins = search?.toLowerCase() ?? '';
  const records = items.filter(
    ({ clientId, name }) =>
      !inDirectory.has(clientId) && (name.toLowerCase().startsWith(begins) || clientId.startsWith(begins)),
  );
  return [...accounts.map((one, at) => presentAccount(one, groups[at])), ...records.map(presentRecord)];
}

/** A few at a time; an account without a principal is in no group, and one that cannot be read is told as such. */
async function groupsOf({ memberships }: Directory, accounts: readonly ServiceAccount[]) {
  const found: (readonly DirectoryGroup[] | undefined)[] = new Array(accounts.length);
  const rest = accounts.entries();
  const work = async (): Promise<void> => {
    for (const [at, { principalId }] of rest)
      found[at] =
        principalId === null ? [] : await memberships.ofServiceAccount?.(principalId).catch(() => undefined);
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return found;
}
