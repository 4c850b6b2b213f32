import { uiPermissions } from '../permissions.ts';
import { isObject } from '../values/json.ts';
import { type Members, type ScopeEntry, textOf } from './entry.ts';

/** What a registry keeps beside a group definition and what says nothing here. */
const derived = new Set([
  ...[
    '_id',
    'id',
    'created_at',
    'updated_at',
    'created_by',
    'updated_by',
    'source',
    'editable',
    'is_idp_managed',
  ],
  ...[
    'idp_group_id',
    'custom_scopes',
    'scopes',
    'group_name',
    'members',
    'member_count',
    'path',
    '$schema',
    '__v',
  ],
]);

/** Other wildcards of the system whose files these are, in `ui_permissions` and agent lists. */
const wildcards = new Set(['*', '/*']);

/** Whether an object is a group definition: a scope with its rules, mappings and permissions. */
export function isScopeDefinition(value: Members): boolean {
  return (
    'scope_name' in value || ('group_name' in value && 'server_access' in value) || 'ui_permissions' in value
  );
}

/**
 * A group definition in our form or in that of the system whose setup guide we follow. What its database adds is ignored;
 * permissions that do not exist here are set aside with a note, because they grant nothing that could be checked.
 */
export function readScopeDefinition(value: Members, at = ''): ScopeEntry {
  const notes: string[] = [];
  const name = textOf(value.scope_name) ?? textOf(value.group_name) ?? '';
  const body: Record<string, unknown> = {};
  for (const [field, given] of Object.entries(value))
    if (!derived.has(field) && given !== null && given !== undefined) body[field] = given;
  if (name && body.scope_name === undefined) body.scope_name = name;
  if (isObject(body.ui_permissions)) {
    const { kept, unknown } = knownPermissions(body.ui_permissions);
    body.ui_permissions = kept;
    if (unknown.length > 0)
      notes.push(
        `Set aside, because there ${unknown.length === 1 ? 'is no such permission' : 'are no such permissions'} here: ${unknown.join(', ')}.`,
      );
  }
  const custom = value.custom_scopes;
  if (Array.isArray(custom) && custom.length > 0)
    notes.push(
      `Set aside: custom_scopes (${custom.map(String).slice(0, 10).join(', ')}); add people to the groups of those scopes instead.`,
    );
  return { kind: 'scope', name: name || 'scope', at, body, notes };
}

function knownPermissions(given: Members): { kept: Members; unknown: string[] } {
  const known: readonly string[] = uiPermissions;
  const entries = Object.entries(given).map(
    ([permission, names]) => [permission, withoutWildcards(names)] as const,
  );
  return {
    kept: Object.fromEntries(entries.filter(([permission]) => known.includes(permission))),
    unknown: entries.map(([permission]) => permission).filter((permission) => !known.includes(permission)),
  };
}

/** `*` and `/*` mean what `all` means here. */
function withoutWildcards(names: unknown): unknown {
  if (!Array.isArray(names)) return names;
  return names.map((name) => (typeof name === 'string' && wildcards.has(name) ? 'all' : name));
}
