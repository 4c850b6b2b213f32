import type { Me } from '../api.ts';

/** How far somebody's permissions on servers go, in a word or two. */
export function accessWords(me: Me): string {
  if (me.is_admin) return 'Admin';
  if (me.scopes.length === 0) return 'No access';
  const changes = ['register_service', 'modify_service', 'toggle_service', 'delete_service'] as const;
  return changes.some((one) => (me.ui_permissions[one]?.length ?? 0) > 0) ? 'Modify' : 'Read-only';
}
