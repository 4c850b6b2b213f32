import type { accessEndpoints } from '../../../contract/access.ts';
import type { Output } from '../../../contract/endpoint.ts';
import { groupsBehind } from '../../access/explain.ts';
import { gained, groundsOf } from '../../access/gained.ts';
import { accessOf, compile, type Grants } from '../../access/grants.ts';
import type { Db } from '../../db/tables.ts';
import { readStored } from '../scopes/store.ts';
import { shownGain } from './shown-gain.ts';

const nothing = { servers: [], permissions: [] };

/** Everything that members of these groups may do: what they gain over somebody without a scope, by the same decisions. */
export async function effective(
  db: Db,
  groups: readonly string[],
  grants: Grants,
): Promise<Output<(typeof accessEndpoints)['access.effective']>> {
  const subject = { groups };
  const stored = await readStored(db);
  const { scopes, isAdmin } = accessOf(subject, grants);
  const held = scopes.flatMap((name) => stored.get(name) ?? []);
  const grounds = groundsOf(
    held.map(({ scope }) => scope),
    [],
  );
  return {
    groups: [...groups],
    scopes: held.map(({ scope, source }) => ({
      ...{ scope: scope.name, source },
      by_groups: groupsBehind(groups, scope.name, grants),
    })),
    is_admin: isAdmin,
    access: shownGain(gained(subject, grounds, compile(new Map()), grants) ?? nothing),
  };
}
