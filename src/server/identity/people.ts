import { changing, keyOf, recordChange } from '../changes/record.ts';
import type { Db } from '../db/tables.ts';
import { inTransaction } from '../db/transaction.ts';
import type { Person } from '../provider/provider.ts';

/** A person as last seen at the provider. */
export interface KnownPerson {
  readonly provider: string;
  readonly subject: string;
  readonly username: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly groups: readonly string[];
}

/** Told of the groups that a provider has just named of a person, as it calls them, and of those that were known before. */
export type GroupsSeen = (person: KnownPerson, before: readonly string[]) => void;

/** What is stored of a person besides: never part of an identity, so that no log or answer can hold it. */
export interface StoredPerson {
  readonly known: KnownPerson;
  readonly tenant: string | null;
  /** Milliseconds since 1970. */
  readonly groupsReadAt: number;
  readonly refreshSealed: string | null;
  /** Why the provider tells no more about the person; null while it does. */
  readonly refusedBecause: string | null;
}

/** What the provider has just said about a person; personal tokens follow these groups from now on. */
export async function rememberPerson(
  db: Db,
  provider: string,
  person: Person,
  at: string,
  refreshSealed: string | null = null,
): Promise<void> {
  const said = {
    ...saidOf(person, at),
    refresh_sealed: refreshSealed,
    refused_at: null,
    refused_because: null,
  };
  await changing(
    db,
    'person',
    (trx) =>
      trx
        .insertInto('people')
        .values({ provider, subject: person.subject, ...said })
        .onConflict((conflict) => conflict.columns(['provider', 'subject']).doUpdateSet(said))
        .execute(),
    () => [keyOf(provider, person.subject)],
  );
}

/** The person of that provider and subject; undefined when they have never signed in. */
export async function findPerson(
  db: Db,
  provider: string,
  subject: string,
): Promise<StoredPerson | undefined> {
  const row = await db
    .selectFrom('people')
    .selectAll()
    .where('provider', '=', provider)
    .where('subject', '=', subject)
    .executeTakeFirst();
  if (!row) return undefined;
  const { username, name, email } = row;
  return {
    known: { provider, subject, username, name, email, groups: JSON.parse(row.groups) as string[] },
    tenant: row.tenant,
    groupsReadAt: Date.parse(row.groups_read_at),
    refreshSealed: row.refresh_sealed,
    refusedBecause: row.refused_because,
  };
}

/** Stores what a refresh found, unless somebody has signed in or been ended meanwhile; whether it did. */
export async function renewPerson(
  db: Db,
  before: StoredPerson,
  found: Partial<Person> & { readonly groups: readonly string[] },
  at: string,
  refreshSealed: string | null,
): Promise<boolean> {
  const { username, name, email } = { ...before.known, ...found };
  const isNews = !isSame(before.known.groups, found.groups);
  return changeUnlessNewer(db, before, isNews, {
    ...{ username, name, email },
    groups: JSON.stringify(found.groups),
    groups_read_at: at,
    refresh_sealed: refreshSealed,
  });
}

/** Stores that the provider refuses to tell more, unless somebody has signed in meanwhile; whether it did. */
export async function refusePerson(
  db: Db,
  before: StoredPerson,
  because: string,
  at: string,
): Promise<boolean> {
  return changeUnlessNewer(db, before, true, {
    refused_at: at,
    refused_because: because,
    refresh_sealed: null,
  });
}

/** Makes the groups count as never read: the next request reads them anew. */
export async function readGroupsAnew(db: Db, provider: string, subject: string): Promise<void> {
  await mustProve(db, provider, subject, {});
}

/** Makes the groups count as never read and drops the refresh token: everything has to be proven anew. */
export async function forgetGroups(db: Db, provider: string, subject: string): Promise<void> {
  await mustProve(db, provider, subject, { refresh_sealed: null });
}

/** Somebody who has never signed in has no row, but may be known by a bearer token: that is recorded too. */
function mustProve(
  db: Db,
  provider: string,
  subject: string,
  more: { readonly refresh_sealed?: null },
): Promise<unknown> {
  return changing(
    db,
    'person',
    (trx) =>
      trx
        .updateTable('people')
        .set({ groups_read_at: new Date(0).toISOString(), ...more })
        .where('provider', '=', provider)
        .where('subject', '=', subject)
        .execute(),
    () => [keyOf(provider, subject)],
  );
}

/** Drops refresh tokens that neither a session, a personal token nor an OAuth grant needs any more: of one person, or of all. */
export async function dropUnusedRefreshTokens(
  db: Db,
  at: string,
  owner?: { readonly provider: string; readonly subject: string },
): Promise<void> {
  let people = db.updateTable('people').set({ refresh_sealed: null }).where('refresh_sealed', 'is not', null);
  if (owner) people = people.where('provider', '=', owner.provider).where('subject', '=', owner.subject);
  await people
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('sessions')
            .select('sessions.id_hash')
            .whereRef('sessions.provider', '=', 'people.provider')
            .whereRef('sessions.subject', '=', 'people.subject')
            .where('sessions.ended_at', 'is', null)
            .where('sessions.expires_at', '>', at),
        ),
      ),
    )
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('tokens')
            .select('tokens.id')
            .whereRef('tokens.provider', '=', 'people.provider')
            .whereRef('tokens.subject', '=', 'people.subject')
            .where('tokens.revoked_at', 'is', null)
            .where('tokens.expires_at', '>', at),
        ),
      ),
    )
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('oauth_grants')
            .select('oauth_grants.id')
            .whereRef('oauth_grants.provider', '=', 'people.provider')
            .whereRef('oauth_grants.subject', '=', 'people.subject')
            .where('oauth_grants.revoked_at', 'is', null)
            .where('oauth_grants.expires_at', '>', at),
        ),
      ),
    )
    .execute();
}

function saidOf(person: Person, at: string) {
  const { username, name, email, tenant } = person;
  return { username, name, email, tenant, groups: JSON.stringify(person.groups), groups_read_at: at };
}

async function changeUnlessNewer(
  db: Db,
  before: StoredPerson,
  isNews: boolean,
  change: Record<string, string | null>,
): Promise<boolean> {
  const same = before.refreshSealed;
  // Where there are no refresh tokens, when the groups were read tells one sign-in from the next.
  const readAt = new Date(before.groupsReadAt).toISOString();
  const { provider, subject } = before.known;
  return inTransaction(db, async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('people')
      .set(change)
      .where('provider', '=', provider)
      .where('subject', '=', subject)
      .where('groups_read_at', '=', readAt)
      .where((e) => (same === null ? e('refresh_sealed', 'is', null) : e('refresh_sealed', '=', same)))
      .executeTakeFirst();
    const isChanged = Number(numUpdatedRows) > 0;
    if (isChanged && isNews) await recordChange(trx, 'person', keyOf(provider, subject));
    return isChanged;
  });
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return JSON.stringify([...one].sort()) === JSON.stringify([...other].sort());
}
