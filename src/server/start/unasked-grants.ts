import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Trail } from '../audit/event.ts';
import type { TrustedProvider } from '../identity/bearer.ts';
import { findM2mClient } from '../identity/groups/groups.ts';
import type { Identity } from '../identity/identity.ts';
import { findPerson, type GroupsSeen } from '../identity/people.ts';
import type { RequestRow } from '../registry/access-requests/store.ts';
import { type AdministratorsWorld, notedPower } from '../registry/administrators.ts';
import type { Base } from './base.ts';

type Told = Pick<Base, 'now'> & { readonly trail: Pick<Trail, 'record'> };

/** A change that nobody asked the API for, as the audit trail keeps it. */
function changed({ trail, now }: Told, action: string, resource: string, detail: Readonly<object>): void {
  trail.record({
    ...{ kind: 'change', action, resource, decision: 'allow', status: 200, durationMs: 0 },
    ...{ who: null, clientIp: null, correlationId: randomUUID(), detail: { ...detail } },
    at: new Date(now()).toISOString(),
  });
}

/** Records new states of the scope file: whoever may write it is known to the operating system only. */
export function recordsOfFile(told: Told, file: string): (detail: Readonly<object>) => void {
  return (detail) => changed(told, 'scopes.file', basename(file), detail);
}

/**
 * Records when a provider names groups of a person that make them as good as an administrator, which those known before
 * did not: whoever put them there did it at the provider.
 */
export function recordsOfGroups(
  told: Told,
  trusted: readonly TrustedProvider[],
  grants: AdministratorsWorld['grants'],
): GroupsSeen {
  return ({ provider, subject, username, groups }, before) => {
    const groupsOf = trusted.find((one) => one.provider.name === provider)?.groupsOf;
    if (!groupsOf) return;
    const noted = notedPower({ grants }, groupsOf(before), groupsOf(groups));
    if (!noted.admin_grant) return;
    const person = { provider, subject, username };
    const grown = { before: { groups: before }, after: { groups } };
    changed(told, 'people.groups', username, { ...noted, person, ...grown });
  };
}

/** Of so many accounts it is kept in memory which groups their tokens named last. */
const accountsKept = 10_000;

/**
 * Records when a token of a provider names groups of somebody that make them as good as an administrator, and neither their
 * tokens before nor what is known of them did: programs come by tokens alone, without ever signing in here.
 */
export function recordsOfTokens(
  { db, ...told }: Told & Pick<Base, 'db'>,
  trusted: readonly TrustedProvider[],
  grants: AdministratorsWorld['grants'],
): (identity: Identity) => Promise<void> {
  const last = new LRUCache<string, string>({ max: accountsKept });
  return async (identity) => {
    const { provider, subject, username, kind, clientId } = identity;
    const key = JSON.stringify([provider, subject]);
    const groups = JSON.stringify(identity.groups);
    if (last.get(key) === groups) return;
    const row = await db
      .selectFrom('token_groups')
      .select('groups')
      .where('provider', '=', provider)
      .where('subject', '=', subject)
      .executeTakeFirst();
    const hasPower = notedPower({ grants }, [], identity.groups).admin_grant === true;
    if (hasPower && row?.groups !== groups) {
      const before = row
        ? (JSON.parse(row.groups) as string[])
        : await knownGroups(
            db,
            identity,
            trusted.find((one) => one.provider.name === provider),
          );
      const seen = { groups, seen_at: new Date(told.now()).toISOString() };
      const isOurs = await storeGroups(db, { provider, subject }, row?.groups, seen);
      const noted = notedPower({ grants }, before, identity.groups);
      if (isOurs && noted.admin_grant)
        changed(told, 'tokens.groups', username, {
          ...{ ...noted, [kind]: { provider, subject, username, client_id: clientId } },
          ...{ before: { groups: before }, after: { groups: identity.groups } },
        });
    }
    if (!hasPower && row)
      await db
        .deleteFrom('token_groups')
        .where('provider', '=', provider)
        .where('subject', '=', subject)
        .where('groups', '=', row.groups)
        .execute();
    last.set(key, groups);
  };
}

/** Stores the groups unless another process has stored some meanwhile; whether it did. */
async function storeGroups(
  db: Base['db'],
  { provider, subject }: { readonly provider: string; readonly subject: string },
  before: string | undefined,
  seen: { readonly groups: string; readonly seen_at: string },
): Promise<boolean> {
  if (before === undefined) {
    const added = await db
      .insertInto('token_groups')
      .values({ provider, subject, ...seen })
      .onConflict((conflict) => conflict.columns(['provider', 'subject']).doNothing())
      .executeTakeFirst();
    return Number(added.numInsertedOrUpdatedRows) > 0;
  }
  const { numUpdatedRows } = await db
    .updateTable('token_groups')
    .set(seen)
    .where('provider', '=', provider)
    .where('subject', '=', subject)
    .where('groups', '=', before)
    .executeTakeFirst();
  return Number(numUpdatedRows) > 0;
}

/** The groups that are known here of somebody, as scopes map them: what gave them power is recorded already. */
async function knownGroups(
  db: Base['db'],
  { kind, provider, subject, clientId }: Identity,
  by: TrustedProvider | undefined,
): Promise<readonly string[]> {
  if (kind === 'person') {
    const person = await findPerson(db, provider, subject);
    return by?.groupsOf(person?.known.groups ?? []) ?? [];
  }
  const known = await findM2mClient(db, provider, clientId ?? '');
  return by?.groupsOf(known?.recorded ?? []) ?? [];
}

/** Records that the groups which settings map to scopes are others than at the last start. */
export function recordsOfSettings(told: Told): (detail: Readonly<object>) => void {
  return (detail) => changed(told, 'scopes.settings', 'group mappings', detail);
}

/** Records that access which somebody was granted on request is over by its time. */
export function recordsOfEnds(told: Told): (ended: RequestRow) => void {
  return ({ id, path, username, provider, subject, ends_at }) =>
    changed(told, 'accessRequests.ended', path, {
      request: id,
      person: { provider, subject, username },
      because: 'its time is over',
      ends_at,
    });
}
