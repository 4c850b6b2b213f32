import type { UiPermission } from '../../contract/endpoint.ts';
import { trimSlashes } from '../../contract/names.ts';

const onAgents: ReadonlySet<UiPermission> = new Set<UiPermission>([
  'list_agents',
  'get_agent',
  'publish_agent',
  'modify_agent',
  'delete_agent',
]);

/** What UI permissions call a thing: a server by its path without slashes at the ends, an agent by its path with one in front. */
export function resourceName(permission: UiPermission, resource: string): string {
  const name = trimSlashes(resource);
  return onAgents.has(permission) ? `/${name}` : name;
}

/** Whether a list of methods or tools stands for every one: has exactly `*` or `all` as an entry. */
export function coversAll(entries: readonly string[]): boolean {
  return entries.includes('*') || entries.includes('all');
}

/**
 * A group's name for comparison: GUIDs, such as Entra's Object IDs, are the same in upper and lower case, also behind the
 * name of their provider; other names are not.
 */
export function groupKey(group: string): string {
  return group.replace(/(?<=^([a-z][a-z0-9-]*:)?)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, (id) =>
    id.toLowerCase(),
  );
}
