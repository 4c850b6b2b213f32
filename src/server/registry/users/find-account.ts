import { Failure } from '../../failure/errors.ts';
import type { Directory, DirectoryUser, ServiceAccount } from '../../iam/directory.ts';
import { findRecordsNamed, type M2mRecord } from '../m2m-clients/store.ts';
import type { UsersWorld } from './world.ts';

/** An account that somebody names: a person's, an application's in the directory, or one that only the registry knows. */
export type Account =
  | { readonly kind: 'human'; readonly user: DirectoryUser }
  | { readonly kind: 'm2m'; readonly account: ServiceAccount }
  | { readonly kind: 'record'; readonly record: M2mRecord };

/**
 * The account by user name, e-mail address, name or id: people first, then applications in the directory, then records of
 * the registry. `conflict` lists the candidates when several go by the name.
 */
export async function findAccount(
  { db }: UsersWorld,
  directory: Directory,
  idOrName: string,
): Promise<Account> {
  const user = await directory.users.find(idOrName);
  if (user) return { kind: 'human', user };
  const account = await directory.serviceAccounts?.find(idOrName);
  if (account) return { kind: 'm2m', account };
  const records = await findRecordsNamed(db, directory.provider, idOrName);
  const [record] = records;
  if (!record)
    throw new Failure(
      'not_found',
      `Account '${idOrName.slice(0, 100)}' does not exist in the directory or in the gateway.`,
    );
  if (records.length > 1)
    throw new Failure(
      'conflict',
      `Several applications are called '${idOrName}': ${records.map(({ clientId }) => clientId).join(', ')}. Give the client id.`,
    );
  return { kind: 'record', record };
}
