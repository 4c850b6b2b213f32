import type { Db } from '../db/tables.ts';
import type { Person } from './provider.ts';

/** A person as last seen at the provider. */
export interface KnownPerson {
  readonly provider: string;
  readonly subject: string;
  readonly username: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly groups: readonly string[];
}

/** Stores what the provider has just said about a person; personal tokens follow these groups from now on. */
export async function rememberPerson(db: Db, provider: string, person: Person, at: string): Promise<void> {
  const said = {
    username: person.username,
    name: person.name,
    email: person.email,
    groups: JSON.stringify(person.groups),
    groups_read_at: at,
  };
  await db
    .insertInto('people')
    .values({ provider, subject: person.subject, ...said })
    .onConflict((conflict) => conflict.columns(['provider', 'subject']).doUpdateSet(said))
    .execute();
}

/** The person of that provider and subject; undefined when they have never signed in. */
export async function findPerson(
  db: Db,
  provider: string,
  subject: string,
): Promise<KnownPerson | undefined> {
  const row = await db
    .selectFrom('people')
    .selectAll()
    .where('provider', '=', provider)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return row && { ...row, groups: JSON.parse(row.groups) as string[] };
}
