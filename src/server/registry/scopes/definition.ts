import { type GroupDefinition, groupDefinition, type ScopeView } from '../../../contract/scopes.ts';
import { readScopeJson, scopeJsonOf } from '../../access/scope-json.ts';
import type { Scope } from '../../access/scope-set.ts';
import { type Fault, invalidInput } from '../../failure/errors.ts';
import type { StoredScope, StoredScopes } from './store.ts';

/** The members that the rules of the scope file are about. */
const ruled: readonly unknown[] = [
  'server_access',
  'ui_permissions',
  'agent_access',
  'group_mappings',
  'clients',
];

/** A scope as somebody wants it. */
export interface Wanted {
  readonly scope: Scope;
  readonly createInIdp: boolean;
}

/** Reads a group definition; every fault is told at once, by its JSON path below `at`. */
export function readDefinition(given: Readonly<Record<string, unknown>>, at = 'body'): Wanted {
  const shape = groupDefinition.safeParse(given);
  const name = typeof given.scope_name === 'string' && given.scope_name !== '' ? given.scope_name : '?';
  const description = typeof given.description === 'string' ? given.description : '';
  const { scope, faults } = readScopeJson({ name, description }, given, at);
  const all: Fault[] = [...(shape.success ? [] : faultsOfShape(shape.error.issues, at)), ...faults];
  if (all.length > 0) throw invalidInput(all, { lead: 'The group definition is not valid' });
  return { scope, createInIdp: (shape.data as GroupDefinition).create_in_idp };
}

/** What the reader of rules says about its members is better; only their size is not its business. */
function faultsOfShape(
  issues: readonly { code: string; path: readonly PropertyKey[]; message: string }[],
  at: string,
): Fault[] {
  return issues
    .filter(({ code, path }) => !ruled.includes(path[0]) || code === 'too_big')
    .map(({ path, message }) => ({ at: [at, ...path.map(String)].join('.'), message }));
}

/** What a scope says, in the shape of the group definition file. */
export function definitionOf(scope: Scope) {
  return {
    scope_name: scope.name,
    scope_type: 'server_scope' as const,
    description: scope.description ?? '',
    ...scopeJsonOf(scope),
  };
}

/** A stored scope as the API shows it. */
export function viewOf({ scope, source, idpGroupId, createdAt, updatedAt }: StoredScope): ScopeView {
  return {
    ...definitionOf(scope),
    source,
    editable: source === 'api',
    is_idp_managed: idpGroupId !== null,
    idp_group_id: idpGroupId,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

type Told = Pick<StoredScope, 'scope' | 'idpGroupId'> | null | undefined;

/** Whether two scopes of one name say something else; one that is not there differs from one that is. */
export function differs(one: Told, other: Told): boolean {
  if (!one || !other) return Boolean(one) !== Boolean(other);
  return JSON.stringify(shownStored(one)) !== JSON.stringify(shownStored(other));
}

/** The names of the scopes that differ between two states. */
export function changedNames(before: StoredScopes, after: StoredScopes): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((name) =>
    differs(before.get(name), after.get(name)),
  );
}

/** A scope as the audit trail keeps it; null where there is none. */
export function shownStored(scope: Told): Record<string, unknown> | null {
  return scope ? { ...definitionOf(scope.scope), idp_group_id: scope.idpGroupId } : null;
}
