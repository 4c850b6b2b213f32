import type { Output } from '../../../contract/endpoint.ts';
import type { groupEndpoints } from '../../../contract/people/groups.ts';
import type { Seen } from '../scopes/show.ts';
import type { StoredScopes } from '../scopes/store.ts';

type Item = Output<(typeof groupEndpoints)['groups.list']>['groups'][number];

/** Groups of the directory, and the scopes that none of them holds, by name. */
export function listItems(stored: StoredScopes, seen: Seen | undefined): Item[] {
  const held = new Set(seen?.groups.flatMap(({ scopes }) => scopes));
  const ofDirectory = (seen?.groups ?? []).map(
    ({ group, scopes }): Item => ({
      id: group.id,
      name: group.name,
      path: `/${group.name}`,
      attributes: {
        ...(group.description ? { description: [group.description] } : {}),
        mapping: [group.mapping],
      },
      is_idp_managed: true,
      scopes: [...scopes],
      source: stored.get(group.name)?.source ?? null,
    }),
  );
  const alone = [...stored.values()]
    .filter(({ scope }) => !held.has(scope.name))
    .map(
      ({ scope, source, idpGroupId }): Item => ({
        id: scope.name,
        name: scope.name,
        path: `/${scope.name}`,
        attributes: scope.description ? { description: [scope.description] } : {},
        is_idp_managed: idpGroupId !== null,
        scopes: [scope.name],
        source,
      }),
    );
  return [...ofDirectory, ...alone].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
