import { type Migration, Migrator } from 'kysely/migration';
import * as start from './migrations/0001-start.ts';
import * as signIn from './migrations/0002-sign-in.ts';
import * as upstreamCredentials from './migrations/0003-upstream-credentials.ts';
import * as agents from './migrations/0005-agents.ts';
import * as scopesOfTheApi from './migrations/0007-scopes-of-the-api.ts';
import * as auditReading from './migrations/0009-audit-reading.ts';
import * as accounts from './migrations/0010-accounts.ts';
import * as healthChanges from './migrations/0013-health-changes.ts';
import * as changes from './migrations/0020-changes.ts';
import * as leases from './migrations/0021-leases.ts';
import * as signInAttempts from './migrations/0026-sign-in-attempts.ts';
import * as cutoffs from './migrations/0027-cutoffs.ts';
import * as wildcard from './migrations/0028-wildcard.ts';
import * as oauth from './migrations/0030-oauth.ts';
import * as virtualServers from './migrations/0034-virtual-servers.ts';
import * as searchVectors from './migrations/0036-search-vectors.ts';
import * as sessionsAndTokens from './migrations/0038-sessions-and-tokens.ts';
import * as providerRealms from './migrations/0044-provider-realms.ts';
import * as repeatedEvents from './migrations/0050-repeated-events.ts';
import * as oauthDelegation from './migrations/0052-oauth-delegation.ts';
import * as egress from './migrations/0054-egress.ts';
import * as allowances from './migrations/0060-allowances.ts';
import * as madeHere from './migrations/0063-made-here.ts';
import * as accessRequests from './migrations/0071-access-requests.ts';
import * as processes from './migrations/0072-processes.ts';
import * as dataKeys from './migrations/0074-data-keys.ts';
import * as tokenGroups from './migrations/0076-token-groups.ts';
import * as receivers from './migrations/0083-receivers.ts';
import * as virtualRatings from './migrations/0084-virtual-ratings.ts';
import type { Db } from './tables.ts';

/** Every migration in order; names are never changed once released, and there is no way back. */
const migrations: Record<string, Migration> = {
  '0001-start': start,
  '0002-sign-in': signIn,
  '0003-upstream-credentials': upstreamCredentials,
  '0005-agents': agents,
  '0007-scopes-of-the-api': scopesOfTheApi,
  '0009-audit-reading': auditReading,
  '0010-accounts': accounts,
  '0013-health-changes': healthChanges,
  '0020-changes': changes,
  '0021-leases': leases,
  '0026-sign-in-attempts': signInAttempts,
  '0027-cutoffs': cutoffs,
  '0028-wildcard': wildcard,
  '0030-oauth': oauth,
  '0034-virtual-servers': virtualServers,
  '0036-search-vectors': searchVectors,
  '0038-sessions-and-tokens': sessionsAndTokens,
  '0044-provider-realms': providerRealms,
  '0050-repeated-events': repeatedEvents,
  '0052-oauth-delegation': oauthDelegation,
  '0054-egress': egress,
  '0060-allowances': allowances,
  '0063-made-here': madeHere,
  '0071-access-requests': accessRequests,
  '0072-processes': processes,
  '0074-data-keys': dataKeys,
  '0076-token-groups': tokenGroups,
  '0083-receivers': receivers,
  '0084-virtual-ratings': virtualRatings,
};

/** Brings the database to the newest version, each step in a transaction; answers the names of the steps taken. */
export async function migrate(db: Db): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error, results = [] } = await migrator.migrateToLatest();
  const failed = results.find((step) => step.status === 'Error');
  if (error)
    throw new Error(
      failed
        ? `the database migration '${failed.migrationName}' failed and was rolled back; nothing was changed`
        : 'the database could not be migrated; was it written by a newer version?',
      { cause: error },
    );
  return results.map((step) => step.migrationName);
}
