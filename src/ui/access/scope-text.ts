import type { ScopeInFull } from './access-query.ts';

/** What a scope says as a group definition file, without what only describes its record. */
export function definitionText(scope: ScopeInFull): string {
  const { scope_name, scope_type, description, server_access, group_mappings, ui_permissions } = scope;
  const { agent_access, clients } = scope;
  const definition = {
    ...{ scope_name, scope_type, description, group_mappings, server_access },
    ...{ ui_permissions, agent_access, ...(clients ? { clients } : {}) },
  };
  return JSON.stringify(definition, null, 2);
}
