import type { UiPermission } from '../../contract/permissions.ts';

/** What one identity may do in the registry, compiled from its scopes. */
export interface Access {
  /** Scope names by group in the order of the groups, within a group in the order of the scope file; without duplicates. */
  readonly scopes: readonly string[];
  /** Holds an administrator scope (`registry-admins` or `mcp-registry-admin`), and nothing else makes one. */
  readonly isAdmin: boolean;
  /**
   * UI permissions, and agent rules of the same names, with the names of the things they hold for, or `all`; an
   * administrator has every one for `all`.
   */
  readonly permissions: ReadonlyMap<UiPermission, 'all' | ReadonlySet<string>>;
  /** Servers that some rule of these scopes names, or `all`: for administrators too, since MCP calls need a rule. */
  readonly servers: 'all' | ReadonlySet<string>;
  /** Whether `permission` holds for the thing named (a server's name, an agent's path), or without a name for at least one. */
  may(permission: UiPermission, resource?: string): boolean;
}

/** What handlers know of the caller; `I` is the identity, which this room does not look into. */
export interface Caller<I> {
  readonly identity: I;
  readonly access: Access;
  readonly correlationId: string;
  /** Adds to the audit record of this request, such as the state before and after. */
  note(detail: Readonly<Record<string, unknown>>): void;
}
