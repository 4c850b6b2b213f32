import { permissions, type UiPermission } from '../../contract/permissions.ts';
import { looksLikeEvery, trimSlashes } from '../../contract/values/names.ts';

/** What UI permissions call a thing: a server by its path without slashes at the ends, an agent by its path with one in front. */
export function resourceName(permission: UiPermission, resource: string): string {
  const name = trimSlashes(resource);
  return permissions[permission].of === 'agent' ? `/${name}` : name;
}

/**
 * What a rule or permission names: some by name, or every one. The wildcard is a value of its own and no entry of the
 * list, so that no name can equal it.
 */
export type NameList = 'all' | readonly string[];

/** Whether a list has a name, or stands for every one. */
export function hasName(names: NameList, name: string): boolean {
  return names === 'all' || names.includes(name);
}

/** A list as text says it, `all` for every one. */
export function namesShown(names: NameList): string[] {
  return names === 'all' ? ['all'] : [...names];
}

/** What is wrong with an entry that only looks like the wildcard; undefined for any other. `every` is how it is written. */
export function faultOfName(entry: string, every: string): string | undefined {
  if (!looksLikeEvery(entry)) return undefined;
  return `'${entry}' is the name of nothing; write ${every} for every one, or the whole name of one`;
}

/**
 * A group's name for comparison: GUIDs, such as Entra's Object IDs, are the same in upper and lower case, also behind the
 * name of their provider; other names are not.
 */
export function groupKey(group: string): string {
  const id = group.slice(-36);
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) &&
    /^(?:[a-z][a-z0-9-]{0,99}:)?$/.test(group.slice(0, -36))
    ? `${group.slice(0, -36)}${id.toLowerCase()}`
    : group;
}
