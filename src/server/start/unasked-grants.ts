import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { Trail } from '../audit/event.ts';
import type { TrustedProvider } from '../identity/bearer.ts';
import type { GroupsSeen } from '../identity/people.ts';
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
