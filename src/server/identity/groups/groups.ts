import type { Db } from '../../db/tables.ts';
import { asFailure, Failure } from '../../failure/errors.ts';
import type { Bearer, Provider } from '../../provider/provider.ts';
import type { Memberships } from './memberships.ts';

/** What we know of an application besides what its provider says. */
export interface M2mClient {
  /** Groups that count: given by hand; null for an account in the directory, whose groups only the directory tells. */
  readonly groups: readonly string[] | null;
  /** Groups that were given through this gateway, by hand or in the directory; each was recorded when it was given. */
  readonly recorded: readonly string[];
  readonly enabled: boolean;
}

/** The application of that provider and client id; undefined when we have nothing to say about it. */
export async function findM2mClient(
  db: Db,
  provider: string,
  clientId: string,
): Promise<M2mClient | undefined> {
  const row = await db
    .selectFrom('m2m_clients')
    .select(['groups', 'is_enabled', 'source'])
    .where('provider', '=', provider)
    .where('client_id', '=', clientId.toLowerCase())
    .executeTakeFirst();
  if (!row) return undefined;
  const recorded = JSON.parse(row.groups) as string[];
  return { groups: row.source === 'manual' ? recorded : null, recorded, enabled: row.is_enabled === 1 };
}

/** Completes what a verified access token says about groups; throws the Failure that says why it cannot be told. */
export type CompleteGroups = (provider: Provider, bearer: Bearer) => Promise<readonly string[]>;

/** What completing groups needs. */
export interface GroupsWorld {
  readonly db: Db;
  readonly memberships: Memberships;
}

/**
 * People: as the token says, or from the provider when it says that it does not list all. Agents: from the token; else
 * from the provider, as old as the age and the grace of groups allow; else from our own table, which speaks only for
 * applications that somebody registered by hand, never for people or for accounts in a directory.
 */
export function createCompleteGroups({ db, memberships }: GroupsWorld): CompleteGroups {
  return async (provider, bearer) => {
    if (bearer.kind === 'person') {
      if (bearer.groupsComplete) return bearer.groups;
      return union(bearer.groups, await memberships.of(provider, bearer));
    }
    const row = await findM2mClient(db, provider.name, bearer.clientId);
    if (row && !row.enabled)
      throw new Failure('client_refused', `The application ${bearer.clientId} is disabled here.`);
    if (bearer.groups.some((group) => !group.startsWith('role:'))) return bearer.groups;
    try {
      const found = await memberships.of(provider, bearer);
      return union(bearer.groups, found.length > 0 ? found : (row?.groups ?? []));
    } catch (error) {
      if (row?.groups) return union(bearer.groups, row.groups);
      // App roles are complete in every token: they may do without groups, unless asking again helps.
      if (bearer.groups.length > 0 && asFailure(error).code === 'groups_incomplete') return bearer.groups;
      throw provider.groupApi ? error : withoutGroups(provider, bearer);
    }
  };
}

function withoutGroups({ displayName }: Provider, { clientId }: Bearer): Failure {
  return new Failure(
    'groups_incomplete',
    `The token of the application ${clientId} lists no groups. Let ${displayName} put groups into its tokens, or give the ` +
      'application groups here.',
  );
}

function union(one: readonly string[], other: readonly string[]): string[] {
  return [...new Set([...one, ...other])];
}
