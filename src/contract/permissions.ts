/** What a permission is about; `everything`: no single thing. */
export type PermissionKind = 'server' | 'agent' | 'virtual_server' | 'everything';

/** What is to be known of a permission. */
interface PermissionFacts {
  readonly of: PermissionKind;
  /** Who has it for a thing knows that the thing is there; to others the thing looks like an unknown one. One a kind. */
  readonly shows?: true;
  /** Who has it for every thing can change none of them. */
  readonly harmless?: true;
  /** It is about things that are not there yet. */
  readonly creates?: true;
}

/**
 * The permissions that a scope's UI permissions can grant (setup guide, "Understanding Scope Mappings"), and all that is
 * to be known of each: a new one, or a new kind of thing, is added here and nowhere else.
 */
export const permissions = {
  list_service: { of: 'server', shows: true, harmless: true },
  get_service: { of: 'server', harmless: true },
  register_service: { of: 'server', creates: true },
  modify_service: { of: 'server' },
  toggle_service: { of: 'server' },
  health_check_service: { of: 'server', harmless: true },
  delete_service: { of: 'server' },
  list_tools: { of: 'server', harmless: true },
  call_tool: { of: 'server' },
  list_agents: { of: 'agent', shows: true, harmless: true },
  get_agent: { of: 'agent', harmless: true },
  publish_agent: { of: 'agent', creates: true },
  modify_agent: { of: 'agent' },
  delete_agent: { of: 'agent' },
  list_virtual_server: { of: 'virtual_server', shows: true, harmless: true },
  create_virtual_server: { of: 'virtual_server', creates: true },
  modify_virtual_server: { of: 'virtual_server' },
  delete_virtual_server: { of: 'virtual_server' },
  read_audit: { of: 'everything' },
} as const satisfies Record<string, PermissionFacts>;

/** One of the permissions that `ui_permissions` in a scope may name. */
export type UiPermission = keyof typeof permissions;

const rows = Object.entries(permissions) as [UiPermission, PermissionFacts][];

/** Their names, in the order of the table. */
export const uiPermissions = rows.map(([name]) => name) as [UiPermission, ...UiPermission[]];

/** What a permission is, whatever is claimed to be one; undefined for a name that is none. */
export function factsOf(name: string): PermissionFacts | undefined {
  return Object.hasOwn(permissions, name) ? permissions[name as UiPermission] : undefined;
}

/** The permissions about things of a kind, in the order of the table. */
export function permissionsOf(kind: PermissionKind): readonly UiPermission[] {
  return rows.filter(([, { of }]) => of === kind).map(([name]) => name);
}

/** The permission without which somebody does not know that a thing of the kind is there; undefined for no single thing. */
export function showing(kind: PermissionKind): UiPermission | undefined {
  return rows.find(([, { of, shows }]) => of === kind && shows)?.[0];
}
