import type { accessEndpoints } from '../../../contract/access.ts';
import type { Output } from '../../../contract/endpoint.ts';
import { groupsBehind } from '../../access/explain.ts';
import { gained, groundsOf } from '../../access/gained.ts';
import { accessOf, compile, type Grants } from '../../access/grants.ts';
import type { Db } from '../../db/tables.ts';
import { readPersonalGrants } from '../access-requests/personal-grants.ts';
import { readStored } from '../scopes/store.ts';
import { shownGain } from './shown-gain.ts';
import type { Somebody } from './somebody.ts';

const nothing = { servers: [], permissions: [] };

/** Everything that members of these groups may do: what they gain over somebody without a scope, by the same decisions. */
export async function effective(
  db: Db,
  subject: Somebody,
  grants: Grants,
): Promise<Output<(typeof accessEndpoints)['access.effective']>> {
  const { groups } = subject;
  const stored = await readStored(db);
  const { scopes, isAdmin } = accessOf(subject, grants);
  const { provider, subject: id } = subject;
  const personal =
    provider !== undefined && id !== undefined ? await readPersonalGrants(db, { provider, subject: id }) : [];
  const requested = new Map(personal.map(({ scope }) => [scope.name, scope]));
  const held = scopes.flatMap((name) => stored.get(name) ?? []);
  const grounds = groundsOf(
    [...held.map(({ scope }) => scope), ...scopes.flatMap((name) => requested.get(name) ?? [])],
    [],
  );
  return {
    groups: [...groups],
    scopes: scopes.flatMap((scope) => {
      const source = requested.has(scope) ? 'request' : stored.get(scope)?.source;
      return source ? [{ scope, source, by_groups: groupsBehind(groups, scope, grants) }] : [];
    }),
    is_admin: isAdmin,
    access: shownGain(gained(subject, grounds, compile(new Map()), grants) ?? nothing),
  };
}
